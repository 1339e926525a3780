import type { CredentialPlacement, Placement } from '@mcp-patchbay/plugin-api'
import type { CallScope } from '../http-call-scope.ts'

/** What proves to the service who asks. auth/ makes it; the network layer puts it on requests to the service's base URL only. */
export interface Credential {
  readonly kind: CredentialKind
  /** The same for the same credential, and useless without it: part of cache keys and audit lines. */
  readonly fingerprint: string
  /** Where it came from: an error that the service refuses it with names it. */
  readonly source: CredentialSource
  /** What must not be seen in any text while a request with it is on its way. */
  readonly secrets: readonly string[]
  /** Sets exactly one header, or none where it is in the query; names in lower case. */
  apply(headers: Record<string, string>): void
  /** Where it is in the query. It is put on when a request is sent, so that no address has it that anything else reads. */
  readonly query?: QueryCredential | undefined
  /** The service answered 401: a token that was fetched for it must not be used again. */
  refused?(): void
  /** The service answered 403, since the token lacks these scopes. */
  lacks?(scopes: readonly string[]): void
}

/** One pair of a query: a name that needs no encoding, and an encoded value. */
export interface QueryCredential {
  readonly name: string
  readonly value: string
}

/** The query of a request with the credential in place of whatever has its name. */
export function withCredential(search: string, { name, value }: QueryCredential): string {
  const others = search
    .slice(1)
    .split('&')
    .filter((pair) => pair !== '' && keyOf(pair) !== name)
  return `?${[...others, `${name}=${value}`].join('&')}`
}

function keyOf(pair: string): string {
  return [...new URLSearchParams(pair).keys()][0] ?? ''
}

export type CredentialKind = keyof CredentialPlacement

/** Whose a credential is, and what to fix when it is refused. */
export type CredentialSource =
  /** The server's own, of these environment variables. */
  | { readonly kind: 'server'; readonly variables: readonly string[] }
  /** The caller's own: of this header, exchanged for its access token, or stored for its account. */
  | { readonly kind: 'header'; readonly header: string }
  | { readonly kind: 'exchange' }
  | { readonly kind: 'stored' }

/** The credential for the requests of one call; undefined scope: background work of the plugin. Undefined: none, the request goes without. */
export type ResolveCredential = (scope: CallScope | undefined) => Promise<Credential | undefined>

const USUAL = {
  oauth: { header: 'Authorization', scheme: 'Bearer' },
  personalToken: { header: 'Authorization', scheme: 'Bearer' },
  apiKey: { header: 'X-API-Key' },
  basic: { header: 'Authorization', scheme: 'Basic' },
} as const satisfies Required<CredentialPlacement>

/** Where a credential of `kind` goes: the plugin's own way, else the usual one. */
export function placementOf(kind: CredentialKind, placement: CredentialPlacement = {}): Placement {
  return placement[kind] ?? USUAL[kind]
}

/** Every header a credential of this plugin may be in, in lower case: the plugin itself may set none of them. */
export function credentialHeaders(placement: CredentialPlacement = {}): readonly string[] {
  return [...Object.values(USUAL), ...Object.values(placement)].flatMap(({ header }: Placement) => header?.toLowerCase() ?? [])
}

/** Every key of the query that a credential of this plugin may be at: the plugin itself may set none of them. */
export function credentialQueries(placement: CredentialPlacement = {}): readonly string[] {
  return Object.values(placement).flatMap(({ query }: Placement) => query ?? [])
}
