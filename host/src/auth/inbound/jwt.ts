import { decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose'
import { endOfToken, principalOf, timeProblem, type ClaimNames, type Claims } from './claims.ts'
import type { Verdict } from './authentication-verdict.ts'

/** One issuer of access tokens, every setting decided. */
export interface JwtIssuer extends ClaimNames {
  readonly issuer: string
  readonly findKey: JWTVerifyGetKey
  readonly algorithms: readonly string[]
  /** One of these must be in `aud`, to the letter, for a request to this path. */
  readonly audiencesAt: (path: string) => readonly string[]
  /** `JWT` takes tokens also that say so of themselves, or nothing. */
  readonly tokenType: 'at+jwt' | 'JWT'
  readonly toleranceSeconds: number
  readonly maxAgeSeconds: number
}

/** Whether a text has the form of a signed JWT. */
export function isJwt(token: string): boolean {
  return token.startsWith('ey') && token.split('.').length === 3
}

/**
 * Verifies access tokens by the keys of the issuer that they name, if it is one of `issuers`. Gives a verdict for whatever text it is;
 * rejects only with `IssuerUnavailable`.
 */
export function createJwtVerifier(
  issuers: readonly JwtIssuer[],
  { now, keepMs }: { readonly now: () => number; readonly keepMs: number },
): (token: string, path: string) => Promise<Verdict> {
  const byName = new Map(issuers.map((issuer) => [issuer.issuer, issuer]))

  return async (token, path) => {
    const issuer = byName.get(String(readIssuer(token)))
    if (!issuer) return { refused: 'issuer' }
    const verified = await verify(token, issuer, path)
    if ('refused' in verified) return verified
    const { claims } = verified
    const expiresAt = endOfToken({ exp: claims.exp, iat: Number(claims.iat) }, issuer)
    const principal = principalOf(issuer.issuer, claims, issuer)
    return {
      accepted: Object.freeze({ principal, expiresAt }),
      // Looked at again now and then, because keys are taken back.
      until: Math.min(expiresAt, now() + keepMs),
    }
  }

  async function verify(
    token: string,
    issuer: JwtIssuer,
    path: string,
  ): Promise<{ readonly claims: Claims & JWTPayload } | { readonly refused: string }> {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, issuer.findKey, {
        issuer: issuer.issuer,
        audience: [...issuer.audiencesAt(path)],
        algorithms: [...issuer.algorithms],
        requiredClaims: ['exp', 'iat', 'sub', 'aud', 'iss'],
        clockTolerance: issuer.toleranceSeconds,
        // jose looks at an `iat` in the future only with it.
        maxTokenAge: issuer.maxAgeSeconds,
        currentDate: new Date(now()),
        ...(issuer.tokenType === 'at+jwt' ? { typ: 'at+jwt' } : {}),
      })
      if (!isAccessType(protectedHeader.typ)) return { refused: 'typ' }
      const infinite = timeProblem(payload)
      if (infinite !== undefined) return { refused: infinite }
      // Bound to a key that the sender would have to prove, and this host asks for no such proof.
      if (payload['cnf'] !== undefined) return { refused: 'cnf' }
      const { sub } = payload
      return typeof sub === 'string' && sub !== '' ? { claims: { ...payload, sub } } : { refused: 'sub' }
    } catch (error) {
      if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired) return { refused: error.claim }
      if (error instanceof errors.JOSEError) return { refused: error.code }
      // What Node says of a key that jose hands to it, such as an RSA key that is too short.
      if (error instanceof TypeError) return { refused: 'key' }
      throw error
    }
  }
}

/** Only to find the keys to verify it with: not believed otherwise. */
function readIssuer(token: string): unknown {
  try {
    return decodeJwt(token).iss
  } catch {
    return undefined
  }
}

function isAccessType(typ: unknown): boolean {
  return typ === undefined || (typeof typ === 'string' && /^(?:application\/)?(?:at\+)?jwt$/i.test(typ))
}
