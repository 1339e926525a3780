/**
 * Asking the client for something in the middle of a call: a form, a model's answer, its roots.
 *
 * A tool that declares `interactive: true` returns {@link inputRequired}. The host sends it as `input_required` on revision
 * 2026-07-28 and as a real server-to-client request on 2025 sessions, stdio and HTTP+SSE; the answers come back in
 * `ctx.inputResponses` of a second run, together with the state.
 */
export function inputRequired({
  requests,
  state,
}: {
  requests: Readonly<Record<string, InputRequest>>
  state?: unknown
}): InputRequired {
  return { [mark]: true, requests, ...(state === undefined ? {} : { state }) }
}

const mark: unique symbol = Symbol.for('@mcp-patchbay/plugin-api.inputRequired')

export interface InputRequired {
  readonly [mark]: true
  /** One question a key; the same keys hold the answers in `ctx.inputResponses`. */
  readonly requests: Readonly<Record<string, InputRequest>>
  /** Small JSON that comes back through `ctx.requestState()`: signed by the host, readable by the client, so no secrets. */
  readonly state?: unknown
}

export type InputRequest =
  | { readonly method: 'elicitation/create'; readonly params: Readonly<Record<string, unknown>> }
  | { readonly method: 'sampling/createMessage'; readonly params: Readonly<Record<string, unknown>> }
  | { readonly method: 'roots/list'; readonly params: Readonly<Record<string, unknown>> }

export function isInputRequired(value: unknown): value is InputRequired {
  return typeof value === 'object' && value !== null && mark in value
}

/** Asks the person a form. `schema` is a flat JSON Schema object (MCP elicitation, form mode). */
export function elicit(message: string, schema: object): InputRequest {
  return { method: 'elicitation/create', params: { mode: 'form', message, requestedSchema: schema } }
}

/** Asks the client's model to answer `prompt` in at most `maxTokens`. */
export function sample(prompt: string, { maxTokens }: { maxTokens: number }): InputRequest {
  return {
    method: 'sampling/createMessage',
    params: { messages: [{ role: 'user', content: { type: 'text', text: prompt } }], maxTokens },
  }
}

/** Asks which folders the client has open. */
export function listRoots(): InputRequest {
  return { method: 'roots/list', params: {} }
}

/** A client's answers, by the keys of the questions. */
export type InputResponses = Readonly<Record<string, InputResponse>>

/** One answer as MCP defines it: an `ElicitResult`, a `CreateMessageResult` or a `ListRootsResult`. */
export interface InputResponse {
  readonly action?: 'accept' | 'decline' | 'cancel'
  /** The filled form of an elicitation, or the content of a sampled message. */
  readonly content?: Readonly<Record<string, unknown>>
  readonly roots?: readonly { readonly uri: string; readonly name?: string }[]
  readonly [key: string]: unknown
}
