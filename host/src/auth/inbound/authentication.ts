import type { IncomingMessage } from 'node:http'
import type { Principal } from '@mcp-patchbay/plugin-api'

/**
 * Says who makes a request that came from `address`, or how it is refused. Whatever credential it reads stays in it, and is gone from
 * the request afterwards.
 */
export type Authenticate = (req: IncomingMessage, address: string) => Authentication | Promise<Authentication>

export type Authentication = Authenticated | { readonly response: AuthenticationRefusal }

export interface Authenticated {
  readonly principal: Principal
  /** When the credential ends, in milliseconds since the epoch: streams that it opened end then. */
  readonly expiresAt?: number | undefined
  /** Aborts when the credential is taken back before: they end then as well. */
  readonly revoked?: AbortSignal | undefined
  /** The access token itself, for this request only, and only where an entry of the config exchanges it (RFC 8693). */
  readonly subjectToken?: string | undefined
}

/** Sent as it is. */
export interface AuthenticationRefusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}
