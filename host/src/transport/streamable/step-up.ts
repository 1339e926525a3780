import type { PublicOAuth } from '../../auth/inbound/open-inbound.ts'
import { missingScopes } from '../../server/catalog/missing-scopes.ts'
import type { Registry } from '../../server/catalog/registry.ts'
import type { Exchange } from '../http/http-exchange.ts'
import { refusal, type Refusal } from '../http/respond.ts'

/** The refusal of a request that would be let through with more scopes, which the client can ask for; else undefined. */
export type StepUp = (
  exchange: Pick<Exchange, 'caller' | 'path'>,
  message: unknown,
  era: 'legacy' | 'modern',
) => Refusal | undefined

/**
 * Asks only for scopes that are published: whatever else hides a tool hides it without a word. A client of 2026-07-28 adds what it is told
 * to what it has. Clients of 2025 put it in its place, so they are told what they have as well.
 */
export function createStepUp(registry: Registry, { scopes: offered, challengeFor }: PublicOAuth): StepUp | undefined {
  if (offered.length === 0) return undefined
  return ({ caller, path }, message, era) => {
    if (caller.principal.kind !== 'oauth') return undefined
    const needed = missingScopes(registry.current, caller, message, offered)
    if (!needed) return undefined
    const held = era === 'legacy' ? offered.filter((scope) => caller.principal.permissions.includes(scope)) : []
    const scopes = [...new Set([...held, ...needed])]
    return refusal(403, `This needs a token with the scopes: ${scopes.join(' ')}`, {
      headers: { 'www-authenticate': challengeFor(scopes, path) },
    })
  }
}
