import { hash } from 'node:crypto'
import type { Principal } from '@mcp-patchbay/plugin-api'

/** Whose account, and at which service. */
export interface Account {
  readonly principal: Person
  readonly instance: string
}

/** What of a principal says who it is. */
export type Person = Pick<Principal, 'tenant' | 'kind' | 'id'>

/** What is known of a linked account. Everything but the tokens may be shown to its owner. */
export interface AccountRecord {
  /** Made with each link: tells this link from an earlier one. */
  readonly link: string
  readonly accessToken: string
  readonly refreshToken?: string | undefined
  /** Milliseconds since 1970; undefined where the service did not say. */
  readonly expiresAt?: number | undefined
  readonly linkedAt: number
  readonly scopes: readonly string[]
  /** The scopes that it was linked with, granted or not; undefined for a link of an earlier version. */
  readonly asked?: readonly string[] | undefined
  /** Those of them that are asked for only since the service said in a call that it needs them. */
  readonly extra?: readonly string[] | undefined
  /** What the service said since: the next linking asks for it. */
  readonly needs?: readonly string[] | undefined
  /** Until when other needs are added to these, in milliseconds since 1970; later ones take their place. */
  readonly needsUntil?: number | undefined
  /** Names the OAuth client that the tokens are of; undefined for a token that an embedder stored. */
  readonly client?: string | undefined
  /** The client that the host registered for it, where the config names none. */
  readonly registered?: { readonly clientId: string; readonly clientSecret?: string | undefined } | undefined
  /** The service takes it no longer. It stays, so that no other credential is used in its place. */
  readonly isBroken?: boolean | undefined
}

/** An account with its owner, as it is stored and listed. */
export interface StoredAccount {
  readonly account: Account
  readonly record: AccountRecord
}

/** Where an account is kept: the person's part, then the account's. Neither tells a name. */
export interface AccountKey {
  /** The same for all accounts of one person, in every tenant. */
  readonly person: string
  readonly account: string
}

/** What an account is called where only a text can be. */
export function nameOf({ principal: { tenant, kind, id }, instance }: Account): string {
  return JSON.stringify([tenant ?? null, kind, id, instance])
}

export function keyOf(account: Account): AccountKey {
  return { person: personKey(account.principal), account: hash('sha256', nameOf(account)) }
}

export function personKey({ kind, id }: Pick<Person, 'kind' | 'id'>): string {
  return hash('sha256', JSON.stringify([kind, id]))
}
