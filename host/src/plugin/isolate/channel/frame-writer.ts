import type { Socket } from 'node:net'
import { createReusedMemory } from '../../../data/memory/reused-memory.ts'
import { cutBytes, isCutArguments, writeCut, type CutArguments } from './arguments-codec.ts'
import { CALL_HEADER, PREFIX_BYTES, RESULT_HEADER } from './frame.ts'

/** Writes frames, many of them at once. Each function gives how many bytes its frame has. */
export interface FrameWriter {
  /** Throws {@link HeaderTooLarge}, and what `JSON.stringify` throws. */
  json(header: unknown, body?: Body): number
  call(id: number, tool: number, facts: number, body: Body | CutArguments): number
  result(id: number, as: number, body: Body): number
  /** What is not with the kernel yet. */
  readonly waiting: number
}

/** Bytes are not to be changed before they are written. */
export type Body = string | Uint8Array

/** A header that the other end would not take. */
export class HeaderTooLarge extends Error {}

/**
 * A write wakes the other end: one for each message, with 32 calls at once, cost a fifth of them. `later` says when what was written leaves.
 */
export function createFrameWriter(
  socket: Socket,
  { maxHeaderBytes, later }: { readonly maxHeaderBytes: number; readonly later: (flush: () => void) => void },
): FrameWriter {
  let page: Buffer | undefined
  let used = 0
  let parts: Part[] = []
  let waiting = 0

  function flush(): void {
    endPage()
    const ready = parts
    parts = []
    waiting = 0
    if (socket.destroyed) return
    if (ready.length > 1) socket.cork()
    for (const { bytes, page: own } of ready) socket.write(bytes, own && (() => pages.giveBack(own)))
    if (ready.length > 1) socket.uncork()
  }

  function endPage(): void {
    if (page && used > 0) parts.push({ bytes: page.subarray(0, used), page })
    page = undefined
    used = 0
  }

  /** A page with room for `bytes`. */
  function pageFor(bytes: number): Buffer {
    if (page && used + bytes > page.length) endPage()
    return (page ??= pages.take(bytes))
  }

  /** Writes a frame, whose header `writeHeader` puts where it is told. */
  function write(headerBytes: number, body: Body | CutArguments, writeHeader: (into: Buffer, at: number) => void): number {
    const isCut = isCutArguments(body)
    const bytes = isCut ? cutBytes(body) : typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
    const goesBeside = !isCut && typeof body !== 'string' && bytes > LARGE_BYTES
    const into = pageFor(PREFIX_BYTES + headerBytes + (goesBeside ? 0 : bytes))
    const bodyAt = used + PREFIX_BYTES + headerBytes
    into.writeUInt32LE(headerBytes, used)
    into.writeUInt32LE(bytes, used + 4)
    writeHeader(into, used + PREFIX_BYTES)
    used = bodyAt
    if (goesBeside) {
      endPage()
      parts.push({ bytes: body })
    } else {
      if (isCut) writeCut(body, into, bodyAt)
      // ASCII is the same in both, and is copied rather than encoded.
      else if (typeof body === 'string') into.write(body, bodyAt, bytes === body.length ? 'latin1' : 'utf8')
      else into.set(body, bodyAt)
      used += bytes
    }
    if (waiting === 0) later(flush)
    const size = PREFIX_BYTES + headerBytes + bytes
    waiting += size
    return size
  }

  return {
    json(header, body = '') {
      const text = JSON.stringify(header)
      const headerBytes = Buffer.byteLength(text)
      if (headerBytes > maxHeaderBytes)
        throw new HeaderTooLarge(`a message may have ${maxHeaderBytes} bytes besides its body, and this one has ${headerBytes}`)
      return write(headerBytes, body, (into, at) => void into.write(text, at))
    },
    call: (id, tool, facts, body) =>
      write(CALL_HEADER.bytes, body, (into, at) => {
        into.writeUInt32LE(CALL_HEADER.first + (isCutArguments(body) ? CALL_HEADER.isCut : 0), at)
        into.writeUInt32LE(id, at + 4)
        into.writeUInt32LE(tool, at + 8)
        into.writeUInt32LE(facts, at + 12)
      }),
    result: (id, as, body) =>
      write(RESULT_HEADER.bytes, body, (into, at) => {
        into.writeUInt32LE(RESULT_HEADER.first + as * 256, at)
        into.writeUInt32LE(id, at + 4)
      }),
    get waiting() {
      return waiting + socket.writableLength
    },
  }
}

interface Part {
  readonly bytes: Uint8Array
  /** What it is a part of, to be given back once it is with the kernel. */
  readonly page?: Buffer
}

/**
 * Those of all channels of this process, as many as 32 calls of 100 KB at a time hold: a page that is made new costs the system sixty-four
 * faults, and V8 a part of a collection.
 */
const pages = createReusedMemory({ pieceBytes: 262_144, most: 24 })
/** Bytes from here on go beside the page: into it, they would be copied once more. */
const LARGE_BYTES = 16_384
