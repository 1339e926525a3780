import type { Method } from '../request/access.ts'
import type { Breaker } from './breaker.ts'
import { sleep, type Clock } from './clock.ts'
import { isUnhealthy, type Answer, type Outcome } from './outcome.ts'

/** What bounds the retries of one service, whatever one request would like. */
export interface RetryPolicy {
  readonly clock: Clock
  /** From 0 to 1, as `Math.random`. */
  readonly random: () => number
  readonly retries: number
  /** A longer `Retry-After` ends the retries. */
  readonly retryAfterMs: number
  readonly budget: RetryBudget
}

export interface Attempts {
  readonly method: Method
  readonly signal: AbortSignal
  /** Of the call that waits for the answer. */
  readonly timeLeftMs: () => number
  readonly breaker: Breaker
  readonly send: () => Promise<Outcome>
  /** The outcome when the breaker lets nothing through. */
  readonly circuitOpen: (closedForMs: number) => Outcome
  /** Called before the wait for a retry. */
  readonly onRetry: (outcome: Outcome, waitMs: number) => void
}

/** Sends, and again where that is safe and may help. Rejects with the signal's reason, also while it waits. */
export async function sendWithRetries(attempts: Attempts, policy: RetryPolicy): Promise<Outcome> {
  const { breaker, circuitOpen, onRetry, signal } = attempts
  policy.budget.earn()
  let last: Outcome | undefined
  for (let attempt = 0; ; attempt++) {
    const permit = breaker.admit()
    if ('closedForMs' in permit) return last ?? circuitOpen(permit.closedForMs)
    const outcome = await sendOnce(attempts.send, permit.settle)
    const waitMs = attempt < policy.retries ? retryWait(outcome, attempt, attempts.method, policy) : undefined
    // A wait that is longer than the call is useless: the caller is told how long it would be.
    if (waitMs === undefined || waitMs + ANSWER_MS > attempts.timeLeftMs() || !policy.budget.spend()) return outcome
    last = outcome
    onRetry(outcome, waitMs)
    await sleep(policy.clock, waitMs, signal)
  }
}

async function sendOnce(
  send: () => Promise<Outcome>,
  settle: (result: 'success' | 'failure' | 'neither') => void,
): Promise<Outcome> {
  let result: 'success' | 'failure' | 'neither' = 'neither' // unless send tells: it rejects when the caller gives up
  try {
    const outcome = await send()
    const silent = outcome.kind === 'failed' && !outcome.unhealthy
    if (!silent) result = isUnhealthy(outcome) ? 'failure' : 'success'
    return outcome
  } finally {
    settle(result)
  }
}

/** RFC 9110 §9.2.2: to send one of these twice is to send it once. */
const IDEMPOTENT: ReadonlySet<Method> = new Set<Method>(['GET', 'HEAD', 'PUT', 'DELETE'])
const RETRYABLE: ReadonlySet<number> = new Set([429, 500, 502, 503, 504])
const BACKOFF_MS = 200
/** What the next attempt itself takes, at the least. */
const ANSWER_MS = 250

/** How long to wait before the next attempt; undefined when there should be none. The service's own wish comes first, and jitter on top. */
function retryWait(outcome: Outcome, attempt: number, method: Method, policy: RetryPolicy): number | undefined {
  if (!IDEMPOTENT.has(method)) return undefined
  const backoff = policy.random() * BACKOFF_MS * 2 ** attempt
  if (outcome.kind === 'failed') return outcome.retryable ? backoff : undefined
  if (!RETRYABLE.has(outcome.answer.status)) return undefined
  const asked = retryAfter(outcome.answer, policy.clock.now()) ?? 0
  return asked > policy.retryAfterMs ? undefined : asked + backoff
}

/** What `Retry-After` asks for, in milliseconds, as seconds or as an HTTP date; undefined when it is absent, nonsense or in the past. */
export function retryAfter({ headers }: Pick<Answer, 'headers'>, now: number): number | undefined {
  const value = headers['retry-after']?.trim() ?? ''
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000
  // Date.parse takes much that is no HTTP date, such as "-5"
  if (!/^[A-Z][a-z]{2,8},? .*GMT$/.test(value)) return undefined
  const wait = Date.parse(value) - now
  return wait > 0 ? wait : undefined
}

/** Retries are a tenth of all requests at most, after the first few: when everything fails, they must not multiply the load. */
export interface RetryBudget {
  earn(): void
  /** False when none is left. */
  spend(): boolean
}

export function createRetryBudget(share = 0.1, most = 10): RetryBudget {
  let left = most
  return {
    earn: () => {
      left = Math.min(most, left + share)
    },
    spend: () => {
      if (left < 1) return false
      left -= 1
      return true
    },
  }
}
