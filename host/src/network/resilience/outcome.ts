import type { ServiceError } from '@mcp-patchbay/plugin-api'

/** What came of one attempt: an answer of whatever status, or none. */
export type Outcome = Answered | Failed

export interface Answered {
  readonly kind: 'answered'
  readonly answer: Answer
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** After redirects. */
  readonly url: string
  /** Unpacked. */
  readonly body: Buffer
}

export interface Failed {
  readonly kind: 'failed'
  readonly error: ServiceError
  /** Another attempt may do better, if the method allows one. */
  readonly retryable: boolean
  /** Counts against the service. False where the host refused, so that nothing is known about the service. */
  readonly unhealthy: boolean
  /** Nothing was sent. */
  readonly unsent?: boolean
}

/** True for an answer or a failure that is the service's own trouble: the breaker counts these. */
export function isUnhealthy(outcome: Outcome): boolean {
  return outcome.kind === 'failed' ? outcome.unhealthy : outcome.answer.status >= 500
}
