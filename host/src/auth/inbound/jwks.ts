import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { describeError } from '../../errors.ts'
import { IssuerUnavailable } from './authentication-verdict.ts'

export interface KeySetOptions {
  readonly issuer: string
  /** Asks the issuer. */
  readonly load: () => Promise<JSONWebKeySet>
  readonly log: Logger
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** For how long keys go on working when the issuer cannot be asked. Milliseconds. */
  readonly maxStaleMs: number
}

/** The public keys of one issuer. */
export interface KeySet {
  /** The key of a token. Rejects with jose's errors when there is none, and with `IssuerUnavailable` while it cannot be known. */
  readonly find: JWTVerifyGetKey
  /** Asks the issuer now, so that the first token need not wait. Rejects when it cannot be asked. */
  readonly warm: () => Promise<void>
}

/**
 * Keys are asked for again after ten minutes, and when a token names one that is not there, but at most twice a minute: a flood of
 * made-up tokens is no flood of requests. While the issuer is away the keys that there are go on working for `maxStaleMs`.
 */
export function createKeySet({ issuer, load, log, now, maxStaleMs }: KeySetOptions): KeySet {
  let held: Held | undefined
  let askedAt = -Infinity
  let asking: Promise<Held> | undefined

  const waitMs = () => askedAt + (held ? COOLDOWN_MS : COLD_COOLDOWN_MS) - now()
  const ask = (): Promise<Held> =>
    (asking ??= (async () => {
      askedAt = now()
      try {
        held = { find: createLocalJWKSet(await load()), at: now() }
        return held
      } catch (error) {
        log.warn('issuer_keys_unavailable', { issuer, kept: held !== undefined, reason: describeError(error) })
        throw error
      } finally {
        asking = undefined
      }
    })())

  async function usable(): Promise<Held> {
    if (held && now() - held.at < FRESH_MS) return held
    if (asking || waitMs() <= 0) {
      const asked = await ask().catch(() => undefined)
      if (asked) return asked
    }
    if (held && now() - held.at < maxStaleMs) return held
    throw new IssuerUnavailable(issuer, Math.max(1, Math.ceil(waitMs() / 1000)))
  }

  return {
    async find(header, token) {
      const keys = await usable()
      try {
        return await keys.find(header, token)
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey) || (!asking && waitMs() > 0)) throw error
        const newer = await ask().catch(() => undefined)
        if (!newer) throw error
        return newer.find(header, token)
      }
    },
    async warm() {
      await ask()
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
