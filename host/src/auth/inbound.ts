import type { IncomingMessage } from 'node:http'
import type { Principal } from '@mcp-patchbay/plugin-api'

/** Says who makes a request, or how it is refused. Whatever credential it reads stays in it. */
export type Authenticate = (req: IncomingMessage) => Promise<Authentication>

export type Authentication =
  | {
      readonly principal: Principal
      /** When the credential ends, in milliseconds since the epoch: streams that it opened end then. */
      readonly expiresAt?: number
    }
  | { readonly response: AuthenticationRefusal }

/** Sent as it is. */
export interface AuthenticationRefusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}
