import type { Content } from '@mcp-patchbay/plugin-api'
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
export function toolResult(value: unknown, { structured, maxBytes }: { structured: boolean; maxBytes: number }): ToolResult {
  if (structured) {
    const json = serialise(value, 'a value')
    limit(json.length, maxBytes)
    return { content: [{ type: 'text', text: json.toWellFormed() }], structuredContent: JSON.parse(json) as unknown }
  }
  if (typeof value === 'string') {
    limit(value.length, maxBytes)
    return { content: [{ type: 'text', text: value.toWellFormed() }] }
  }
  if (Array.isArray(value)) return { content: contentItems(value, maxBytes) }
  throw new InvalidResult(`returned ${kindOf(value)}; without an output schema a tool returns Markdown text or content items`)
}

/** An error for the model to act on. */
export function errorResult(text: string): ToolResult {
  return { content: [{ type: 'text', text: text.toWellFormed() }], isError: true }
}

/** Checks and copies content items: what reaches the client is plain JSON of the five kinds MCP knows. */
export function contentItems(items: readonly unknown[], maxBytes: number): readonly Content[] {
  limit(items.length, 1_000, 'items')
  const json = serialise(items, 'content items')
  limit(json.length, maxBytes)
  const copy = JSON.parse(json) as unknown[]
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
    return typeof resource['text'] === 'string' || typeof resource['blob'] === 'string'
      ? undefined
      : 'has neither resource.text nor resource.blob'
  }
  const keys = typeof type === 'string' && Object.hasOwn(required, type) ? required[type] : undefined
  if (!keys) return `has the type ${JSON.stringify(type) ?? 'undefined'}, not text, image, audio, resource or resource_link`
  const missing = keys.find((key) => typeof item[key] !== 'string')
  return missing ? `has no ${missing}` : undefined
}

function serialise(value: unknown, what: string): string {
  let json: string | undefined
  try {
    // Lone surrogates come out of JSON.stringify escaped, so the result is always valid UTF-8.
    json = JSON.stringify(value)
  } catch (error) {
    throw new InvalidResult(
      `returned ${what} that JSON cannot hold: ${error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error)}`,
    )
  }
  if (json === undefined) throw new InvalidResult(`returned ${kindOf(value)}`)
  return json
}

function limit(size: number, max: number, unit = 'bytes'): void {
  if (size > max)
    throw new InvalidResult(`returned a result that is too large (${size} ${unit}, ${max} are allowed); ask for less or in pages`)
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
