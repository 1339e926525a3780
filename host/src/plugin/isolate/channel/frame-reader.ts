import { parseBounded, TooCostly, type JsonBounds } from '../../../data/json-cost.ts'
import { CALL_HEADER, FrameError, PREFIX_BYTES, RESULT_HEADER, type FrameBounds } from './frame.ts'

/** Cuts a stream into frames. */
export interface FrameReader {
  /** Where the next bytes of the stream are to be put. */
  space(): Buffer
  /** So many were put there. Throws a {@link FrameError} for what is not a frame; nothing can be read after it. */
  filled(bytes: number): void
  /** Takes a copy of what came. Throws as `filled` does. */
  push(chunk: Buffer): void
}

/** A call of a tool that is in a few numbers, and its arguments. */
export interface ReceivedCall {
  readonly id: number
  readonly tool: number
  /** Which of the facts that were told of callers are those of this one. */
  readonly facts: number
  /** Whether long texts follow the JSON in the body. */
  readonly isCut: boolean
  /** To be read before anything is awaited. */
  readonly body: Buffer
}

export interface FrameReaderOptions {
  readonly bounds: FrameBounds
  /** Called before a header is parsed; throws a {@link FrameError} for one too many. */
  readonly onHeader?: ((headerBytes: number) => void) | undefined
  /** Every body is memory that is written over once the function returns: to be copied by who keeps it. */
  readonly onFrame: (header: unknown, body: Buffer) => void
  readonly onCall: (call: ReceivedCall) => void
  readonly onResult: (id: number, as: number, body: Buffer) => void
}

/**
 * The stream is read into one piece of memory that stays, as large as frames were: memory for each read and a copy of each frame that came
 * in two of them were half of what a body of 100 KB cost.
 */
export function createFrameReader({ bounds, onHeader, onFrame, onCall, onResult }: FrameReaderOptions): FrameReader {
  let memory: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
  /** What is read and not yet taken. */
  let from = 0
  let to = 0

  /** How long the frame is that begins at `from`; of one whose lengths are not all there, how long they are. */
  function sizeOfNext(): number {
    if (to - from < PREFIX_BYTES) return PREFIX_BYTES
    const headerBytes = memory.readUInt32LE(from)
    const size = PREFIX_BYTES + headerBytes + memory.readUInt32LE(from + 4)
    if (size > bounds.frameBytes) throw new FrameError(`sent a message of ${size} bytes, and ${bounds.frameBytes} is the most`)
    if (headerBytes > bounds.headerBytes)
      throw new FrameError(`sent a header of ${headerBytes} bytes, and ${bounds.headerBytes} is the most`)
    return size
  }

  function take(size: number): void {
    const headerAt = from + PREFIX_BYTES
    const headerBytes = memory.readUInt32LE(from)
    const body = memory.subarray(headerAt + headerBytes, from + size)
    onHeader?.(headerBytes)
    const first = headerBytes > 0 ? memory[headerAt] : undefined
    if (first === RESULT_HEADER.first && headerBytes === RESULT_HEADER.bytes)
      onResult(memory.readUInt32LE(headerAt + 4), memory[headerAt + 1] ?? 0, body)
    else if (first === CALL_HEADER.first && headerBytes === CALL_HEADER.bytes)
      onCall({
        id: memory.readUInt32LE(headerAt + 4),
        tool: memory.readUInt32LE(headerAt + 8),
        facts: memory.readUInt32LE(headerAt + 12),
        isCut: memory[headerAt + 1] === 1,
        body,
      })
    else onFrame(parseHeader(memory.toString('utf8', headerAt, headerAt + headerBytes), bounds.header), body)
  }

  function moveTo(target: Buffer): void {
    memory.copy(target, 0, from, to)
    memory = target
    to -= from
    from = 0
  }

  return {
    space() {
      const wasFull = to === memory.length
      if (from === to) from = to = 0
      const size = sizeOfNext()
      const wanted = wasFull ? Math.min(memory.length * 2, KEPT_BYTES) : 0
      if (size > memory.length || wanted > memory.length) moveTo(Buffer.allocUnsafeSlow(Math.max(size, wanted)))
      // After one large message the memory for it is given back.
      else if (to === 0 && memory.length > KEPT_BYTES) memory = Buffer.allocUnsafeSlow(KEPT_BYTES)
      else if (from > 0 && Math.max(size, memory.length / 2) > memory.length - from) moveTo(memory)
      return memory.subarray(to)
    },
    filled(bytes) {
      to += bytes
      for (let size = sizeOfNext(); size > PREFIX_BYTES && size <= to - from; size = sizeOfNext()) {
        take(size)
        from += size
      }
    },
    push(chunk) {
      for (let at = 0; at < chunk.length;) {
        const copied = chunk.copy(this.space(), 0, at)
        at += copied
        this.filled(copied)
      }
    },
  }
}

/** A plugin that is seldom called keeps so much for it, one that is called often up to what a pipe holds. */
const FIRST_BYTES = 8_192
const KEPT_BYTES = 262_144

function parseHeader(text: string, bounds: JsonBounds): unknown {
  try {
    return parseBounded(text, bounds)
  } catch (error) {
    if (error instanceof TooCostly) throw new FrameError(`sent a message whose header ${error.message}`)
    throw new FrameError('sent a message whose header is not JSON')
  }
}
