import type { Principal } from '@mcp-patchbay/plugin-api'
import type { TraceContext } from '../observability/tracing/trace-context.ts'

/** The rights and the life of the call that sends a request, and on whose behalf it is sent. */
export interface CallScope {
  readonly access: 'read' | 'write'
  /** Paths that a read call may POST to, `*` for one segment. */
  readonly safePaths: readonly string[]
  readonly signal: AbortSignal
  /** How long the call goes on at most, in milliseconds. */
  readonly timeLeftMs?: () => number
  readonly requestId: string
  /** The trace of the call, which goes on to the service. */
  readonly trace?: TraceContext | undefined
  readonly principal: Principal
  /**
   * What the call's request brought for services; empty when it brought nothing. Undefined: it came by no network but from the operator,
   * on stdio or in process.
   */
  readonly credentials: CallerCredentials | undefined
  /** What the caller has linked for the service of the plugin that is called; undefined: nothing, or nothing is linked here. */
  readonly account?: CallAccount | undefined
}

/** A linked account for one call, or why it cannot be used: never the same as none. */
export type CallAccount = UsableAccount | { readonly problem: Error; readonly mustLinkAgain: boolean }

export interface UsableAccount {
  readonly problem?: undefined
  /** The same for as long as the account stays linked, even when its tokens are refreshed. */
  readonly fingerprint: string
  /** How its token goes on a request: as an OAuth token, or as an embedder stored it. */
  readonly isOAuth: boolean
  /** The token as it is now. Rejects with a `ServiceError`, or a `HostError`. */
  readonly token: () => Promise<string>
  /** The service answered 401 to this token. */
  readonly refused: (token: string) => void
  /** The service refused a request since the token lacks these scopes. */
  readonly lacks: (scopes: readonly string[]) => void
  /** The scopes that this call lacked, noted for the next linking; undefined for none. Never rejects. */
  readonly lacking: () => Promise<LackingScopes | undefined>
}

/** What a call was refused for. */
export interface LackingScopes {
  readonly scopes: readonly string[]
  /** Why they are not asked for: the account was linked with them already, or they are too many. */
  readonly problem?: 'had' | 'many'
}

/** What one request brought for services. It lives as long as its call, shows nothing of itself in any text, and no plugin sees it. */
export interface CallerCredentials {
  /** What is to prove requests to the service of this instance. */
  of(instance: string): BroughtCredential | undefined
  /** The access token that the caller proved itself with, where an entry of the config exchanges it for one of its service. */
  readonly subjectToken: string | undefined
  /** Everything in it that must not be seen in any text. */
  readonly secrets: readonly string[]
}

/** A credential as it was in its header. */
export interface BroughtCredential {
  /** `authorization`: a scheme and what is behind it, or a token alone. */
  readonly kind: 'authorization' | 'apiKey'
  readonly line: string
  /** Which header that was, for errors. */
  readonly header: string
}
