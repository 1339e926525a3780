import { randomUUID } from 'node:crypto'
import { hostError } from '../../../errors.ts'
import type { CallRequest } from '../../run/running.ts'

/** A call that runs at a server and waits for its caller, who answers with another request. */
export interface WaitingCall {
  /** Goes on with what the caller answered. */
  resume(request: CallRequest): Promise<unknown>
  /** Its caller does not come back. */
  abandon(reason: Error): void
}

/** The calls of one instance that wait for their callers, whichever version they began in. */
export interface WaitingCalls {
  readonly size: number
  /** Keeps a call for its owner; gives the handle. Throws `CALLS_WAITING`. */
  add(owner: string, call: WaitingCall): string
  /** The call behind a handle, once. Throws `CALL_NOT_WAITING` for one that is gone, is another owner's, or never was. */
  take(owner: string, handle: string): WaitingCall
}

const MOST_WAITING = 64
const LONGEST_MS = 10 * 60_000

export function createWaitingCalls(instance: string, { most = MOST_WAITING, longestMs = LONGEST_MS } = {}): WaitingCalls {
  const waiting = new Map<string, { readonly owner: string; readonly call: WaitingCall; readonly timer: NodeJS.Timeout }>()
  return {
    get size() {
      return waiting.size
    },
    add(owner, call) {
      if (waiting.size >= most) throw hostError('CALLS_WAITING', { plugin: instance, max: most })
      const handle = randomUUID()
      const timer = setTimeout(() => {
        waiting.delete(handle)
        call.abandon(hostError('CALL_NOT_WAITING', { plugin: instance }))
      }, longestMs).unref()
      waiting.set(handle, { owner, call, timer })
      return handle
    },
    take(owner, handle) {
      const found = waiting.get(handle)
      if (!found || found.owner !== owner) throw hostError('CALL_NOT_WAITING', { plugin: instance })
      clearTimeout(found.timer)
      waiting.delete(handle)
      return found.call
    },
  }
}
