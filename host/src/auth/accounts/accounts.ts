import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { Bus } from '../../cache/bus.ts'
import { singleFlight } from '../../cache/single-flight.ts'
import { HostError, hostError } from '../../errors.ts'
import type { Clock } from '../../network/resilience/clock.ts'
import type { AccountEvent, Audit } from '../../observability/audit.ts'
import type { UsableAccount } from '../../network/http-call-scope.ts'
import type { Redactor } from '../../observability/redact.ts'
import { keyOf, type Account, type AccountRecord, type Person, type StoredAccount } from './account.ts'
import type { AccountStore } from './store/account-store.ts'
import { noteScopes } from './more-scopes.ts'
import { createRefresh, isUsable } from './refresh.ts'
import type { Seal } from './store/sealed.ts'
import { createStoredAccounts } from './store/stored-accounts.ts'
import type { ServiceClient, Tokens } from './types.ts'

/** Accounts that callers linked for services. What is stored for one caller, tenant and service can be read as nothing else. */
export interface Accounts {
  /**
   * The token for a call, refreshed where it has expired; undefined when no account is linked. Throws `ACCOUNT_UNREADABLE`,
   * `ACCOUNT_STORE`, `ACCOUNT_BROKEN` for one that has to be linked again, and a `ServiceError` where it cannot be refreshed now.
   */
  use(account: Account): Promise<UsableAccount | undefined>
  /** The token as it is stored; undefined when none is linked. Throws `ACCOUNT_UNREADABLE` and `ACCOUNT_STORE`. */
  get(account: Account): Promise<string | undefined>
  /** Replaces what was linked before. A text is a token, or a scheme and a token, that lasts until it is replaced. */
  link(account: Account, token: string | LinkedTokens): Promise<void>
  /** Revokes the tokens where the service offers that, and forgets them in any case. Whether there were any. */
  unlink(account: Account): Promise<boolean>
  /** Every account of a person, in all tenants. One that cannot be read is left out, with a line in the log. */
  list(person: Pick<Person, 'kind' | 'id'>): Promise<readonly StoredAccount[]>
  /** The OAuth client of an instance. Throws `AUTH_SECRET`, and `ACCOUNT_OAUTH` where its entry has none. */
  client(instance: string): Promise<ServiceClient>
  /** Waits for an account to be linked, here or at another replica. False when it was not within `ms`. */
  whenLinked(account: Account, wait: LinkWait): Promise<boolean>
}

export interface LinkWait {
  readonly ms: number
  readonly signal: AbortSignal
  /** The fingerprint of a link that will not do. */
  readonly otherThan?: string | undefined
}

export interface LinkedTokens extends Tokens, Pick<AccountRecord, 'asked' | 'extra'> {
  /** Names the OAuth client they are of. */
  readonly client: string
}

export interface AccountsOptions {
  readonly store: AccountStore
  readonly seal: Seal
  readonly clock: Clock
  readonly log: Logger
  readonly redactor: Redactor
  readonly audit: Audit
  /** The OAuth client of an instance; undefined for one that has none in the config. */
  readonly clientOf: (instance: string) => Promise<ServiceClient | undefined>
  readonly bus?: Bus | undefined
}

/** Another replica may have linked an account whose event was lost. */
const LOOK_EVERY_MS = 1_000
const LINKED = 'account_linked'
const UNLINKED = 'account_unlinked'
/** A call that is longer on its way than so many are unlinked goes on with its token until that expires. */
const MAX_ENDED = 10_000

