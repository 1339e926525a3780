import type { Static, TSchema } from 'typebox'
import type { CallContext } from './context.ts'
import type { Content } from './content.ts'
import type { InputRequired } from './interactive.ts'
import type { ToolResult } from './tool-result.ts'

/**
 * One thing a model can do. Clients see it as `<instance>_<name>`, at most 64 characters of `[a-z0-9_]`.
 * Returns its argument: it exists so that the compiler infers everything from one object.
 */
export function defineTool<const Input extends TSchema, Client = unknown, const Output extends TSchema | undefined = undefined>(
  tool: Tool<Input, Output, Client>,
): Tool<Input, Output, Client> {
  return tool
}

export interface Tool<Input extends TSchema, Output extends TSchema | undefined, Client> {
  /** `feature_action` in `snake_case`; clients see `<instance>_<feature>_<action>`. */
  readonly name: string
  /** For people; clients show it instead of the name. */
  readonly title?: string
  /** For the model: what it does, when to use it, what it returns. */
  readonly description: string
  /** Required: a tool that forgets it does not compile. The host holds a read tool to it: its `http` sends nothing that writes. */
  readonly access: 'read' | 'write'
  /** Words that toolsets and filters can select by, besides the service and the access, which every tool has by itself: its category. */
  readonly tags?: readonly string[]
  /** Every one of these must be granted to the caller. */
  readonly permissions?: readonly string[]
  /** A TypeBox object. */
  readonly input: Input
  /** With it `run` returns that value, which is checked and sent as structured content; without it Markdown or content items. */
  readonly output?: Output
  /**
   * Opt in to the host's result cache, for a tool that reads. `shared`: callers of one tenant get each other's answers, honoured only
   * when the server's own credential was used. A tool that writes drops what its plugin's tools answered in its tenant, and whatever
   * has a tag that one of them names, in other plugins as well.
   */
  readonly cache?: { readonly ttlMs: number; readonly scope: 'caller' | 'shared'; readonly tags?: readonly string[] }
  /** Overrides the host's `limits.callTimeoutMs`. */
  readonly timeoutMs?: number
  /** MCP hints; `readOnlyHint` follows from `access`. */
  readonly annotations?: ToolAnnotations
  /** True for a tool that may return `inputRequired`. */
  readonly interactive?: boolean
  /** `required`: a person confirms every call through the client before it runs; refused where the client cannot ask. */
  readonly approval?: 'required'
  /** For a read tool whose service reads by POST (search endpoints): the paths that are safe, with `*` for one segment. */
  readonly safePaths?: readonly string[]
  /** For people; clients may show one beside the title. */
  readonly icons?: readonly ToolIcon[]
  /** Goes out as `_meta`, unread. */
  readonly meta?: Readonly<Record<string, unknown>>
  readonly run: (input: Static<Input>, ctx: CallContext<Client>) => ToolReturn<Output> | Promise<ToolReturn<Output>>
}

/** What `run` may give back. A string is Markdown; `toolResult` a whole result. */
export type ToolReturn<Output extends TSchema | undefined> =
  | (Output extends TSchema ? Static<Output> : string | readonly Content[])
  | InputRequired
  | ToolResult

/** A tool of which only its client is known: the element type of a plugin's `tools`. */
export type AnyTool<Client> = Omit<Tool<TSchema, TSchema | undefined, Client>, 'run'> & {
  readonly run: (input: never, ctx: CallContext<Client>) => unknown
}

export interface ToolIcon {
  /** `https:` or `data:`. */
  readonly src: string
  readonly mimeType?: string
  /** Such as `48x48`, or `any` for one that scales. */
  readonly sizes?: readonly string[]
  readonly theme?: 'light' | 'dark'
}

export interface ToolAnnotations {
  readonly destructiveHint?: boolean
  readonly idempotentHint?: boolean
  readonly openWorldHint?: boolean
}
