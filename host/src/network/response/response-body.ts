import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib'

/** What the host can unpack, best first. */
export const ACCEPT_ENCODING = 'br, gzip, deflate'

/** Why a body could not be had, in words that follow "answered 200 with ". */
export interface BodyProblem {
  readonly problem: string
  readonly kind: 'tooLarge' | 'damaged'
}

/** All of a stream, or the problem with it. Stops reading, and so closes the connection, at the first byte over the limit. */
export async function collect(stream: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer | BodyProblem> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > limit) return tooLarge(limit)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

/** Undoes the content encoding, never writing more than `limit` bytes: a small body may unpack to a thousand times its size. */
export async function unpack(packed: Buffer, encoding: string | undefined, limit: number): Promise<Buffer | BodyProblem> {
  const name = encoding?.trim().toLowerCase()
  if (!name || name === 'identity' || packed.length === 0) return packed
  const decompress = DECOMPRESS.get(name)
  if (!decompress)
    return { kind: 'damaged', problem: `the content encoding "${name.slice(0, 40)}", which the host did not ask for` }
  try {
    return await decompress(packed, { maxOutputLength: limit })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') return tooLarge(limit)
    return { kind: 'damaged', problem: `a body that is not whole ${name}` }
  }
}

/** Text in the charset the content type names. Throws for bytes that are not text in it, and for an unknown charset. */
export function decodeText(body: Uint8Array, contentType: string | undefined): string {
  const charset = /;\s*charset="?([^\s";]+)/i.exec(contentType ?? '')?.[1] ?? 'utf-8'
  return new TextDecoder(charset, { fatal: true }).decode(body)
}

function tooLarge(limit: number): BodyProblem {
  return { kind: 'tooLarge', problem: `more than the ${limit} bytes that are accepted` }
}

type Decompress = (packed: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>

const gzip: Decompress = promisify(gunzip)
const DECOMPRESS: ReadonlyMap<string, Decompress> = new Map<string, Decompress>([
  ['gzip', gzip],
  ['x-gzip', gzip],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
  ['zstd', promisify(zstdDecompress)],
])
