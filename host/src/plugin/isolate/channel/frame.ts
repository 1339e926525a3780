import { parseBounded, TooCostly, type JsonBounds } from '../../../data/json-cost.ts'

/**
 * What goes over the pipe between host and plugin: two lengths of four bytes, a header of JSON, and bytes that are not JSON or need
 * not be parsed with it. A frame says how long it is before anything of it is kept, which `process.send` does not: one message of
 * 200 MB cost the host half a gigabyte there.
 */
const PREFIX_BYTES = 8

/** What one frame may be at most. Each of it is checked before anything is kept, copied or parsed. */
export interface FrameBounds {
  readonly frameBytes: number
  /** Headers are parsed, bodies are not: they have a bound of their own. */
  readonly headerBytes: number
  readonly header: JsonBounds
}

/** What the host takes from a plugin's process: a header tells of a call, a body may be what a service gets. */
export const PLUGIN_BOUNDS: FrameBounds = Object.freeze({
  frameBytes: 16 * 1_048_576,
  headerBytes: 262_144,
  header: Object.freeze({ depth: 64, values: 20_000 }),
})

/** What a plugin's process takes from the host, which it trusts: the arguments of a call are in the header. */
export const HOST_BOUNDS: FrameBounds = Object.freeze({
  frameBytes: 64 * 1_048_576,
  headerBytes: 64 * 1_048_576,
  header: Object.freeze({ depth: Infinity, values: Infinity }),
})

/** A header that the other end would not take. */
export class HeaderTooLarge extends Error {}

/** A frame, ready to be written. Throws {@link HeaderTooLarge}, and what `JSON.stringify` throws. */
export function encodeFrame(header: unknown, body: string | Uint8Array = '', maxHeaderBytes = Infinity): Buffer {
  const text = JSON.stringify(header)
  const headerBytes = Buffer.byteLength(text)
  if (headerBytes > maxHeaderBytes)
    throw new HeaderTooLarge(`a message may have ${maxHeaderBytes} bytes besides its body, and this one has ${headerBytes}`)
  const bodyBytes = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + headerBytes + bodyBytes)
  frame.writeUInt32LE(headerBytes, 0)
  frame.writeUInt32LE(bodyBytes, 4)
  frame.write(text, PREFIX_BYTES)
  if (typeof body === 'string') frame.write(body, PREFIX_BYTES + headerBytes)
  else frame.set(body, PREFIX_BYTES + headerBytes)
  return frame
}

export interface FrameReader {
  /** Takes what came. Throws a {@link FrameError} for what is not a frame; nothing can be read after it. */
  push(chunk: Buffer): void
}

/** What the other end wrote that is not a frame, or more than is accepted. The message continues "it …". */
export class FrameError extends Error {}

export interface FrameReaderOptions {
  readonly bounds: FrameBounds
  /** Called before a header is parsed; throws a {@link FrameError} for one too many. */
  readonly onHeader?: ((headerBytes: number) => void) | undefined
  /** Gets a body that lies in memory of the stream: to be copied by who keeps it. */
  readonly onFrame: (header: unknown, body: Buffer) => void
}

/** Cuts a stream into frames. What waits for the rest of its frame is copied once, whatever pieces it comes in. */
export function createFrameReader({ bounds, onHeader, onFrame }: FrameReaderOptions): FrameReader {
  /** The beginning of a frame, in memory of its own. */
  let partial = Buffer.alloc(0)
  let have = 0

  /** How long the frame is that begins at `offset`; of one whose lengths are not all there, how long they are. */
  function sizeAt(bytes: Buffer, offset: number, end: number): number {
    if (end - offset < PREFIX_BYTES) return PREFIX_BYTES
    const headerBytes = bytes.readUInt32LE(offset)
    const size = PREFIX_BYTES + headerBytes + bytes.readUInt32LE(offset + 4)
    if (size > bounds.frameBytes) throw new FrameError(`sent a message of ${size} bytes, and ${bounds.frameBytes} is the most`)
    if (headerBytes > bounds.headerBytes)
      throw new FrameError(`sent a header of ${headerBytes} bytes, and ${bounds.headerBytes} is the most`)
    return size
  }

  function take(bytes: Buffer, offset: number, size: number): void {
    const headerAt = offset + PREFIX_BYTES
    const bodyAt = headerAt + bytes.readUInt32LE(offset)
    onHeader?.(bodyAt - headerAt)
    onFrame(parseHeader(bytes.toString('utf8', headerAt, bodyAt), bounds.header), bytes.subarray(bodyAt, offset + size))
  }

  /** Adds to the frame that was begun; gives how much of `chunk` it took. */
  function complete(chunk: Buffer): number {
    let used = 0
    while (have > 0) {
      const size = sizeAt(partial, 0, have)
      if (have >= PREFIX_BYTES && have === size) {
        const frame = partial
        have = 0
        take(frame, 0, size)
      } else if (used === chunk.length) break
      else {
        if (partial.length < size) partial = Buffer.concat([partial.subarray(0, have)], size)
        const copied = chunk.copy(partial, have, used, used + size - have)
        have += copied
        used += copied
      }
    }
    return used
  }

  return {
    push(chunk) {
      let offset = complete(chunk)
      while (offset < chunk.length) {
        const size = sizeAt(chunk, offset, chunk.length)
        if (chunk.length - offset < size) {
          partial = Buffer.allocUnsafe(size)
          have = chunk.copy(partial, 0, offset)
          return
        }
        take(chunk, offset, size)
        offset += size
      }
    },
  }
}

function parseHeader(text: string, bounds: JsonBounds): unknown {
  try {
    return parseBounded(text, bounds)
  } catch (error) {
    if (error instanceof TooCostly) throw new FrameError(`sent a message whose header ${error.message}`)
    throw new FrameError('sent a message whose header is not JSON')
  }
}
