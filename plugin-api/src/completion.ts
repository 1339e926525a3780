import type { CallContext } from './context.ts'

/** What a client wants values for, while a person fills it in: an argument of a prompt, or a variable of a resource's template. */
export interface CompletionInput {
  readonly name: string
  /** As far as it is typed. */
  readonly value: string
  /** What the other arguments have by now, as far as the client says. */
  readonly others: Readonly<Record<string, string>>
}

/** Gives values that fit, the best first; clients get the first hundred. */
export type Complete<Client> = (
  input: CompletionInput,
  ctx: CallContext<Client>,
) => readonly string[] | Promise<readonly string[]>
