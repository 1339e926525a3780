import { isDeepStrictEqual } from 'node:util'
import type { RateLimiterAbstract } from 'rate-limiter-flexible'
import type { Principal } from '@mcp-patchbay/plugin-api'
import { hashParts } from '../../cache/stored-value.ts'
import type { SharedScripts } from '../../cache/shared-scripts.ts'
import { hostError } from '../../errors.ts'

/** `limits.rate` of the config. */
export interface RateSettings extends Rate {
  /** Whose calls are counted. */
  readonly per?: 'principal' | 'tenant' | undefined
  /** The calls of all principals of one tenant together. */
  readonly tenant?: Rate | undefined
}

interface Rate {
  readonly callsPerMinute: number
  readonly burst?: number | undefined
}

/** Counts a call. Rejects with `RATE_LIMITED` when it is one too many; undefined where nothing is limited. */
export type RateLimit = (principal: Principal) => Promise<void> | undefined

export interface RateLimitOptions {
  /** As they are now. */
  readonly settings: () => RateSettings | undefined
  /** Where the hosts that share a store count together. Default: each counts for itself. */
  readonly scripts?: SharedScripts | undefined
}

/** The calls of each principal, of each tenant, or both. While a shared store is down, each host counts for itself. */
export function createRateLimit({ settings, scripts }: RateLimitOptions): RateLimit {
  let open: { readonly rate: RateSettings; readonly counters: Promise<readonly Counter[]> } | undefined
  return (principal) => {
    const rate = settings()
    if (!rate) return undefined
    // A config that is read again is another object; what was counted stays as long as it says the same.
    if (!open || (open.rate !== rate && !isDeepStrictEqual(open.rate, rate)))
      open = { rate, counters: openCounters(rate, scripts) }
    return count(open.counters, principal)
  }
}

interface Counter {
  readonly of: 'principal' | 'tenant'
  readonly rate: Rate
  readonly limiter: RateLimiterAbstract
}

async function openCounters(rate: RateSettings, scripts: SharedScripts | undefined): Promise<readonly Counter[]> {
  // Read when a config has a limit: few do.
  const { RateLimiterMemory, RateLimiterRedis } = await import('rate-limiter-flexible')
  const open = (of: Counter['of'], { callsPerMinute, burst }: Rate): Counter => {
    const window = windowOf({ callsPerMinute, burst })
    const common = { keyPrefix: `patchbay-rate:${of}`, ...window }
    const own = new RateLimiterMemory(common)
    const limiter = scripts
      ? new RateLimiterRedis({
          ...common,
          storeClient: scripts,
          useRedisPackage: true,
          insuranceLimiter: own,
          // Who floods is not worth asking the store about each time.
          inMemoryBlockOnConsumed: window.points,
        })
      : own
    return { of, rate: { callsPerMinute, burst }, limiter }
  }
  return [open(rate.per ?? 'principal', rate), ...(rate.tenant ? [open('tenant', rate.tenant)] : [])]
}

/**
 * Calls are counted in windows of whole seconds, as long as a burst takes on average: so many at once, and no more over a minute. The
 * burst is a tenth of a minute's calls where nothing else is said.
 */
export function windowOf({ callsPerMinute, burst = Math.ceil(callsPerMinute / 10) }: Rate): { points: number; duration: number } {
  const duration = Math.max(1, Math.round((60 * burst) / callsPerMinute))
  return { duration, points: Math.max(1, Math.round((callsPerMinute * duration) / 60)) }
}

async function count(counters: Promise<readonly Counter[]>, { id, kind, tenant }: Principal): Promise<void> {
  for (const { of, rate, limiter } of await counters) {
    const key = hashParts(of === 'tenant' ? [tenant ?? ''] : [tenant ?? '', kind, id])
    try {
      await limiter.consume(key)
    } catch (refused) {
      throw hostError('RATE_LIMITED', {
        perMinute: rate.callsPerMinute,
        of,
        seconds: Math.max(1, Math.ceil(waitOf(refused) / 1000)),
      })
    }
  }
}

/** A limiter rejects with its count, and an error is none: memory does not fail. */
function waitOf(refused: unknown): number {
  if (typeof refused === 'object' && refused !== null && 'msBeforeNext' in refused) return Number(refused.msBeforeNext)
  throw refused
}
