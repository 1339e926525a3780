import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { Bus } from '../../cache/bus.ts'
import { singleFlight } from '../../cache/single-flight.ts'
import { isObject } from '../../data/json.ts'
import { HostError, hostError } from '../../errors.ts'
import type { Clock } from '../../network/resilience/clock.ts'
import type { AccountEvent, Audit } from '../../observability/audit.ts'
import type { LackingScopes } from '../../network/http-call-scope.ts'
import type { Redactor } from '../../observability/redact.ts'
import { keyOf, personKey, type Account, type AccountRecord, type Person, type StoredAccount } from './account.ts'
import type { AccountStore } from './store/account-store.ts'
import { noteScopes } from './more-scopes.ts'
import { asked, createRefresh, isUsable, type ReadAccount } from './refresh.ts'
import type { Seal } from './store/sealed.ts'
import type { ServiceClient, Tokens } from './types.ts'

/** Accounts that callers linked for services. What is stored for one caller, tenant and service can be read as nothing else. */
export interface Accounts {
  /**
   * The token for a call, refreshed where it has expired; undefined when no account is linked. Throws `ACCOUNT_UNREADABLE`,
   * `ACCOUNT_STORE`, `ACCOUNT_BROKEN` for one that has to be linked again, and a `ServiceError` where it cannot be refreshed now.
   */
  use(account: Account): Promise<UsedAccount | undefined>
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

/** What a call goes with. */
export interface UsedAccount {
  /** The same for as long as the account stays linked, whatever becomes of its tokens. */
  readonly fingerprint: string
  /** How its token goes on a request: as an OAuth token, or as an embedder stored it. */
  readonly isOAuth: boolean
  readonly token: () => Promise<string>
  /** The service answered 401 to this token. */
  readonly refused: (token: string) => void
  /** The service answered that the token lacks these scopes. */
  readonly lacks: (scopes: readonly string[]) => void
  /** What it said in this call, noted for the next linking; undefined for nothing. Never rejects. */
  readonly lacking: () => Promise<LackingScopes | undefined>
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

/** How long tokens stay redacted that are not in use. */
const MAX_REDACTED = 10_000
/** Another replica may have linked an account whose event was lost. */
const LOOK_EVERY_MS = 1_000
const LINKED = 'account_linked'
const UNLINKED = 'account_unlinked'
/** A call that is longer on its way than so many are unlinked goes on with its token until that expires. */
const MAX_ENDED = 10_000

export function createAccounts(options: AccountsOptions): Accounts {
  const { store, seal, clock, log, redactor, audit, clientOf, bus } = options
  const hidden = new LRUCache<string, () => void>({ max: MAX_REDACTED, dispose: (forget) => forget() })
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

  const read = async (account: Account) => (await readText(account))?.record

  async function readText(account: Account): Promise<ReadAccount | undefined> {
    const key = keyOf(account)
    const text = await asked(store.read(key))
    if (text === undefined) return undefined
    try {
      const { value, isOfOldKey } = await seal.open(key.account, text)
      const { record: found } = readStored(value)
      hide(found)
      if (isOfOldKey) void sealAgain(account)
      return { record: found, text }
    } catch (error) {
      throw hostError('ACCOUNT_UNREADABLE', { plugin: account.instance }, error)
    }
  }

  async function write(account: Account, next: AccountRecord): Promise<void> {
    const key = keyOf(account)
    hide(next)
    await asked(store.write(key, await sealed(account, next)))
  }

  async function replace(account: Account, { text }: ReadAccount, next: AccountRecord): Promise<boolean> {
    hide(next)
    return asked(store.replace(keyOf(account), text, await sealed(account, next)))
  }

  const sealed = (account: Account, next: AccountRecord) =>
    seal.seal(keyOf(account).account, { account: plain(account), record: next })

  /** What an old key sealed is sealed with the new one, so that the old one can go. In a turn: a refresh must not be undone. */
  async function sealAgain(account: Account): Promise<void> {
    const key = keyOf(account)
    try {
      await store.inTurn(key, async () => {
        const text = await store.read(key)
        if (text === undefined) return
        const { value, isOfOldKey } = await seal.open(key.account, text)
        if (isOfOldKey) await store.replace(key, text, await seal.seal(key.account, value))
      })
    } catch (error) {
      log.warn('account_not_resealed', { plugin: account.instance, error })
    }
  }

  /** A token that is known is in no text of the host any more. */
  function hide({ link, accessToken, refreshToken }: AccountRecord): void {
    for (const [part, token] of [
      ['access', accessToken],
      ['refresh', refreshToken],
    ] as const) {
      const name = `${link} ${part} ${token?.slice(-12) ?? ''}`
      if (token !== undefined && !hidden.has(name)) hidden.set(name, redactor.add(token))
    }
  }

  const refresh = createRefresh({ store, clock, clientOf, read: readText, replace, revoke, record })
  const note = noteScopes({
    now: () => clock.now(),
    read: readText,
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

  function told(account: string): void {
    for (const tell of waiting.get(account) ?? []) tell()
  }
  bus?.on(LINKED, (account) => typeof account === 'string' && told(account))
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
      told(name)
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
    async list(person) {
      const own = personKey(person)
      const texts = await asked(store.list(own))
      const opened = await Promise.all(
        texts.map(async ({ account, text }) => {
          try {
            const { value } = await seal.open(account, text)
            const found = readStored(value)
            hide(found.record)
            // A text that was moved to another person's name is none of theirs.
            return keyOf(found.account).person === own ? [found] : []
          } catch (error) {
            log.warn('account_unreadable', { error })
            return []
          }
        }),
      )
      return opened.flat().toSorted((a, b) => a.account.instance.localeCompare(b.account.instance))
    },
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

function plain({ principal: { tenant, kind, id }, instance }: Account): Account {
  return { principal: { tenant, kind, id }, instance }
}

/** What is sealed was made by this host: only the form of it may be an older one. */
function readStored(value: unknown): StoredAccount {
  if (isStored(value)) return { account: value.account, record: value.record }
  throw new Error('It is not a stored account of this version')
}

function isStored(value: unknown): value is StoredAccount {
  if (!isObject(value) || !isObject(value['account']) || !isObject(value['record'])) return false
  const { accessToken, link } = value['record']
  return typeof accessToken === 'string' && typeof link === 'string'
}
