import type { Content, WholeResult } from '@mcp-patchbay/plugin-api'
import { isObject } from './json.ts'

/** What a finished tool call sends: MCP's `CallToolResult`. */
export interface ToolResult {
  readonly content: readonly Content[]
  readonly structuredContent?: unknown
  readonly isError?: true
  readonly _meta?: Readonly<Record<string, unknown>>
}

/** A plugin's answer that cannot be sent as it is; the message says what the plugin did wrong. */
export class InvalidResult extends Error {}

/**
 * Turns what `run` returned into a result. With `output` the value itself is the structured content, and its JSON the text; without,
 * a string is Markdown and an array is content items. Throws {@link InvalidResult} for anything else and for more than `maxBytes`.
 */
export function toolResult(value: unknown, { structured, ...bounds }: Bounds & { readonly structured: boolean }): ToolResult {
  if (structured) {
    const json = serialise(value, 'a value', bounds)
    return { content: [{ type: 'text', text: json }], structuredContent: JSON.parse(json) as unknown }
  }
  if (typeof value === 'string') return { content: [{ type: 'text', text: wellFormed(value, bounds) }] }
  if (Array.isArray(value)) return { content: contentItems(value, bounds) }
  throw new InvalidResult(`returned ${kindOf(value)}; without an output schema a tool returns Markdown text or content items`)
}

/**
 * What a plugin gave as a whole result, checked and copied: content of the five kinds, structured content that is an object unless a
 * schema says what it is, each part at most `maxBytes`. What the protocol and the host say in `_meta` stays theirs to say. Throws
 * {@link InvalidResult}.
 */
export function wholeResult(
  { content, structuredContent, isError, meta }: WholeResult,
  { structured, ...bounds }: Bounds & { readonly structured: boolean },
): ToolResult {
  if (!Array.isArray(content)) throw new InvalidResult(`returned a result whose content is ${kindOf(content)}`)
  const items = contentItems(content as readonly unknown[], bounds)
  const json = structuredContent === undefined ? '' : serialise(structuredContent, 'structured content', bounds)
  if (json !== '' && !structured && !isObject(structuredContent))
    throw new InvalidResult(
      `returned structured content that is ${kindOf(structuredContent)}; without an output schema it is an object`,
    )
  if (meta !== undefined && !isObject(meta)) throw new InvalidResult(`returned meta that is ${kindOf(meta)}`)
  const ownMeta = Object.entries(meta ?? {}).filter(([key]) => !/^(?:io\.modelcontextprotocol|mcp-patchbay)\//.test(key))
  const metaJson = ownMeta.length === 0 ? '' : serialise(Object.fromEntries(ownMeta), 'meta', bounds)
  return {
    content: items,
    ...(json !== '' && { structuredContent: JSON.parse(json) as unknown }),
    ...(isError === true && { isError }),
    ...(metaJson !== '' && { _meta: JSON.parse(metaJson) as Readonly<Record<string, unknown>> }),
  }
}

/** An error for the model to act on. */
export function errorResult(text: string): ToolResult {
  return { content: [{ type: 'text', text: text.toWellFormed() }], isError: true }
}

/** Checks and copies content items: what reaches the client is plain JSON of the five kinds MCP knows. */
export function contentItems(items: readonly unknown[], bounds: Bounds): readonly Content[] {
  limit(items.length, 1_000, 'items')
  const copy = JSON.parse(serialise(items, 'content items', bounds)) as unknown[]
  copy.forEach((item, index) => {
    const problem = contentProblem(item)
    if (problem) throw new InvalidResult(`returned content item ${index} that ${problem}`)
  })
  return copy as Content[]
}

const required: Readonly<Record<string, readonly string[]>> = {
  text: ['text'],
  image: ['data', 'mimeType'],
  audio: ['data', 'mimeType'],
  resource_link: ['uri', 'name'],
}

function contentProblem(item: unknown): string | undefined {
  if (!isObject(item)) return `is ${kindOf(item)}`
  const type = item['type']
  if (type === 'resource') {
    const resource = item['resource']
    if (!isObject(resource) || typeof resource['uri'] !== 'string') return 'has no resource.uri'
    if (typeof resource['blob'] === 'string' && !isBase64(resource['blob'])) return 'has a resource.blob that is not base64'
    return typeof resource['text'] === 'string' || typeof resource['blob'] === 'string'
      ? undefined
      : 'has neither resource.text nor resource.blob'
  }
  const keys = typeof type === 'string' && Object.hasOwn(required, type) ? required[type] : undefined
  if (!keys) return `has the type ${JSON.stringify(type) ?? 'undefined'}, not text, image, audio, resource or resource_link`
  const missing = keys.find((key) => typeof item[key] !== 'string')
  if (missing) return `has no ${missing}`
  return keys[0] === 'data' && !isBase64(String(item['data'])) ? 'has data that is not base64' : undefined
}

/** True for what a client can decode. One that checks answers throws away the whole answer for a single item that it cannot. */
export function isBase64(text: string): boolean {
  try {
    atob(text)
    return true
  } catch {
    return false
  }
}

/** What an answer may be. */
export interface Bounds {
  /** Of UTF-8. */
  readonly maxBytes: number
  /** Takes secrets out of a text. */
  readonly redact: (text: string) => string
}

/** The text as it can be sent: without secrets, half characters replaced. Throws {@link InvalidResult} for more than `maxBytes`. */
export function wellFormed(text: string, { maxBytes, redact }: Bounds): string {
  // A character has three bytes at most, so a short text needs no counting.
  if (text.length * 3 > maxBytes) limit(Buffer.byteLength(text), maxBytes)
  return redact(text).toWellFormed()
}

/** The value as JSON. Throws {@link InvalidResult} for what JSON cannot hold, with `what` to name it, and for more than `maxBytes`. */
export function serialise(value: unknown, what: string, bounds: Bounds): string {
  let json: string | undefined
  try {
    json = JSON.stringify(value)
  } catch (error) {
    throw new InvalidResult(
      `returned ${what} that JSON cannot hold: ${error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error)}`,
    )
  }
  if (json === undefined) throw new InvalidResult(`returned ${kindOf(value)}`)
  const redacted = wellFormed(json, bounds)
  // A secret that JSON's own punctuation is part of took some of it along: then each text is looked at by itself.
  const sendable = redacted === json || isJson(redacted) ? redacted : JSON.stringify(JSON.parse(json, textsBy(bounds.redact)))
  // A half character leaves JSON.stringify as an escape, which other languages cannot turn into text.
  if (!sendable.includes('\\ud')) return sendable
  return JSON.stringify(
    JSON.parse(
      sendable,
      textsBy((text) => text.toWellFormed()),
    ),
  )
}

function textsBy(change: (text: string) => string): (key: string, part: unknown) => unknown {
  return (_, part) => (typeof part === 'string' ? change(part) : part)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Throws {@link InvalidResult} when there is more than `max`. */
export function limit(size: number, max: number, unit = 'bytes'): void {
  if (size > max)
    throw new InvalidResult(`returned a result that is too large (${size} ${unit}, ${max} are allowed); ask for less or in pages`)
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
