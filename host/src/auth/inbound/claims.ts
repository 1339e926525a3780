import { createHash } from 'node:crypto'
import type { Principal } from '@mcp-patchbay/plugin-api'
import { isObject } from '../../data/json.ts'

export interface ClaimNames {
  readonly tenantClaim: string
  readonly permissionClaims: readonly string[]
}

/** Of a token that was verified. */
export type Claims = Readonly<Record<string, unknown>> & { readonly sub: string }

/** Who a verified token speaks for. Nothing else of the token goes on. */
export function principalOf(issuer: string, claims: Claims, { tenantClaim, permissionClaims }: ClaimNames): Principal {
  const tenant = claimAt(claims, tenantClaim)
  const permissions = new Set(permissionClaims.flatMap((name) => words(claimAt(claims, name))))
  // All permissions is what an operator gives, and no issuer.
  permissions.delete('*')
  return Object.freeze({
    id: createHash('sha256')
      .update(JSON.stringify([issuer, claims.sub]))
      .digest('base64url'),
    tenant: typeof tenant === 'string' && tenant !== '' ? tenant : undefined,
    permissions: Object.freeze([...permissions].toSorted()),
    kind: 'oauth',
  })
}

/** `realm_access.roles` is the claim of that name, else `roles` in `realm_access`. */
function claimAt(claims: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  return name
    .split('.')
    .reduce<unknown>((value, key) => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined), claims)
}

/** Scopes are words in a string, with some issuers a list; roles are a list. */
function words(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.split(' ').filter(Boolean)
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string' && item !== '') : []
}

/** The times in a token, in seconds since the epoch. */
export interface TokenTimes {
  readonly exp?: unknown
  readonly iat?: unknown
  readonly nbf?: unknown
}

/** The claim that is present and is not a time. JSON can say `1e400`, which is Infinity: such a token would never end. */
export function timeProblem({ exp, iat, nbf }: TokenTimes): string | undefined {
  return Object.entries({ exp, iat, nbf }).find(([, time]) => time !== undefined && !isTime(time))?.[0]
}

/** When a token ends, in milliseconds since the epoch: by its own word or by its age, whichever is first. */
export function endOfToken(
  { exp, iat }: { readonly exp: unknown; readonly iat: number },
  { toleranceSeconds, maxAgeSeconds }: { readonly toleranceSeconds: number; readonly maxAgeSeconds: number },
): number {
  const aged = iat + maxAgeSeconds
  return ((isTime(exp) ? Math.min(exp, aged) : aged) + toleranceSeconds) * 1000
}

/** Up to the year 9999. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= 253_402_300_799
}
