import type { Static, TObject } from 'typebox'
import type { Complete } from './completion.ts'
import type { CallContext } from './context.ts'
import type { PromptMessage } from './content.ts'
import type { InputRequired } from './interactive.ts'

/** A text the user picks by name and fills in. Clients see `<instance>_<name>`. Returns its argument, for inference. */
export function definePrompt<const Arguments extends TObject, Client = unknown>(
  prompt: Prompt<Arguments, Client>,
): Prompt<Arguments, Client> {
  return prompt
}

export interface Prompt<Arguments extends TObject, Client> {
  readonly name: string
  readonly title?: string
  readonly description?: string
  /** A TypeBox object of strings: MCP sends prompt arguments as text. */
  readonly arguments?: Arguments
  readonly permissions?: readonly string[]
  /** True for a prompt that may return `inputRequired`. */
  readonly interactive?: boolean
  /** Values for an argument while it is typed. */
  readonly complete?: Complete<Client>
  /** A string is one message of the user. */
  readonly run: (
    args: Static<Arguments>,
    ctx: CallContext<Client>,
  ) => Awaitable<string | readonly PromptMessage[] | InputRequired>
}

/** A prompt of which only its client is known. */
export type AnyPrompt<Client> = Omit<Prompt<TObject, Client>, 'run'> & {
  readonly run: (args: never, ctx: CallContext<Client>) => unknown
}

type Awaitable<Value> = Value | Promise<Value>
