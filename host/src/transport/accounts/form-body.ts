import type { IncomingMessage } from 'node:http'

/** The fields of a posted form; undefined for what is not one, or is too large. A field that is there twice counts as none. */
export async function readForm(req: IncomingMessage): Promise<ReadonlyMap<string, string> | undefined> {
  if (!/^application\/x-www-form-urlencoded(?:;|$)/i.test(req.headers['content-type'] ?? '')) {
    req.resume()
    return undefined
  }
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length <= MAX_BYTES) chunks.push(chunk)
  }
  if (length > MAX_BYTES) return undefined
  const fields = new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
  return new Map([...fields.keys()].filter((key) => fields.getAll(key).length === 1).map((key) => [key, fields.get(key) ?? '']))
}

const MAX_BYTES = 16_384
