import { LRUCache } from 'lru-cache'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { isObject } from '../../../data/json.ts'
import { HostError, hostError } from '../../../errors.ts'
import type { Redactor } from '../../../observability/redact.ts'
import { keyOf, personKey, type Account, type AccountRecord, type Person, type StoredAccount } from '../account.ts'
import type { AccountStore } from './account-store.ts'
import type { Seal } from './sealed.ts'

/** An account, and the text that it was read from. */
export interface ReadAccount {
  readonly record: AccountRecord
  readonly text: string
}

/** Reads and writes sealed accounts. Every token that it sees is redacted from then on. */
export interface StoredAccounts {
  /** Undefined when no account is linked. Throws `ACCOUNT_UNREADABLE` and `ACCOUNT_STORE`. */
  readonly read: (account: Account) => Promise<ReadAccount | undefined>
  readonly write: (account: Account, next: AccountRecord) => Promise<void>
  /** Replaces the record only where it is still the one that was read; whether it did. */
  readonly replace: (account: Account, found: ReadAccount, next: AccountRecord) => Promise<boolean>
  /** Every account of a person, in all tenants. One that cannot be read is left out, with a line in the log. */
  readonly list: (person: Pick<Person, 'kind' | 'id'>) => Promise<readonly StoredAccount[]>
}

export interface StoredAccountsOptions {
  readonly store: AccountStore
  readonly seal: Seal
  readonly log: Logger
  readonly redactor: Redactor
}

/** How many tokens stay redacted. */
const MAX_REDACTED = 10_000

export function createStoredAccounts({ store, seal, log, redactor }: StoredAccountsOptions): StoredAccounts {
  const hidden = new LRUCache<string, () => void>({ max: MAX_REDACTED, dispose: (forget) => forget() })
  return { read, write, replace, list }

  async function read(account: Account): Promise<ReadAccount | undefined> {
    const key = keyOf(account)
    const text = await fromStore(store.read(key))
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
    await fromStore(store.write(key, await sealed(account, next)))
  }

  async function replace(account: Account, { text }: ReadAccount, next: AccountRecord): Promise<boolean> {
    hide(next)
    return fromStore(store.replace(keyOf(account), text, await sealed(account, next)))
  }

  async function list(person: Pick<Person, 'kind' | 'id'>): Promise<readonly StoredAccount[]> {
    const own = personKey(person)
    const texts = await fromStore(store.list(own))
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
  }

  function sealed(account: Account, next: AccountRecord): Promise<string> {
    return seal.seal(keyOf(account).account, { account: plain(account), record: next })
  }

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
}

/** A store that does not answer is an error, and never an account that is not there. */
export async function fromStore<Result>(answer: Promise<Result>): Promise<Result> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof ServiceError || error instanceof HostError) throw error
    throw hostError('ACCOUNT_STORE', {}, error)
  }
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
