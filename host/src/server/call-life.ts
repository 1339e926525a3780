import type { Logger } from '@mcp-patchbay/plugin-api'
import { hostError } from '../errors.ts'
import type { HostMetrics } from '../observability/metrics.ts'
import type { LivePlugin } from '../service/live-plugin.ts'
import type { CallRequest, RunningPlugin } from '../service/running.ts'
import type { CallIO } from './call.ts'
import type { Caller } from './caller.ts'

export interface CallDeps {
  readonly log: Logger
  readonly metrics: HostMetrics
  readonly now: () => number
  /** Read at each call: limits change without a restart. */
  readonly limits: () => { readonly callTimeoutMs: number; readonly resultBytes: number }
  /** Takes every known secret out of a text that leaves the host. */
  readonly redact: (text: string) => string
}

interface CallLife {
  readonly name: string
  readonly timeoutMs: number
  readonly caller: Caller
  readonly io: CallIO
}

/**
 * Runs one piece of work in one version of a plugin: enters it, limits its time, and ends it when the client goes or the version is
 * drained for too long. Whatever ends it first decides the answer; a plugin that ignores its signal is not waited for.
 */
export async function runIn(
  live: LivePlugin,
  { name, timeoutMs, caller, io }: CallLife,
  { log }: CallDeps,
  work: (running: RunningPlugin, request: CallRequest) => Promise<unknown>,
): Promise<unknown> {
  if (io.signal.aborted) throw hostError('CALL_CANCELLED', { tool: name })
  const controller = new AbortController()
  const { promise: ended, reject } = Promise.withResolvers<never>()
  const end = (reason: Error) => {
    reject(reason)
    controller.abort(reason)
  }
  const leave = live.enter(end)
  const timer = setTimeout(() => end(hostError('CALL_TIMEOUT', { tool: name, ms: timeoutMs })), timeoutMs)
  const onAbort = () => end(hostError('CALL_CANCELLED', { tool: name }))
  io.signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work(live.running, request(controller.signal)), ended])
  } finally {
    clearTimeout(timer)
    io.signal.removeEventListener('abort', onAbort)
    leave()
  }

  function request(signal: AbortSignal): CallRequest {
    return {
      requestId: io.requestId,
      principal: caller.principal,
      signal,
      inputResponses: io.inputResponses,
      clientCapabilities: io.clientCapabilities ?? {},
      requestState: io.requestState,
      progress: increasing(io.progress),
      log: (level, data) => io.log?.(level, data, live.instance),
      closeStream: () => io.closeStream?.(),
    }

    /** MCP wants progress to grow; what does not is dropped and said once. */
    function increasing(send: CallIO['progress']): CallRequest['progress'] {
      let last = -Infinity
      let warned = false
      return (progress, options) => {
        if (!send || signal.aborted) return
        if (!(progress > last)) {
          if (!warned) log.warn('progress_not_increasing', { plugin: live.instance, tool: name })
          warned = true
          return
        }
        last = progress
        send(progress, options)
      }
    }
  }
}
