import { createHash } from 'node:crypto'
import type { Namespace } from '../../cache/namespace.ts'
import type { Credential } from '../../network/request/placed-credential.ts'
import { inTime } from '../../data/async.ts'
import { clientPair } from '../../network/request/client-pair.ts'
import { endOfToken, principalOf, timeProblem, type ClaimNames } from './claims.ts'
import type { IssuerHttp } from './issuer-http.ts'
import { ISSUER_PATIENCE_MS, IssuerUnavailable, type Verdict } from './authentication-verdict.ts'

export interface IntrospectionOptions extends ClaimNames {
  readonly issuer: string
  readonly http: IssuerHttp
  readonly audiencesAt: (path: string) => readonly string[]
  readonly toleranceSeconds: number
  readonly maxAgeSeconds: number
  /** For how long an answer counts, and so how long a token may outlive its revocation. Milliseconds. */
  readonly keepMs: number
  readonly cache: Namespace
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/**
 * Asks the issuer what a token is worth (RFC 7662), once for all who present it at the same time. Gives a verdict for whatever text it
 * is; rejects only with `IssuerUnavailable`.
 */
export function createIntrospection(options: IntrospectionOptions): (token: string, path: string) => Promise<Verdict> {
  const { issuer, http, audiencesAt, toleranceSeconds, maxAgeSeconds, keepMs, cache, now } = options

  const ask = async (token: string): Promise<Answer> => {
    const at = now()
    const asked = http.ask(new URLSearchParams({ token, token_type_hint: 'access_token' }))
    // One that is slow is asked again by the next caller: this one is told now.
    const claims = await inTime(ISSUER_PATIENCE_MS, asked).catch((error: unknown) => {
      throw new IssuerUnavailable(issuer, RETRY_SECONDS, error)
    })
    return { claims, until: at + keepMs }
  }

  return async (token, path) => {
    const { value } = await cache.remember<Answer>(
      createHash('sha256').update(token).digest('base64url'),
      // A token that is not active yet may be active in a moment, and invented tokens must not fill the cache.
      { ttlMs: keepMs, keep: ({ claims }) => claims['active'] === true },
      () => ask(token),
    )
    const { claims, until } = value
    // A client that acts for itself is its own subject, as RFC 9068 has it in JWTs.
    const { exp, iat, sub = claims['client_id'] } = claims
    const problem = problemOf(claims, audiencesAt(path))
    if (problem !== undefined) return { refused: problem }
    if (typeof sub !== 'string' || sub === '') return { refused: 'sub' }
    // A token that does not say since when it lives ends what it opens after as long as any token may live.
    const expiresAt = endOfToken({ exp, iat: typeof iat === 'number' ? iat : now() / 1000 }, { toleranceSeconds, maxAgeSeconds })
    const principal = principalOf(issuer, { ...claims, sub }, options)
    return { accepted: Object.freeze({ principal, expiresAt }), until: Math.min(expiresAt, until) }
  }

  function problemOf(
    { active, iss, aud, exp, iat, nbf, cnf }: Readonly<Record<string, unknown>>,
    audiences: readonly string[],
  ): string | undefined {
    const seconds = now() / 1000
    if (active !== true) return 'inactive'
    if (iss !== undefined && iss !== issuer) return 'iss'
    if (![aud].flat().some((audience) => typeof audience === 'string' && audiences.includes(audience))) return 'aud'
    const wrong = timeProblem({ exp, iat, nbf })
    if (wrong !== undefined) return wrong
    if (exp !== undefined && !(Number(exp) > seconds - toleranceSeconds)) return 'exp'
    if (nbf !== undefined && !(Number(nbf) <= seconds + toleranceSeconds)) return 'nbf'
    if (iat !== undefined && !(Number(iat) + maxAgeSeconds > seconds - toleranceSeconds)) return 'iat'
    return cnf === undefined ? undefined : 'cnf'
  }
}

/** Basic, as RFC 6749 §2.3.1 has it. The secret came from `variable`. */
export function clientCredential(id: string, secret: string, variable: string): Credential {
  const pair = clientPair(id, secret)
  const credential: Credential = {
    kind: 'basic',
    fingerprint: '',
    source: { kind: 'server', variables: [variable] },
    secrets: [secret, pair],
    apply(headers: Record<string, string>) {
      headers['authorization'] = `Basic ${pair}`
    },
  }
  return Object.freeze(credential)
}

interface Answer {
  readonly claims: Readonly<Record<string, unknown>>
  readonly until: number
}

const RETRY_SECONDS = 5
