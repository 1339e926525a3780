import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { hostError, type ErrorData } from '../../errors.ts'
import type { CallScope } from '../../network/http-call-scope.ts'
import type { CredentialSource } from '../../network/request/placed-credential.ts'

/** Who may use which credential of a service. */
export interface CredentialPolicy {
  /** Callers may send their own. */
  readonly allowRequestCredentials: boolean
  /** Whether calls of others than the operator may go with the server's own. */
  readonly serverCredentials: 'allow' | 'readOnly' | 'deny'
  /** The service is of no use without one: a call that has none is refused before anything is sent. */
  readonly isNeeded: boolean
  /** The plugin has the server's secrets itself: who may not use them may not call it, whatever they bring. */
  readonly isRaw: boolean
}

/** What decides by which credential a call goes. */
export type CredentialCall = Pick<CallScope, 'access' | 'principal' | 'credentials' | 'account'>

/** By which credential the requests of a call go. What one caller's own brings is for that caller only. */
export type CredentialUse =
  | { readonly by: 'caller'; readonly fingerprint: string; readonly source: CredentialSource }
  | { readonly by: 'server'; readonly source: CredentialSource }
  | { readonly by: 'none' }
  /** `wantsAccount`: it would not be refused once the caller has linked an account. */
  | { readonly by: 'refused'; readonly error: ServiceError; readonly wantsAccount?: boolean }

/** Says it for one service. */
export type CredentialUseOf = (call: CredentialCall) => CredentialUse

/** What there is for one call to one service, highest first. */
export interface CredentialsAtHand {
  /** The request brought one for this service. */
  readonly isSent: boolean
  /** `token`: the caller's access token can be exchanged for one of the service. `noToken`: it would be, but the call came without. */
  readonly exchange: 'off' | 'token' | 'noToken'
  /** The caller has linked an account. */
  readonly isStored: boolean
  /** The server has one of its own. */
  readonly hasServer: boolean
}

export type CredentialDecision = 'sent' | 'exchange' | 'stored' | 'server' | 'none' | { readonly why: CredentialRefusal }
export type CredentialRefusal = ErrorData<'CREDENTIAL_REQUIRED'>['why']

/** Decides which credential a call uses, or why it is refused. Nothing else decides this. */
export function decideCredential(
  { isSent, exchange, isStored, hasServer }: CredentialsAtHand,
  policy: CredentialPolicy,
  call: CredentialCall,
): CredentialDecision {
  if (isSent && !policy.allowRequestCredentials) return { why: 'notAccepted' }
  // A caller whose token is exchanged never goes on with another credential because the token is missing.
  if (!isSent && exchange === 'noToken' && call.credentials && call.principal.kind === 'oauth') return { why: 'noToken' }
  const own = isSent ? 'sent' : exchange === 'token' ? 'exchange' : isStored ? 'stored' : undefined
  const why = hasServer || policy.isRaw ? serverRefusal(policy, call) : undefined
  if (why && (policy.isRaw || !own)) return { why }
  return own ?? (hasServer ? 'server' : policy.isNeeded ? { why: 'none' } : 'none')
}

/** Why the server's own credential is not for a call, or undefined when it is. */
function serverRefusal({ serverCredentials }: CredentialPolicy, call: CredentialCall): 'deny' | 'readOnly' | undefined {
  if (serverCredentials === 'allow' || isOperator(call)) return undefined
  if (serverCredentials === 'readOnly') return call.access === 'read' ? undefined : 'readOnly'
  return 'deny'
}

/** There is no credential for a call: as the error of a request that is not sent. */
export function credentialRequired(data: ErrorData<'CREDENTIAL_REQUIRED'>): ServiceError {
  const { message, fix } = hostError('CREDENTIAL_REQUIRED', data)
  return new ServiceError('AUTHENTICATION_FAILED', message, {
    fix: [...fix, 'See docs/errors.md#credential_required'].join('. '),
  })
}

/** The caller started the process, on stdio or by embedding it: the server's credentials are the caller's own. */
function isOperator({ principal, credentials }: CredentialCall): boolean {
  return credentials === undefined && principal.kind === 'local'
}
