import { cacheErrors } from './errors/cache-errors.ts'
import { callerErrors } from './errors/caller-errors.ts'
import { callErrors } from './errors/call-errors.ts'
import { configErrors } from './errors/config-errors.ts'
import { docsPage } from './errors/docs-page.ts'
import type { Entry } from './errors/error-definition.ts'
import { hostErrors } from './errors/host-errors.ts'
import { moduleErrors } from './errors/module-errors.ts'
import { pinErrors } from './errors/pin-errors.ts'
import { pluginErrors } from './errors/plugin-errors.ts'
import { projectErrors } from './errors/project-errors.ts'
import { serverErrors } from './errors/server-errors.ts'
import { serviceErrors } from './errors/service-errors.ts'

/**
 * Every error the host throws: one class, many codes. Decide by `error.code`.
 * A code is the anchor of its section in docs/errors.md and is never reused; the catalogue is in errors/, a file a topic.
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
  const page = docsPage(`errors.md#${error.code.toLowerCase()}`)
  return [error.message, ...(steps.length ? ['To fix:', ...steps] : []), `See ${page}`].join('\n')
}

const catalogue = {
  ...configErrors,
  ...pluginErrors,
  ...moduleErrors,
  ...serverErrors,
  ...serviceErrors,
  ...pinErrors,
  ...projectErrors,
  ...callErrors,
  ...callerErrors,
  ...cacheErrors,
  ...hostErrors,
} satisfies Record<string, Entry<never>>

/** Every code there is, for the check of docs/errors.md. */
export const ERROR_CODES = Object.keys(catalogue) as readonly ErrorCode[]
