import { Readable } from 'node:stream'

/** A body as it is handed to a connection. */
export interface Writing {
  readonly body: string | Uint8Array | Readable | null
  /** What the connection must be told of it. */
  readonly headers: Readonly<Record<string, string>>
}

/** What a connection takes at once, whether or not its other end reads. */
const PART_BYTES = 65_536

/**
 * A large body goes part by part, each when the one before was taken, so that it shows when the service takes no more. `onPart` is told
 * before each, `onWritten` after the last. A small one is gone at once.
 */
export function writtenInParts(
  body: string | Uint8Array | null,
  { onPart, onWritten }: { readonly onPart: () => void; readonly onWritten: () => void },
): Writing {
  if (body === null || body.length <= PART_BYTES) return { body, headers: {} }
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  async function* parts(): AsyncGenerator<Uint8Array> {
    for (let from = 0; from < bytes.length; from += PART_BYTES) {
      onPart()
      yield bytes.subarray(from, from + PART_BYTES)
    }
    onWritten()
  }
  return {
    body: Readable.from(parts(), { objectMode: false, highWaterMark: PART_BYTES }),
    headers: { 'content-length': String(bytes.length) },
  }
}
