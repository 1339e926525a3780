import type { Principal } from '@mcp-patchbay/plugin-api'
import { NO_CREDENTIALS } from '../../auth/outbound/request-credentials.ts'
import type { CallAccount, CallerCredentials } from '../../network/http-call-scope.ts'

/** Who asks, and what the request wants less of. Everything that shapes a list is in here; nothing else may. */
export interface Caller {
  readonly principal: Principal
  readonly narrowing: Narrowing
  /** What its request brought for services. Undefined for the operator, on stdio or in process, who comes by no request. */
  readonly credentials: CallerCredentials | undefined
  /** What it has linked for the service of the plugin that it calls; known within that call only. */
  readonly account?: CallAccount | undefined
  /** Callers with the same key see the same lists: tenant, permissions, narrowing, and whether it is the operator; not the person. */
  readonly classKey: string
}

/** What a request gives up of its own accord, by `X-Patchbay-Toolsets`, `X-Patchbay-Read-Only` and its address. It can never widen. */
export interface Narrowing {
  readonly toolsets: readonly string[] | undefined
  readonly readOnly: boolean
  /** What its address asks for besides: `/mcp/x/triage/readonly`. */
  readonly address?: { readonly path: string; readonly toolsets: readonly string[] | undefined; readonly readOnly: boolean }
}

export const NO_NARROWING: Narrowing = Object.freeze({ toolsets: undefined, readOnly: false })

/** The caller of one request. Without narrowing and credentials it is the same object for the same principal. */
export function createCaller(principal: Principal, narrowing: Narrowing = NO_NARROWING, credentials?: CallerCredentials): Caller {
  const known = credentials === undefined ? operators : credentials === NO_CREDENTIALS ? others : undefined
  if (!known || narrowing !== NO_NARROWING) return newCaller(principal, narrowing, credentials)
  let caller = known.get(principal)
  if (!caller) known.set(principal, (caller = newCaller(principal, narrowing, credentials)))
  return caller
}

/** The same caller for what outlives its request: who is told of changes needs no credentials. */
export function withoutCredentials(caller: Caller): Caller {
  const { principal, narrowing, credentials } = caller
  return credentials === undefined || credentials === NO_CREDENTIALS ? caller : createCaller(principal, narrowing, NO_CREDENTIALS)
}

const operators = new WeakMap<Principal, Caller>()
const others = new WeakMap<Principal, Caller>()

function newCaller(principal: Principal, narrowing: Narrowing, credentials: CallerCredentials | undefined): Caller {
  const classKey = JSON.stringify([
    principal.kind === 'local',
    principal.tenant ?? null,
    principal.permissions.toSorted(),
    [narrowing.toolsets, narrowing.address?.toolsets]
      .flatMap((toolsets) => (toolsets ? [JSON.stringify(toolsets.toSorted())] : []))
      .toSorted(),
    narrowing.readOnly || narrowing.address?.readOnly === true,
  ])
  return Object.freeze({ principal, narrowing, credentials, classKey })
}
