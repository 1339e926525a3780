import type { PromptMessage, ResourceContents } from '@mcp-patchbay/plugin-api'
import { contentItems, InvalidResult } from '../data/content.ts'
import { isObject } from '../data/json.ts'

/** What `read` returned, as MCP contents: a string is text, bytes are base64. Throws `InvalidResult`. */
export function resourceContents(
  value: unknown,
  { uri, mimeType, maxBytes }: { uri: string; mimeType: unknown; maxBytes: number },
): readonly ResourceContents[] {
  const type = typeof mimeType === 'string' ? { mimeType } : {}
  if (typeof value === 'string') return limited([{ uri, ...type, text: value.toWellFormed() }], value.length, maxBytes)
  if (value instanceof Uint8Array)
    return limited([{ uri, ...type, blob: Buffer.from(value).toString('base64') }], value.length * 1.34, maxBytes)
  if (!Array.isArray(value)) throw new InvalidResult('returned neither text, bytes nor resource contents')
  const copy = JSON.parse(JSON.stringify(value)) as unknown[]
  for (const item of copy)
    if (
      !isObject(item) ||
      typeof item['uri'] !== 'string' ||
      (typeof item['text'] !== 'string' && typeof item['blob'] !== 'string')
    )
      throw new InvalidResult('returned contents without a uri, or with neither text nor blob')
  return limited(copy as ResourceContents[], JSON.stringify(copy).length, maxBytes)
}

/** What a prompt's `run` returned, as messages: a string is one of the user. Throws `InvalidResult`. */
export function promptMessages(value: unknown, maxBytes: number): readonly PromptMessage[] {
  if (typeof value === 'string')
    return limited([{ role: 'user', content: { type: 'text', text: value.toWellFormed() } }], value.length, maxBytes)
  if (!Array.isArray(value)) throw new InvalidResult('returned neither text nor messages')
  const contents = contentItems(
    value.map((message: unknown) => (isObject(message) ? message['content'] : undefined)),
    maxBytes,
  )
  return value.map((message: unknown, index) => {
    const role = isObject(message) ? message['role'] : undefined
    const content = contents[index]
    if ((role !== 'user' && role !== 'assistant') || !content)
      throw new InvalidResult(`returned message ${index} without the role user or assistant`)
    return { role, content }
  })
}

function limited<Value>(value: Value, size: number, max: number): Value {
  if (size > max) throw new InvalidResult(`returned more than ${max} bytes`)
  return value
}
