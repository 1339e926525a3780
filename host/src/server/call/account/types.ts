import type { Principal } from '@mcp-patchbay/plugin-api'
import type { CallAccount } from '../../../network/http-call-scope.ts'

/** What a call asks of linked accounts. */
export interface CallAccounts {
  /** What the caller has linked. Never rejects: what cannot be used says why. */
  load(principal: Principal, instance: string): Promise<CallAccount | undefined>
  /** Where this caller can link an account now. */
  waysToLink(principal: Principal, instance: string): Promise<WaysToLink>
  /** False when it was not linked within `ms`. `otherThan`: the fingerprint of a link that will not do. */
  whenLinked(
    principal: Principal,
    instance: string,
    wait: { readonly ms: number; readonly signal: AbortSignal; readonly otherThan?: string | undefined },
  ): Promise<boolean>
}

export interface WaysToLink {
  /** A page of this host, good once and for ten minutes. */
  readonly address?: string
  /** What the operator types. */
  readonly command?: string
}
