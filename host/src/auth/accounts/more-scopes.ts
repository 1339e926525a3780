import type { LackingScopes } from '../../network/http-call-scope.ts'
import { areFew } from '../../network/response/lacking-scopes.ts'
import type { Account, AccountRecord } from './account.ts'
import type { Refresh } from './refresh.ts'
import type { ReadAccount } from './store/stored-accounts.ts'
import { TICKET_MS } from './tickets.ts'
import type { ServiceClient } from './types.ts'

export interface MoreScopesOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly read: (account: Account) => Promise<ReadAccount | undefined>
  readonly replace: (account: Account, found: ReadAccount, next: AccountRecord) => Promise<boolean>
  /** A refresh must not undo it. */
  readonly whileNone: Refresh['whileNone']
}

/**
 * Notes what the service asked for in a call, so that the next linking asks the person for it. Scopes that the account was linked with are
 * not asked for again: the service, or the person there, did not grant them.
 */
export function noteScopes({ now, read, replace, whileNone }: MoreScopesOptions) {
  return (account: Account, link: string, scopes: readonly string[]): Promise<LackingScopes> =>
    whileNone(account, async () => {
      const found = await read(account)
      // It was linked again meanwhile: the call can be made with that.
      if (found?.record.link !== link) return { scopes }
      const { record } = found
      const before = new Set(record.asked ?? record.scopes)
      const added = scopes.filter((scope) => !before.has(scope))
      if (added.length === 0) return { scopes, problem: 'had' }
      // Calls that run at the same time share one question. Scopes that a person declined are not requested together with later ones.
      const pending = now() < (record.needsUntil ?? 0) ? record.needs : undefined
      const needs = union(pending, added)
      if (!areFew(union(record.extra, needs))) return { scopes: added, problem: 'many' }
      if (needs.length !== pending?.length) await replace(account, found, { ...record, needs, needsUntil: now() + TICKET_MS })
      return { scopes: added }
    })
}

/** What a linking asks for. */
export interface ScopesToAsk {
  /** All scopes to request. Undefined: the scopes that are always requested. */
  readonly all: readonly string[] | undefined
  /** What the account does not have yet, since the service asked for it in a call. */
  readonly added: readonly string[]
}

/**
 * What to ask the person of `record` for: what is asked for always, with what the service itself asked for in calls. `shown`: no more of
 * that than the person has seen.
 */
export async function scopesToAsk(
  client: ServiceClient,
  record: AccountRecord | undefined,
  shown?: ReadonlySet<string>,
): Promise<ScopesToAsk> {
  // What another service asked for, or was asked for, is none of this one's.
  if (record?.client !== client.id) return NOTHING_MORE
  const added = (record.needs ?? []).filter((scope) => shown?.has(scope) ?? true)
  const extra = union(record.extra, added)
  if (extra.length === 0) return NOTHING_MORE
  const always = await client.askedScopes()
  // Where the service decides, it is asked for what it granted.
  return { all: union(always.length > 0 ? always : record.scopes, extra), added }
}

const NOTHING_MORE: ScopesToAsk = { all: undefined, added: [] }

/** What an account keeps of the scopes that it was linked with. */
export async function linkedWith(
  client: ServiceClient,
  all: readonly string[] | undefined,
): Promise<Pick<AccountRecord, 'asked' | 'extra'>> {
  const always = await client.askedScopes()
  if (all === undefined) return { asked: always }
  return { asked: all, extra: all.filter((scope) => !always.includes(scope)) }
}

function union(some: readonly string[] = [], others: readonly string[] = []): readonly string[] {
  return [...new Set([...some, ...others])]
}
