import { decodeJwt } from 'jose'
import { isHeaderValue } from '../../network/request/headers.ts'

/** A token response (RFC 6749 §5.1, RFC 8693 §2.2.1), once an OAuth library or the host has read its JSON. */
export interface TokenAnswer {
  readonly access_token?: unknown
  readonly token_type?: unknown
  readonly expires_in?: unknown
  /** No standard has these three; some servers say in them what the token is for. */
  readonly audience?: unknown
  readonly resource?: unknown
  readonly aud?: unknown
}

export interface TokenExpectation {
  /** When it was asked for, in milliseconds since 1970. */
  readonly asked: number
  /** Names that were asked for: the token must be for one of them. Empty: any will do. */
  readonly audiences: readonly string[]
}

/** A token that can be put on requests. */
export interface IssuedToken {
  readonly token: string
  /** Milliseconds since 1970; undefined where neither the answer nor the token says it. */
  readonly expiresAt: number | undefined
}

/**
 * What a token response gives, or what is wrong with it, to go after "answered". What cannot be used is an error, and never a reason to take
 * another credential. The signature of a token is its service's to check: here only what it says of itself counts.
 */
export function readIssuedToken(
  answer: TokenAnswer,
  { asked, audiences }: TokenExpectation,
): IssuedToken | { readonly problem: string } {
  const { access_token: token, token_type: type } = answer
  const isUsable = typeof token === 'string' && token !== '' && isHeaderValue(token)
  if (!isUsable || typeof type !== 'string' || type.toLowerCase() !== 'bearer') return { problem: 'without a bearer token' }
  if (token.length > MOST_CHARACTERS) return { problem: `with a token of ${token.length} characters` }
  const claims = claimsOf(token)
  const seconds = secondsOf(answer.expires_in)
  if (Number.isNaN(seconds)) return { problem: 'with an expires_in that is not a number of seconds' }
  const expiresAt =
    seconds !== undefined ? asked + seconds * 1000 : typeof claims.exp === 'number' ? claims.exp * 1000 : undefined
  if (expiresAt !== undefined && !(expiresAt > asked)) return { problem: 'with a token that has expired already' }
  const said = [claims.aud, answer.audience, answer.resource, answer.aud].filter((one) => one !== undefined && one !== null)
  if (audiences.length > 0 && !said.every((names) => isForOneOf(names, audiences)))
    return { problem: 'with a token for another audience' }
  return { token, expiresAt }
}

/** Longer ones fit into no header that a service reads. */
const MOST_CHARACTERS = 16_384

/** Some servers write the number as a text. NaN for what is none. */
function secondsOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  const seconds = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  return typeof seconds === 'number' && Number.isFinite(seconds) ? seconds : Number.NaN
}

/** Of a JWT (RFC 9068); nothing of a token that cannot be looked into. */
function claimsOf(token: string): { readonly aud?: unknown; readonly exp?: unknown } {
  if (token.split('.').length !== 3) return {}
  try {
    return decodeJwt(token)
  } catch {
    return {}
  }
}

function isForOneOf(names: unknown, audiences: readonly string[]): boolean {
  return [names].flat().some((name) => audiences.some((audience) => typeof name === 'string' && covers(name, audience)))
}

/** The same name, with or without a slash at its end; or the address that the one that was asked for is below (RFC 8693 §2.3). */
function covers(name: string, audience: string): boolean {
  const plain = (text: string) => text.replace(/\/$/, '')
  if (plain(name) === plain(audience)) return true
  const [whole, part] = [URL.parse(name), URL.parse(audience)]
  if (!whole || !part || whole.origin !== part.origin || whole.origin === 'null' || whole.search || whole.hash) return false
  return part.pathname.startsWith(`${plain(whole.pathname)}/`)
}
