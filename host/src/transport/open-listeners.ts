import type { ResolvedConfig } from '../config/schema/schema.ts'
import { hostError } from '../errors.ts'
import type { AdminAccess } from './admin/types.ts'
import { listenOn, type ListenDeps, type Listening, type ListenOptions } from './listen.ts'

/** The listeners of a host, and its end. */
export interface OpenListeners {
  /** Throws `HOST_CLOSED`, and what `listenOn` throws. */
  open(options: ListenOptions, admin?: AdminAccess): Promise<Listening>
  /** Closes them all, then disposes what is behind them. Later calls wait for the first. */
  close(options?: { readonly graceMs?: number; readonly leaveMs?: number }): Promise<void>
  /** Resolves when that is done. */
  readonly closed: Promise<void>
}

/** `deps` are read for each listener, `limits` when they are closed. */
export function createOpenListeners(
  deps: () => ListenDeps,
  { limits, behind }: { readonly limits: () => ResolvedConfig['limits']; readonly behind: AsyncDisposable },
): OpenListeners {
  const listeners = new Set<Listening>()
  const closed = Promise.withResolvers<void>()
  let closing: Promise<void> | undefined

  async function closeAll(options: { readonly graceMs: number; readonly leaveMs: number }): Promise<void> {
    await Promise.all([...listeners].map((listening) => listening.close(options)))
    await behind[Symbol.asyncDispose]()
    closed.resolve()
  }

  return {
    closed: closed.promise,
    async open(options, admin) {
      if (closing) throw hostError('HOST_CLOSED', {})
      const listening = await listenOn(options, deps(), admin)
      listeners.add(listening)
      return listening
    },
    async close({ graceMs = limits().drainMs, leaveMs = limits().leaveMs } = {}) {
      return (closing ??= closeAll({ graceMs, leaveMs }))
    },
  }
}
