import type { AuthenticationRefusal } from './authentication.ts'

/** How requests are refused before what they ask for is read. The same words whatever is wrong with a credential. */
export interface Refusals {
  /** 401 for no credential: it names no error, since none was made (RFC 6750 §3.1). */
  readonly missing: AuthenticationRefusal
  /** 401 for every bad credential alike. */
  readonly unauthorized: AuthenticationRefusal
  /** 400 for more than one. */
  readonly several: AuthenticationRefusal
  /** 429 after too many bad ones. `seconds` until the next one is looked at. */
  throttled(seconds: number): AuthenticationRefusal
  /** 503 while it cannot be known whether a credential is good. */
  unavailable(seconds: number): AuthenticationRefusal
}

/** `challenge` has the parameters of `WWW-Authenticate: Bearer` besides the error. */
export function createRefusals(challenge: Readonly<Record<string, string>>): Refusals {
  const withError = (error: string) => ({ 'www-authenticate': bearerChallenge({ error, ...challenge }) })
  return {
    missing: refusal(401, 'Send a valid credential', { 'www-authenticate': bearerChallenge(challenge) }),
    unauthorized: refusal(401, 'Send a valid credential', withError('invalid_token')),
    several: refusal(400, 'Send exactly one credential', withError('invalid_request')),
    throttled: (seconds) =>
      refusal(429, `Too many credentials were refused; try again in ${seconds} s`, { 'retry-after': String(seconds) }),
    unavailable: (seconds) => refusal(503, 'Credentials cannot be checked now; try again', { 'retry-after': String(seconds) }),
  }
}

/** A `WWW-Authenticate` of RFC 6750. */
export function bearerChallenge(parameters: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}="${value.replaceAll(/["\\]/g, '\\$&')}"`)
  return pairs.length === 0 ? 'Bearer' : `Bearer ${pairs.join(', ')}`
}

const INVALID_REQUEST = -32600

function refusal(status: number, message: string, headers: Readonly<Record<string, string>>): AuthenticationRefusal {
  const body = JSON.stringify({ jsonrpc: '2.0', error: { code: INVALID_REQUEST, message }, id: null })
  return Object.freeze({ status, headers: { 'content-type': 'application/json', ...headers }, body })
}
