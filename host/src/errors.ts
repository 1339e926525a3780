/**
 * Every error the host throws: one class, many codes. Decide by `error.code`.
 * A code is the anchor of its section in docs/errors.md and is never reused.
 */
export type ErrorCode = keyof typeof catalogue

/** What `code` needs to say its message: the argument of {@link hostError}. */
export type ErrorData<Code extends ErrorCode> = Parameters<(typeof catalogue)[Code]['message']>[0]

const brand: unique symbol = Symbol.for('mcp-patchbay.HostError') as never

/** An error of the host with what happened, why, and what to do next. Recognised across copies of this module; never subclass it. */
export class HostError extends Error {
  readonly code: ErrorCode
  /** What to do next, one step an element, most likely first. */
  readonly fix: readonly string[]

  constructor(code: ErrorCode, message: string, fix: readonly string[], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'HostError'
    this.code = code
    this.fix = fix
    Object.defineProperty(this, brand, { value: true })
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value
  }
}

/** Makes the error `code` from the facts its message needs. `cause` keeps the original and never reaches a client. */
export function hostError<Code extends ErrorCode>(code: Code, data: ErrorData<Code>, cause?: unknown): HostError {
  const { message, fix } = catalogue[code] as Entry<ErrorData<Code>>
  return new HostError(code, message(data), fix(data), cause)
}

/** The whole text for a person: what failed, the cause, the steps. */
export function describeError(error: unknown): string {
  if (!(error instanceof HostError)) return error instanceof Error ? error.message : String(error)
  const steps = error.fix.map((step, index) => `  ${index + 1}. ${step}`)
  return [error.message, ...(steps.length ? ['To fix:', ...steps] : []), `See docs/errors.md#${error.code.toLowerCase()}`].join('\n')
}

interface Entry<Data> {
  readonly message: (data: Data) => string
  readonly fix: (data: Data) => readonly string[]
}

function entry<Data>(message: (data: Data) => string, fix: (data: Data) => readonly string[] = () => []): Entry<Data> {
  return { message, fix }
}

const catalogue = {
  // --- configuration (exit code 78) ---
  CONFIG_MISSING: entry<{ plugin: string; variable: string }>(
    ({ plugin, variable }) => `Plugin "${plugin}" needs ${variable}, which is not set`,
    ({ variable }) => [`Set ${variable} in the environment or in .env`, `Or point ${variable}_FILE at a file that holds it`],
  ),
  // --- the host itself ---
  INTERNAL: entry<{ requestId: string }>(
    ({ requestId }) => `Something failed inside the host (request ${requestId})`,
    ({ requestId }) => [`Look for "${requestId}" in the host's log; the whole error is there`],
  ),
} satisfies Record<string, Entry<never>>
