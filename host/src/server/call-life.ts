import type { InputResponses, Logger, Principal } from '@mcp-patchbay/plugin-api'
import { hostError } from '../errors.ts'
import type { CallerCredentials } from '../network/call-scope.ts'
import type { Audit } from '../observability/audit.ts'
import type { HostMetrics } from '../observability/metrics.ts'
import type { Redactor } from '../observability/redact.ts'
import type { LivePlugin } from '../service/live-plugin.ts'
import type { CallRequest, RunningPlugin } from '../service/running.ts'
import type { CallIO } from './call.ts'
import type { Caller } from './caller.ts'
import { Cancellation } from './cancellation.ts'
import type { Middleware } from './middleware.ts'
import type { RateLimit } from './rate-limit.ts'
import type { ResultCache } from './result-cache.ts'

export interface CallDeps {
  readonly log: Logger
  readonly metrics: HostMetrics
  readonly now: () => number
  /** Read at each call: limits change without a restart. */
  readonly limits: () => { readonly callTimeoutMs: number; readonly resultBytes: number }
  /** Takes every known secret out of a text that leaves the host. */
  readonly redact: Redactor
  /** Without it every call runs. */
  readonly results?: ResultCache
  /** Without it nothing is limited. */
  readonly rate?: RateLimit
  readonly audit?: Audit
  /** What a config adds to the way of a call, in order. */
  readonly middleware?: readonly Middleware[]
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
export function runIn(
  live: LivePlugin,
  { name, timeoutMs, caller, io }: CallLife,
  { log }: CallDeps,
  work: (running: RunningPlugin, request: CallRequest) => Promise<unknown>,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    if (io.cancellation.isCancelled) return reject(hostError('CALL_CANCELLED', { tool: name }))
    const life = new Cancellation()
    const end = (reason: Error) => {
      reject(reason)
      life.cancel(reason)
    }
    const leave = live.enter(end)
    const timer = setTimeout(() => end(hostError('CALL_TIMEOUT', { tool: name, ms: timeoutMs })), timeoutMs)
    const over = () => {
      clearTimeout(timer)
      io.cancellation.onCancel(undefined)
      leave()
    }
    life.onCancel(over)
    io.cancellation.onCancel(() => end(hostError('CALL_CANCELLED', { tool: name })))
    work(live.running, new LiveRequest({ name, caller, io, live, life, log })).then(
      (value) => {
        if (!life.isCancelled) over()
        resolve(value)
      },
      (error: unknown) => {
        if (!life.isCancelled) over()
        reject(error)
      },
    )
  })
}

interface LiveRequestParts {
  readonly name: string
  readonly caller: Caller
  readonly io: CallIO
  readonly live: LivePlugin
  readonly life: Cancellation
  readonly log: Logger
}

/** Getters on a prototype: what a plugin does not look at is not made. Those that give functions give them whole, to be taken apart. */
class LiveRequest implements CallRequest {
  readonly #parts: LiveRequestParts
  #progress: CallRequest['progress'] | undefined

  constructor(parts: LiveRequestParts) {
    this.#parts = parts
  }

  get requestId(): string {
    return this.#parts.io.requestId
  }
  get principal(): Principal {
    return this.#parts.caller.principal
  }
  get credentials(): CallerCredentials | undefined {
    return this.#parts.caller.credentials
  }
  get signal(): AbortSignal {
    return this.#parts.life.signal
  }
  get inputResponses(): InputResponses | undefined {
    return this.#parts.io.inputResponses
  }
  get clientCapabilities(): Readonly<Record<string, unknown>> {
    return this.#parts.io.clientCapabilities ?? {}
  }
  get requestState(): unknown {
    return this.#parts.io.requestState
  }
  get progress(): CallRequest['progress'] {
    return (this.#progress ??= increasing(this.#parts))
  }
  get log(): CallRequest['log'] {
    const { io, live } = this.#parts
    return (level, data) => io.log?.(level, data, live.instance)
  }
  get closeStream(): () => void {
    const { io } = this.#parts
    return () => io.closeStream?.()
  }
}

/** MCP wants progress to grow; what does not is dropped and said once. */
function increasing({ name, io, live, life, log }: LiveRequestParts): CallRequest['progress'] {
  let last = -Infinity
  let warned = false
  return (progress, options) => {
    if (!io.progress || life.isCancelled) return
    if (!(progress > last)) {
      if (!warned) log.warn('progress_not_increasing', { plugin: live.instance, tool: name })
      warned = true
      return
    }
    last = progress
    io.progress(progress, options)
  }
}
