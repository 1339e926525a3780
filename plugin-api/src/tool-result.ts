import type { Content } from './content.ts'

/**
 * A tool's whole result, for a plugin that passes on what another server or program answered: text beside structured content, an error
 * of the service that is an answer and not a failure, metadata. It goes to the client as it is, within the host's limits. A tool with
 * `output` gives the value in `structuredContent`, which is checked unless it `isError`.
 */
export function toolResult({ content, structuredContent, isError, meta }: WholeResult): ToolResult {
  return {
    [mark]: true,
    content: typeof content === 'string' ? [{ type: 'text', text: content }] : content,
    ...(structuredContent === undefined ? {} : { structuredContent }),
    ...(isError === true && { isError }),
    ...(meta === undefined ? {} : { meta }),
  }
}

const mark: unique symbol = Symbol.for('@mcp-patchbay/plugin-api.toolResult')

/** What {@link toolResult} takes. A string is Markdown. */
export interface WholeResult {
  readonly content: string | readonly Content[]
  /** An object; of a tool with `output`, whatever that says. */
  readonly structuredContent?: unknown
  /** The model reads it as a failure of this call. */
  readonly isError?: boolean
  /** Goes out as `_meta`, unread. Keys of the protocol's and the host's own are left out. */
  readonly meta?: Readonly<Record<string, unknown>>
}

/** Made by {@link toolResult}. */
export interface ToolResult extends WholeResult {
  readonly [mark]: true
  readonly content: readonly Content[]
}

export function isToolResult(value: unknown): value is ToolResult {
  return typeof value === 'object' && value !== null && mark in value
}
