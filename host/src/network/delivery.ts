import type { Logger } from '@mcp-patchbay/plugin-api'
import { LRUCache } from 'lru-cache'
import { createBreaker, type Breaker } from './resilience/breaker.ts'
import { createBulkhead } from './resilience/bulkhead.ts'
import type { Clock } from './resilience/clock.ts'
import { exchange, type Exchange, type ExchangeDeps } from './request/upstream-exchange.ts'
import { circuitOpen, overloaded } from './failures.ts'
import type { NetworkLimits } from './resilience/limits.ts'
import type { Outcome } from './resilience/outcome.ts'
import { createRetryBudget, sendWithRetries } from './resilience/retry.ts'

export interface DeliveryOptions extends ExchangeDeps {
  readonly limits: NetworkLimits
  readonly random: () => number
  readonly log: Logger
  readonly onUpstream?: OnUpstream | undefined
}

/**
 * Told of each attempt once it is over: the status of the answer, the code of the error that there was instead, `CANCELLED` where its
 * call ended first, or `NOT_SENT` for one that the host kept back from a service in trouble.
 */
export type OnUpstream = (status: number | string, ms: number) => void

/**
 * Sends the requests of one plugin so that a service in trouble slows no other service: bounded in number, retried where that is safe, and
 * not at all while its breaker is open. Rejects only with the reason of the request's signal.
 */
export function createDelivery({
  limits,
  random,
  log,
  onUpstream = () => {},
  ...deps
}: DeliveryOptions): (request: Exchange) => Promise<Outcome> {
  const bulkhead = createBulkhead(limits)
  const policy = {
    clock: deps.clock,
    random,
    retries: limits.retries,
    retryAfterMs: limits.retryAfterMs,
    budget: createRetryBudget(),
  }
  const breakerOf = breakers(limits, deps.clock, log)

  return (request) => {
    const { method, signal, subject, target, timeLeftMs } = request
    return sendWithRetries(
      {
        method,
        signal,
        timeLeftMs,
        breaker: breakerOf(target.url.origin),
        // A place is held for one attempt only: a request that waits to be retried keeps none from the others.
        send: async () => {
          const entering = bulkhead.enter(signal)
          if (!entering) {
            onUpstream('NOT_SENT', 0)
            return overloaded(limits, subject)
          }
          const place = await entering
          const startedAt = performance.now()
          let status: number | string = 'CANCELLED'
          try {
            const outcome = await exchange(request, deps)
            status = outcome.kind === 'answered' ? outcome.answer.status : outcome.error.code
            return outcome
          } finally {
            onUpstream(status, performance.now() - startedAt)
            place[Symbol.dispose]()
          }
        },
        circuitOpen(closedForMs) {
          onUpstream('NOT_SENT', 0)
          return circuitOpen(closedForMs, subject)
        },
        onRetry: (outcome, waitMs) =>
          log.debug('upstream_retry', {
            method,
            waitMs: Math.round(waitMs),
            after: outcome.kind === 'failed' ? outcome.error.code : outcome.answer.status,
          }),
      },
      policy,
    )
  }
}

/** One breaker an origin: the service's own, and those of the hosts a plugin with `public` fetches from, as many as matter. */
function breakers(limits: NetworkLimits, clock: Clock, log: Logger): (origin: string) => Breaker {
  const known = new LRUCache<string, Breaker>({ max: 256 })
  return (origin) => {
    const found = known.get(origin)
    if (found) return found
    const breaker = createBreaker({
      clock,
      failures: limits.breakerFailures,
      openMs: limits.breakerMs,
      onChange: (state) =>
        state === 'open'
          ? log.warn('upstream_circuit_open', { origin, failures: limits.breakerFailures, ms: limits.breakerMs })
          : log.info('upstream_recovered', { origin }),
    })
    known.set(origin, breaker)
    return breaker
  }
}
