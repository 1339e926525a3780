import type { Principal } from '@mcp-patchbay/plugin-api'

/** Who asks, and what the request wants less of. Everything that shapes a list is in here; nothing else may. */
export interface Caller {
  readonly principal: Principal
  readonly narrowing: Narrowing
  /** Callers with the same key see the same lists: tenant, permissions and narrowing, not the person. */
  readonly classKey: string
}

/** What a request gives up of its own accord, by `X-Patchbay-Toolsets` and `X-Patchbay-Read-Only`. It can never widen. */
export interface Narrowing {
  readonly toolsets: readonly string[] | undefined
  readonly readOnly: boolean
}

export const NO_NARROWING: Narrowing = Object.freeze({ toolsets: undefined, readOnly: false })

/** The caller of one request. Without narrowing it is the same object for the same principal. */
export function createCaller(principal: Principal, narrowing: Narrowing = NO_NARROWING): Caller {
  if (narrowing !== NO_NARROWING) return newCaller(principal, narrowing)
  let caller = whole.get(principal)
  if (!caller) whole.set(principal, (caller = newCaller(principal, narrowing)))
  return caller
}

const whole = new WeakMap<Principal, Caller>()

function newCaller(principal: Principal, narrowing: Narrowing): Caller {
  const classKey = JSON.stringify([
    principal.tenant ?? null,
    principal.permissions.toSorted(),
    narrowing.toolsets?.toSorted() ?? null,
    narrowing.readOnly,
  ])
  return Object.freeze({ principal, narrowing, classKey })
}
