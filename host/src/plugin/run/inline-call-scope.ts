import { AsyncLocalStorage } from 'node:async_hooks'
import type { CallScope } from '../../network/http-call-scope.ts'

const storage = new AsyncLocalStorage<CallScope | undefined>()

/** The call that the running code belongs to; undefined in background work. The network layer asks it for the rights of a request. */
export function currentCall(): CallScope | undefined {
  return storage.getStore()
}

/** Runs `work` as part of `scope`, through everything it awaits. */
export function inCall<Result>(scope: CallScope, work: () => Result): Result {
  return storage.run(scope, work)
}

/** Runs `work` as part of no call, wherever it was called from: what a plugin in its own process does in the background. */
export function outsideCalls<Result>(work: () => Result): Result {
  return storage.run(undefined, work)
}
