import { isObject } from '../../data/json.ts'
import { findResource, type Snapshot, type SnapshotItem } from './snapshot.ts'
import type { Caller } from './caller.ts'
import { innerCallOf } from './view.ts'
import { permits, refusal } from './visibility.ts'

/**
 * What a caller would have to ask its authorization server for so that a request is let through: every scope that the request needs,
 * those included that the caller has. Undefined when scopes are not what stands in the way, or not all of them are in `offered`: whoever
 * cannot get in by asking is told nothing.
 */
export function missingScopes(
  snapshot: Snapshot,
  caller: Caller,
  message: unknown,
  offered: readonly string[],
): readonly string[] | undefined {
  if (Array.isArray(message)) {
    for (const one of message) {
      const scopes = Array.isArray(one) ? undefined : missingScopes(snapshot, caller, one, offered)
      if (scopes) return scopes
    }
    return undefined
  }
  const item = askedFor(snapshot, caller, message)
  if (!item || refusal(item, caller, snapshot.policy) !== 'permission') return undefined
  const needed = scopesFor(snapshot, item, caller, offered)
  if (!needed) return undefined
  // With all of these scopes every rule must pass, including those after the rule that refused.
  const principal = { ...caller.principal, permissions: needed }
  return refusal(item, { ...caller, principal }, snapshot.policy) === undefined ? needed : undefined
}

function askedFor(snapshot: Snapshot, caller: Caller, message: unknown): SnapshotItem | undefined {
  if (!isObject(message) || !isObject(message['params'])) return undefined
  const { name, uri, arguments: args } = message['params']
  switch (message['method']) {
    case 'tools/call':
      return snapshot.tools.get(innerCallOf(snapshot, caller, String(name), args)?.name ?? String(name))
    case 'prompts/get':
      return snapshot.prompts.get(String(name))
    case 'resources/read':
    case 'resources/subscribe':
      return findResource(snapshot, String(uri))?.item
    default:
      return undefined
  }
}

/** The item's own permissions, and where scopes are mapped to tools one that grants it: the caller's, or the one that grants least. */
function scopesFor(
  { tools, policy }: Snapshot,
  item: SnapshotItem,
  caller: Caller,
  offered: readonly string[],
): readonly string[] | undefined {
  const { permissions } = item
  const needed = new Set(permissions)
  if (policy.grants.size > 0 && !permits(policy, permissions, item)) {
    const granting = offered.filter((scope) => permits(policy, [scope], item))
    const held = granting.find((scope) => caller.principal.permissions.includes(scope))
    const breadth = (scope: string) => [...tools.values()].filter((tool) => permits(policy, [scope], tool)).length
    const [least] = granting.map((scope) => ({ scope, tools: breadth(scope) })).toSorted((a, b) => a.tools - b.tools)
    const chosen = held ?? least?.scope
    if (chosen === undefined) return undefined
    needed.add(chosen)
  }
  return [...needed].every((scope) => offered.includes(scope)) ? [...needed] : undefined
}
