/**
 * What goes over the pipe between host and plugin: two lengths of four bytes, a header of JSON, and bytes that are not JSON or need
 * not be parsed with it. A frame says how long it is before anything of it is kept, which `process.send` does not: one message of
 * 200 MB cost the host half a gigabyte there.
 */
const PREFIX_BYTES = 8

/** A frame, ready to be written. */
export function encodeFrame(header: unknown, body: string | Uint8Array = ''): Buffer {
  const text = JSON.stringify(header)
  const headerBytes = Buffer.byteLength(text)
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
  /** Takes what came. Throws a {@link FrameError} for what is no frame; nothing can be read after it. */
  push(chunk: Buffer): void
}

/** What the other end wrote that is no frame, or a larger one than is accepted. */
export class FrameError extends Error {}

/** Cuts a stream into frames. `onFrame` gets a body that lies in memory of the stream: to be copied by who keeps it. */
export function createFrameReader(maxBytes: number, onFrame: (header: unknown, body: Buffer) => void): FrameReader {
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let wanted = PREFIX_BYTES

  /** Gives the first frame of `bytes` to `onFrame`; the offset behind it, or undefined as long as it is not whole. */
  function take(bytes: Buffer, offset: number): number | undefined {
    const left = bytes.length - offset
    if (left < PREFIX_BYTES) return void (wanted = PREFIX_BYTES)
    const headerBytes = bytes.readUInt32LE(offset)
    const bodyBytes = bytes.readUInt32LE(offset + 4)
    const size = PREFIX_BYTES + headerBytes + bodyBytes
    if (size > maxBytes) throw new FrameError(`sent a message of ${size} bytes, and ${maxBytes} is the most`)
    if (left < size) return void (wanted = size)
    const bodyAt = offset + PREFIX_BYTES + headerBytes
    onFrame(parseHeader(bytes, offset + PREFIX_BYTES, bodyAt), bytes.subarray(bodyAt, offset + size))
    return offset + size
  }

  return {
    push(chunk) {
      let bytes = chunk
      if (waitingBytes > 0) {
        waiting.push(chunk)
        waitingBytes += chunk.length
        if (waitingBytes < wanted) return
        bytes = Buffer.concat(waiting, waitingBytes)
      }
      let offset = 0
      for (let next = take(bytes, offset); next !== undefined; next = take(bytes, offset)) offset = next
      waiting = offset < bytes.length ? [offset === 0 ? bytes : bytes.subarray(offset)] : []
      waitingBytes = bytes.length - offset
    },
  }
}

function parseHeader(bytes: Buffer, from: number, to: number): unknown {
  try {
    return JSON.parse(bytes.toString('utf8', from, to))
  } catch {
    throw new FrameError('sent a message whose header is no JSON')
  }
}
