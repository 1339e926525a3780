import { LRUCache } from 'lru-cache'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import type { Clock } from '../../network/resilience/clock.ts'
import type { AccountEvent } from '../../observability/audit.ts'
import { keyOf, type Account, type AccountRecord } from './account.ts'
import { TURN_MS, type AccountStore } from './store/account-store.ts'
import { fromStore, type ReadAccount } from './store/stored-accounts.ts'
import type { ServiceClient } from './types.ts'

export interface RefreshOptions {
  readonly store: AccountStore
  readonly clock: Clock
  readonly clientOf: (instance: string) => Promise<ServiceClient | undefined>
  readonly read: (account: Account) => Promise<ReadAccount | undefined>
  /** Only where it is still what was read; whether it is. */
  readonly replace: (account: Account, found: ReadAccount, next: AccountRecord) => Promise<boolean>
  /** Takes tokens back that can be kept for no account. Never rejects. */
  readonly revoke: (account: Account, record: AccountRecord) => Promise<void>
  readonly record: (account: Account, event: AccountEvent, reason?: string) => void
}

export interface Refresh {
  /**
   * New tokens, fetched by one host at a time: a service that rotates refresh tokens treats a second use of one as theft. Gives what
   * another host fetched meanwhile. For a record that is broken the account has to be linked again. Rejects with a `ServiceError`.
   */
  inTurn(account: Account): Promise<AccountRecord | undefined>
  /** Runs `work` while no refresh of this account is under way on any host: what one writes must not undo the other. */
  whileNone<Result>(account: Account, work: () => Promise<Result>): Promise<Result>
  /** The service answered 401 to a token: it is fetched again with the next call, where it can be. Never rejects. */
  distrust(account: Account, token: string): Promise<void>
}

/** A token must outlive the request it is put on. */
const MARGIN_MS = 30_000
/** How long another host's turn is waited for, and how often it is looked for. */
const PATIENCE_MS = 15_000
const LOOK_EVERY_MS = 100
/** Of a token that is refused sooner after it was fetched, the next one will be refused as well. */
const TRUSTED_MS = 60_000

const WRITE_ATTEMPTS = 3
const MOST_KNOWN = 10_000

/** Whether a token can be put on a request now. */
export function isUsable({ expiresAt }: AccountRecord, now: number): boolean {
  return expiresAt === undefined || now < expiresAt - MARGIN_MS
}

export function createRefresh({ store, clock, clientOf, read, replace, revoke, record }: RefreshOptions): Refresh {
  const fetchedAt = new LRUCache<string, number>({ max: MOST_KNOWN })
  const pause = (ms: number) => new Promise<void>((resolve) => clock.schedule(ms, resolve))

  async function fetchTokens(account: Account): Promise<AccountRecord | undefined> {
    const before = await read(account)
    const found = before?.record
    if (!found || found.isBroken || isUsable(found, clock.now())) return found
    const client = await clientOf(account.instance)
    if (found.refreshToken === undefined || !client) return breakIt(account, before, 'expired')
    let tokens
    try {
      tokens = await client.refresh(found.refreshToken, found.registered)
    } catch (error) {
      // It is good for a few seconds yet.
      if (found.expiresAt !== undefined && clock.now() < found.expiresAt) return found
      throw error
    }
    if (!tokens) return breakIt(account, before, 'invalid_grant')
    const next: AccountRecord = {
      ...found,
      ...tokens,
      // Also where the service did not say it this time.
      expiresAt: tokens.expiresAt,
      refreshToken: tokens.refreshToken ?? found.refreshToken,
      scopes: tokens.scopes.length > 0 ? tokens.scopes : found.scopes,
    }
    if (!(await keep(account, before, next))) {
      const now = (await read(account))?.record
      // Some services take every token of a person back with one: never those of a newer link.
      if (!now) await revoke(account, next)
      return now
    }
    fetchedAt.set(keyOf(account).account, clock.now())
    record(account, 'refresh')
    return next
  }

  /**
   * The refresh token that was used is worth nothing any more: what is not kept now is lost. False where the account was unlinked, or linked
   * again, by a host that did not wait for the end of this turn.
   */
  async function keep(account: Account, before: ReadAccount, next: AccountRecord): Promise<boolean> {
    let found = before
    for (let attempt = 1; ; attempt++)
      try {
        if (await replace(account, found, next)) return true
        const now = await read(account)
        // An attempt that seemed to fail may have written.
        if (now?.record.accessToken === next.accessToken) return true
        if (now?.record.link !== before.record.link || attempt === WRITE_ATTEMPTS) return false
        // The same account, sealed with another key.
        found = now
      } catch (error) {
        if (attempt === WRITE_ATTEMPTS) throw error
        await pause(LOOK_EVERY_MS * attempt)
      }
  }

  async function breakIt(account: Account, found: ReadAccount, reason: string): Promise<AccountRecord | undefined> {
    const next = { ...found.record, isBroken: true }
    if (!(await replace(account, found, next))) return (await read(account))?.record
    record(account, 'refresh', reason)
    return next
  }

  async function whileNone<Result>(account: Account, work: () => Promise<Result>): Promise<Result> {
    const until = clock.now() + TURN_MS
    for (;;) {
      const turn = await fromStore(store.inTurn(keyOf(account), work))
      if (turn) return turn.result
      // By then every turn has ended, unless others get it each time.
      if (clock.now() > until) return fromStore(work())
      await pause(LOOK_EVERY_MS)
    }
  }

  return {
    whileNone,
    async inTurn(account) {
      const until = clock.now() + PATIENCE_MS
      for (;;) {
        const turn = await fromStore(store.inTurn(keyOf(account), () => fetchTokens(account)))
        if (turn) return turn.result
        const found = (await read(account))?.record
        if (!found || found.isBroken || isUsable(found, clock.now())) return found
        if (clock.now() > until)
          throw new ServiceError(
            'UPSTREAM_FAILED',
            `${account.instance}: the token of your account has expired, and another host has not fetched a new one`,
            { fix: 'Call again in a few seconds' },
          )
        await pause(LOOK_EVERY_MS)
      }
    },
    async distrust(account, token) {
      const key = keyOf(account)
      if (clock.now() - (fetchedAt.get(key.account) ?? -Infinity) < TRUSTED_MS) return
      try {
        await whileNone(account, async () => {
          const found = await read(account)
          if (found?.record.accessToken !== token || found.record.refreshToken === undefined) return
          await replace(account, found, { ...found.record, expiresAt: 0 })
        })
      } catch {
        // The next call that is answered 401 tries again.
      }
    },
  }
}