export function createAccounts(options: AccountsOptions): Accounts {
  const { store, seal, clock, log, redactor, audit, clientOf, bus } = options
  const waiting = new Map<string, Set<() => void>>()
  /** Links that were taken away while calls may be on their way with them. */
  const ended = new LRUCache<string, true>({ max: MAX_ENDED })
  const once = singleFlight<string, AccountRecord | undefined>()

  const record = (account: Account, event: AccountEvent, reason?: string) => {
    const { principal, instance } = account
    audit.record(() => ({
      decision: reason === undefined ? 'allow' : 'deny',
      ...(reason !== undefined && { reason }),
      kind: 'account',
      event,
      name: instance,
      plugin: instance,
      principal: principal.id,
      principalKind: principal.kind,
      tenant: principal.tenant,
    }))
  }

  const stored = createStoredAccounts({ store, seal, log, redactor })
  const { replace, write } = stored
  const read = async (account: Account) => (await stored.read(account))?.record
  const refresh = createRefresh({ store, clock, clientOf, read: stored.read, replace, revoke, record })
  const note = noteScopes({
    now: () => clock.now(),
    read: stored.read,
    replace,
    whileNone: (account, work) => refresh.whileNone(account, work),
  })
  const fresh = (account: Account, found: AccountRecord) =>
    isUsable(found, clock.now()) ? Promise.resolve(found) : once(keyOf(account).account, () => refresh.inTurn(account))

  async function current(account: Account, link?: string): Promise<AccountRecord | undefined> {
    const found = await read(account)
    if (!found) return undefined
    if (link !== undefined && found.link !== link) return undefined
    const client = found.client === undefined ? undefined : await clientOf(account.instance)
    // A token of another service, or of an earlier client, is not sent to the one that the config names now.
    if (found.isBroken || (found.client !== undefined && client?.id !== found.client)) throw broken(account)
    const usable = await fresh(account, found)
    if (usable?.isBroken) throw broken(account)
    return usable
  }

  function notifyLinked(account: string): void {
    for (const notify of waiting.get(account) ?? []) notify()
  }
  bus?.on(LINKED, (account) => typeof account === 'string' && notifyLinked(account))
  bus?.on(UNLINKED, (link) => typeof link === 'string' && void ended.set(link, true))

  return {
    async use(account) {
      const found = await current(account)
      if (!found) return undefined
      const { link } = found
      let known: AccountRecord = found
      const lacked = new Set<string>()
      return {
        fingerprint: link,
        isOAuth: found.client !== undefined,
        async token() {
          if (ended.has(link)) throw unlinked(account)
          if (isUsable(known, clock.now())) return known.accessToken
          const next = await current(account, link)
          if (!next || ended.has(link)) throw unlinked(account)
          known = next
          return next.accessToken
        },
        refused: (token) => void refresh.distrust(account, token),
        lacks(scopes) {
          for (const scope of found.client === undefined ? [] : scopes) lacked.add(scope)
        },
        async lacking() {
          if (lacked.size === 0) return undefined
          try {
            return await note(account, link, [...lacked])
          } catch (error) {
            log.warn('account_scopes_not_noted', { plugin: account.instance, error })
            return undefined
          }
        },
      }
    },
    get: async (account) => (await read(account))?.accessToken,
    async link(account, token) {
      const now = clock.now()
      const made: AccountRecord =
        typeof token === 'string'
          ? { link: randomUUID(), accessToken: token, linkedAt: now, scopes: [] }
          : { ...token, link: randomUUID(), linkedAt: now }
      await refresh.whileNone(account, () => write(account, made))
      record(account, 'link')
      const { account: name } = keyOf(account)
      notifyLinked(name)
      bus?.publish(LINKED, name)
    },
    async unlink(account) {
      const { found, wasThere } = await refresh.whileNone(account, async () => ({
        found: await read(account).catch((error: unknown) => {
          // One that cannot be read can still be removed.
          if (error instanceof HostError && error.code === 'ACCOUNT_UNREADABLE') return undefined
          throw error
        }),
        // First, so that no call goes with it while the service is asked.
        wasThere: await store.remove(keyOf(account)),
      }))
      if (found) {
        ended.set(found.link, true)
        bus?.publish(UNLINKED, found.link)
      }
      if (found?.client !== undefined) await revoke(account, found)
      if (wasThere) record(account, 'unlink')
      return wasThere
    },
    list: (person) => stored.list(person),
    async client(instance) {
      const client = await clientOf(instance)
      if (!client)
        throw hostError('ACCOUNT_OAUTH', { plugin: instance, problem: 'there is no such plugin, or its entry has no oauth' })
      return client
    },
    async whenLinked(account, { ms, signal, otherThan }) {
      const until = clock.now() + ms
      const name = keyOf(account).account
      for (;;) {
        const found = await read(account).catch(() => undefined)
        if (found && !found.isBroken && found.link !== otherThan) return true
        const left = until - clock.now()
        if (left <= 0 || signal.aborted) return false
        await next(name, Math.min(left, LOOK_EVERY_MS), signal)
      }
    },
  }

  async function revoke(account: Account, found: AccountRecord): Promise<void> {
    try {
      const client = await clientOf(account.instance)
      if (client?.id === found.client) await client?.revoke(found)
    } catch (error) {
      log.warn('account_not_revoked', { plugin: account.instance, error })
    }
  }

  /** Waits for the event, or `ms`, or until `signal` aborts. */
  function next(name: string, ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const listeners = waiting.get(name) ?? new Set()
      const done = () => {
        cancel()
        signal.removeEventListener('abort', done)
        listeners.delete(done)
        if (listeners.size === 0) waiting.delete(name)
        resolve()
      }
      const cancel = clock.schedule(ms, done)
      signal.addEventListener('abort', done, { once: true })
      waiting.set(name, listeners.add(done))
    })
  }
}

function unlinked({ instance }: Account): HostError {
  return hostError('ACCOUNT_BROKEN', { plugin: instance, why: 'unlinked' })
}

function broken({ instance }: Account): HostError {
  return hostError('ACCOUNT_BROKEN', { plugin: instance, why: 'refused' })
}
