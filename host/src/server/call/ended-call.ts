import type { RefusalCode } from '../catalog/visibility.ts'
import type { EndedCall, PendingCall } from './types.ts'

type Asked = Pick<PendingCall, 'kind' | 'name' | 'caller' | 'io'>

/** A call that was let through, and what became of it. */
export function endedCall(call: PendingCall, ms: number, isAsking = false): EndedCall {
  return { ...asked(call), plugin: call.item.plugin.instance, outcome: isAsking ? 'asking' : call.outcome, ms }
}

/** A call that the caller may not make. */
export function deniedCall(call: Asked, reason: RefusalCode): EndedCall {
  return { ...asked(call), outcome: 'denied', reason, ms: 0 }
}

function asked({ kind, name, caller: { principal }, io }: Asked) {
  const { id, kind: principalKind, tenant } = principal
  return { kind, name: name.slice(0, MOST_OF_A_NAME), caller: { id, kind: principalKind, tenant }, call: io.requestId }
}

/** No name of a tool is longer; what is comes from a caller that tries. */
const MOST_OF_A_NAME = 256
