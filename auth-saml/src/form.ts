import type { IncomingMessage } from 'node:http'
import { refuse } from './refusal.ts'

/** The fields of a posted form. Throws `LoginRefused` when it is something else, or longer than `maxBytes`. */
export async function readForm(req: IncomingMessage, maxBytes: number): Promise<URLSearchParams> {
  const [type = ''] = (req.headers['content-type'] ?? '').split(';')
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded') refuse('what was posted is no form')
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes) refuse(`what was posted is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString('utf8')
  if (text.split('&', MAX_FIELDS + 1).length > MAX_FIELDS) refuse(`what was posted has more than ${MAX_FIELDS} fields`)
  return new URLSearchParams(text)
}

/** A form of ours has two. A million fields of one letter would take a tenth of a second to read. */
const MAX_FIELDS = 16
