import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { HostError, hostError } from '../../errors.ts'
import type { Clock } from '../../network/resilience/clock.ts'
import type { AccountEvent } from '../../observability/audit.ts'
import { keyOf, type Account, type AccountRecord } from './account.ts'
import { TURN_MS, type AccountStore } from './account-store.ts'
import type { ServiceClient } from './types.ts'

export interface RefreshOptions {
  readonly store: AccountStore
  readonly clock: Clock
  readonly clientOf: (instance: string) => Promise<ServiceClient | undefined>
  readonly read: (account: Account) => Promise<AccountRecord | undefined>
  readonly write: (account: Account, record: AccountRecord) => Promise<void>
  readonly record: (account: Account, event: AccountEvent, reason?: string) => void
}

export interface Refresh {
  /**
   * New tokens, fetched by one host at a time: a service that rotates refresh tokens takes a second use of one for a theft. Gives what
   * another host fetched meanwhile. A record that is broken says that the account has to be linked again. Rejects with a `ServiceError`.
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

/** A store that does not answer is an error, and never an account that is not there. */
export async function asked<Result>(answer: Promise<Result>): Promise<Result> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof ServiceError || error instanceof HostError) throw error
    throw hostError('ACCOUNT_STORE', {}, error)
  }
}

/** Whether a token can be put on a request now. */
export function isUsable({ expiresAt }: AccountRecord, now: number): boolean {
  return expiresAt === undefined || now < expiresAt - MARGIN_MS
}

export function createRefresh({ store, clock, clientOf, read, write, record }: RefreshOptions): Refresh {
  const fetchedAt = new Map<string, number>()
  const pause = (ms: number) => new Promise<void>((resolve) => clock.schedule(ms, resolve))

  async function fetchTokens(account: Account): Promise<AccountRecord | undefined> {
    const found = await read(account)
    if (!found || found.isBroken || isUsable(found, clock.now())) return found
    const client = await clientOf(account.instance)
    if (found.refreshToken === undefined || !client) return breakIt(account, found, 'expired')
    let tokens
    try {
      tokens = await client.refresh(found.refreshToken, found.registered)
    } catch (error) {
      // It is good for a few seconds yet.
      if (found.expiresAt !== undefined && clock.now() < found.expiresAt) return found
      throw error
    }
    if (!tokens) return breakIt(account, found, 'invalid_grant')
    const next: AccountRecord = {
      ...found,
      ...tokens,
      // Also where the service did not say it this time.
      expiresAt: tokens.expiresAt,
      refreshToken: tokens.refreshToken ?? found.refreshToken,
      scopes: tokens.scopes.length > 0 ? tokens.scopes : found.scopes,
    }
    await writeSurely(account, next)
    fetchedAt.set(keyOf(account).account, clock.now())
    record(account, 'refresh')
    return next
  }

  /** The refresh token that was used is worth nothing any more: what is not kept now is lost. */
  async function writeSurely(account: Account, next: AccountRecord): Promise<void> {
    for (let attempt = 1; ; attempt++)
      try {
        return await write(account, next)
      } catch (error) {
        if (attempt === WRITE_ATTEMPTS) throw error
        await pause(LOOK_EVERY_MS * attempt)
      }
  }

  async function breakIt(account: Account, found: AccountRecord, reason: string): Promise<AccountRecord> {
    const next = { ...found, isBroken: true }
    await write(account, next)
    record(account, 'refresh', reason)
    return next
  }

  async function whileNone<Result>(account: Account, work: () => Promise<Result>): Promise<Result> {
    const until = clock.now() + TURN_MS
    for (;;) {
      const turn = await asked(store.inTurn(keyOf(account), work))
      if (turn) return turn.result
      // By then every turn has ended, unless others get it each time.
      if (clock.now() > until) return asked(work())
      await pause(LOOK_EVERY_MS)
    }
  }

  return {
    whileNone,
    async inTurn(account) {
      const until = clock.now() + PATIENCE_MS
      for (;;) {
        const turn = await asked(store.inTurn(keyOf(account), () => fetchTokens(account)))
        if (turn) return turn.result
        const found = await read(account)
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
          if (found?.accessToken !== token || found.refreshToken === undefined) return
          await write(account, { ...found, expiresAt: 0 })
        })
      } catch {
        // The next call that is answered 401 tries again.
      }
    },
  }
}
