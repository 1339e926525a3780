import type { PromptMessage, ResourceContents } from '@mcp-patchbay/plugin-api'
import { contentItems, InvalidResult, isBase64, limit, serialise, wellFormed, type Bounds } from '../../../data/content.ts'
import { isObject } from '../../../data/json.ts'

/** What `read` returned, as MCP contents: a string is text, bytes are base64. Throws `InvalidResult`. */
export function resourceContents(
  value: unknown,
  { uri, mimeType, ...bounds }: Bounds & { readonly uri: string; readonly mimeType: unknown },
): readonly ResourceContents[] {
  const type = typeof mimeType === 'string' ? { mimeType } : {}
  if (typeof value === 'string') return [{ uri, ...type, text: wellFormed(value, bounds) }]
  if (value instanceof Uint8Array) {
    limit(Math.ceil(value.length / 3) * 4, bounds.maxBytes)
    return [{ uri, ...type, blob: bounds.redact(Buffer.from(value).toString('base64')) }]
  }
  if (!Array.isArray(value)) throw new InvalidResult('returned neither text, bytes nor resource contents')
  const copy = JSON.parse(serialise(value, 'contents', bounds)) as unknown[]
  for (const item of copy)
    if (
      !isObject(item) ||
      typeof item['uri'] !== 'string' ||
      (typeof item['text'] !== 'string' && typeof item['blob'] !== 'string')
    )
      throw new InvalidResult('returned contents without a uri, or with neither text nor blob')
    else if (typeof item['blob'] === 'string' && !isBase64(item['blob']))
      throw new InvalidResult('returned contents with a blob that is not base64')
  return copy as ResourceContents[]
}

/** What a prompt's `run` returned, as messages: a string is one of the user. Throws `InvalidResult`. */
export function promptMessages(value: unknown, bounds: Bounds): readonly PromptMessage[] {
  if (typeof value === 'string') return [{ role: 'user', content: { type: 'text', text: wellFormed(value, bounds) } }]
  if (!Array.isArray(value)) throw new InvalidResult('returned neither text nor messages')
  const contents = contentItems(
    value.map((message: unknown) => (isObject(message) ? message['content'] : undefined)),
    bounds,
  )
  return value.map((message: unknown, index) => {
    const role = isObject(message) ? message['role'] : undefined
    const content = contents[index]
    if ((role !== 'user' && role !== 'assistant') || !content)
      throw new InvalidResult(`returned message ${index} without the role user or assistant`)
    return { role, content }
  })
}
