/** Every scope, with the roles that may have it. */
export type ScopeRoles = Readonly<Record<string, 'everyone' | readonly string[]>>

/** The scopes that a person with these roles may have. */
export function scopesOf(roles: readonly string[], scopes: ScopeRoles): ReadonlySet<string> {
  return new Set(
    Object.entries(scopes)
      .filter(([, allowed]) => allowed === 'everyone' || allowed.some((role) => roles.includes(role)))
      .map(([scope]) => scope),
  )
}
