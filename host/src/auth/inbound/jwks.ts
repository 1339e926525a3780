import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { inTime } from '../../data/async.ts'
import { describeError } from '../../errors.ts'
import { ISSUER_PATIENCE_MS, IssuerUnavailable } from './authentication-verdict.ts'

export interface KeySetOptions {
  readonly issuer: string
  /** Asks the issuer. */
  readonly load: () => Promise<JSONWebKeySet>
  readonly log: Logger
  /** Milliseconds from any point on. Default: a clock that nothing sets, since only the age of the keys is told by it. */
  readonly elapsed?: (() => number) | undefined
  /** For how long keys go on working when the issuer cannot be asked. Milliseconds. */
  readonly maxStaleMs: number
}

/** The public keys of one issuer. */
export interface KeySet {
  /** The key of a token. Rejects with jose's errors when there is none, and with `IssuerUnavailable` while it cannot be known. */
  readonly find: JWTVerifyGetKey
  /** Asks the issuer now, so that the first token need not wait. Rejects when it cannot be asked, or answers late. */
  readonly warm: () => Promise<void>
}

/**
 * Keys are asked for again after ten minutes, and when a token names one that is not there, but at most twice a minute: a flood of
 * made-up tokens is no flood of requests. While the issuer is away the keys that there are go on working for `maxStaleMs`.
 */
export function createKeySet({ issuer, load, log, maxStaleMs, elapsed: now = () => performance.now() }: KeySetOptions): KeySet {
  let held: Held | undefined
  let askedAt = -Infinity
  let asking: Promise<Held> | undefined

  const waitMs = () => askedAt + (held ? COOLDOWN_MS : COLD_COOLDOWN_MS) - now()
  const ask = (): Promise<Held> => {
    if (asking) return asking
    askedAt = now()
    const begun = loadKeys().finally(() => {
      if (asking === begun) asking = undefined
    })
    asking = begun
    return begun
  }

  async function loadKeys(): Promise<Held> {
    try {
      held = { find: createLocalJWKSet(await load()), at: now() }
      return held
    } catch (error) {
      log.warn('issuer_keys_unavailable', { issuer, kept: held !== undefined, reason: describeError(error) })
      throw error
    }
  }

  /** Asks, and goes on without an answer when it takes too long. A late answer still counts, but no request waits for it. */
  const askInTime = async (until: number): Promise<Held | undefined> => {
    const begun = ask()
    const answer = await inTime(Math.max(0, until - performance.now()), begun).catch(() => undefined)
    if (!answer && asking === begun) asking = undefined
    return answer
  }

  async function usable(until: number): Promise<Held> {
    if (held && now() - held.at < FRESH_MS) return held
    if (asking || waitMs() <= 0) {
      const asked = await askInTime(until)
      if (asked) return asked
    }
    if (held && now() - held.at < maxStaleMs) return held
    throw new IssuerUnavailable(issuer, Math.max(1, Math.ceil(waitMs() / 1000)))
  }

  return {
    async find(header, token) {
      const until = performance.now() + ISSUER_PATIENCE_MS
      const keys = await usable(until)
      try {
        return await keys.find(header, token)
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey) || (!asking && waitMs() > 0)) throw error
        const newer = await askInTime(until)
        if (!newer) throw error
        return newer.find(header, token)
      }
    },
    async warm() {
      await inTime(ISSUER_PATIENCE_MS, ask())
    },
  }
}

interface Held {
  readonly find: ReturnType<typeof createLocalJWKSet>
  readonly at: number
}

const FRESH_MS = 600_000
const COOLDOWN_MS = 30_000
/** Without any key no caller gets in: worth more requests. */
const COLD_COOLDOWN_MS = 5_000
