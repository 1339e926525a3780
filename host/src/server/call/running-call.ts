import type { InputResponses, Logger, Principal } from '@mcp-patchbay/plugin-api'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { InvalidResult } from '../../data/content.ts'
import { HostError, hostError } from '../../errors.ts'
import type { CallAccount, CallerCredentials } from '../../network/http-call-scope.ts'
import type { Tracing } from '../../observability/tracing/types.ts'
import type { TraceContext } from '../../observability/tracing/trace-context.ts'
import type { Membership } from '../../data/active-set.ts'
import type { Cancellable, LivePlugin } from '../../plugin/run/live-plugin.ts'
import { progressStep } from '../../plugin/run/progress-step.ts'
import type { CallRequest, RunningPlugin } from '../../plugin/run/running.ts'
import type { CallIO } from './types.ts'
import type { Caller } from '../catalog/caller.ts'
import { Cancellation } from './cancellation.ts'
import type { Deadlines, Limited } from './deadlines.ts'

/** What one call is run with. */
export interface CallLife {
  readonly name: string
  readonly timeoutMs: number
  readonly caller: Caller
  readonly io: CallIO
}

interface TracedLife extends CallLife {
  readonly trace: TraceContext | undefined
}

/** What all calls of a host share. */
export interface CallTimes {
  readonly deadlines: Deadlines
  readonly log: Logger
  /** What a call tells its client on its way has no secrets either. */
  readonly redact: (text: string) => string
  readonly tracing?: Tracing | undefined
}

/**
 * Runs one piece of work in one version of a plugin: enters it, limits its time, and ends it when the client goes or the version is
 * drained for too long. Whatever ends it first decides the answer; a plugin that ignores its signal is not waited for.
 */
export function runIn(
  live: LivePlugin,
  life: CallLife,
  times: CallTimes,
  work: (running: RunningPlugin, request: CallRequest) => Promise<unknown>,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    if (life.io.cancellation.isCancelled) return reject(hostError('CALL_CANCELLED', { tool: life.name }))
    const span = times.tracing?.begin(`plugin ${live.instance}`, {
      kind: 'internal',
      parent: life.io.trace,
      attributes: () => ({ 'patchbay.plugin': live.instance }),
    })
    const call = new RunningCall(live, { ...life, trace: span?.trace ?? life.io.trace }, times, (reason) => {
      span?.end({ error: reason instanceof HostError ? reason.code : 'cancelled' })
      reject(reason)
    })
    work(live.running, call).then(
      (value) => {
        if (call.finish()) span?.end()
        resolve(value)
      },
      (error: unknown) => {
        if (call.finish()) span?.end({ error: codeOf(error) })
        reject(ofPlugin(error))
      },
    )
  })
}

/** Of what kind an error is, in a word. */
function codeOf(error: unknown): string {
  return isMeantForClients(error) && (error instanceof HostError || error instanceof ServiceError) ? error.code : 'plugin_error'
}

/** What a plugin threw, when it is not an error that is meant for clients: told from what fails in the host around it. */
export class PluginThrew extends Error {}

function ofPlugin(error: unknown): unknown {
  return isMeantForClients(error) ? error : new PluginThrew('A plugin threw', { cause: error })
}

/** Anything can be thrown: what throws when it is looked at is meant for none. */
function isMeantForClients(error: unknown): boolean {
  try {
    if (error instanceof HostError || error instanceof InvalidResult) return true
    return error instanceof ServiceError && typeof error.message === 'string'
  } catch {
    return false
  }
}

/**
 * One call in one version: what ends it early, and what its plugin may ask of it. Getters on a prototype: what a plugin does not look at
 * is not made. Those that give functions give them whole, to be taken apart.
 */
class RunningCall implements CallRequest, Cancellable, Limited {
  readonly dueAt: number
  readonly #parts: TracedLife
  readonly #live: LivePlugin
  readonly #log: Logger
  readonly #redact: (text: string) => string
  readonly #reject: (reason: Error) => void
  readonly #inVersion: Membership
  readonly #inTime: Membership
  readonly #life = new Cancellation()
  #progress: CallRequest['progress'] | undefined
  #isOver = false

  constructor(live: LivePlugin, parts: TracedLife, { deadlines, log, redact }: CallTimes, reject: (reason: Error) => void) {
    this.dueAt = performance.now() + parts.timeoutMs
    this.#parts = parts
    this.#live = live
    this.#log = log
    this.#redact = redact
    this.#reject = reject
    this.#inVersion = live.enter(this)
    this.#inTime = deadlines.add(this)
    parts.io.cancellation.onCancel(() => this.cancel(hostError('CALL_CANCELLED', { tool: parts.name })))
  }

  cancel(reason: Error): void {
    if (this.#life.isCancelled) return
    this.#reject(reason)
    this.#release()
    this.#life.cancel(reason)
  }

  expire(): void {
    const { name, timeoutMs } = this.#parts
    this.cancel(hostError('CALL_TIMEOUT', { tool: name, ms: timeoutMs }))
  }

  onCancel(listener: ((reason: unknown) => void) | undefined): void {
    this.#life.onCancel(listener)
  }

  /** The plugin is done with it; false where something ended it before. */
  finish(): boolean {
    if (this.#life.isCancelled) return false
    this.#release()
    return true
  }

  #release(): void {
    this.#isOver = true
    this.#inTime.release()
    this.#parts.io.cancellation.onCancel(undefined)
    this.#inVersion.release()
  }

  get requestId(): string {
    return this.#parts.io.requestId
  }
  get trace(): TraceContext | undefined {
    return this.#parts.trace
  }
  get session(): string | undefined {
    return this.#parts.io.session
  }
  get principal(): Principal {
    return this.#parts.caller.principal
  }
  get credentials(): CallerCredentials | undefined {
    return this.#parts.caller.credentials
  }
  get account(): CallAccount | undefined {
    return this.#parts.caller.account
  }
  get signal(): AbortSignal {
    return this.#life.signal
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
  get wantsProgress(): boolean {
    return this.#parts.io.progress !== undefined
  }
  get progress(): CallRequest['progress'] {
    const { name, io } = this.#parts
    return (this.#progress ??= increasing({
      name,
      io,
      live: this.#live,
      isOver: () => this.#isOver,
      log: this.#log,
      redact: this.#redact,
    }))
  }
  get log(): CallRequest['log'] {
    const { io } = this.#parts
    const { instance } = this.#live
    return (level, data) => {
      if (!this.#isOver) io.log?.(level, withoutSecrets(data, this.#redact), instance)
    }
  }
  get closeStream(): () => void {
    const { io } = this.#parts
    return () => io.closeStream?.()
  }
}

interface ProgressParts {
  readonly name: string
  readonly io: CallIO
  readonly live: LivePlugin
  readonly isOver: () => boolean
  readonly log: Logger
  readonly redact: (text: string) => string
}

/** MCP wants progress to grow, and none behind the answer: what does not grow is dropped and said once, what is late is dropped. */
function increasing({ name, io, live, isOver, log, redact }: ProgressParts): CallRequest['progress'] {
  let last = -Infinity
  let warned = false
  return (progress, options) => {
    if (!io.progress || isOver()) return
    const step = progressStep(progress, options)
    if (!step || step.progress <= last) {
      if (!warned) log.warn('progress_not_increasing', { plugin: live.instance, tool: name })
      warned = true
      return
    }
    const { progress: reached, message, ...total } = step
    last = reached
    io.progress(reached, message === undefined ? total : { ...total, message: redact(message) })
  }
}

/** What a plugin logs for its client: what JSON cannot hold is the transport's to refuse. */
function withoutSecrets(data: unknown, redact: (text: string) => string): unknown {
  if (typeof data === 'string') return redact(data)
  if (typeof data !== 'object' || data === null) return data
  const json = JSON.stringify(data)
  const redacted = redact(json)
  return redacted === json ? data : (JSON.parse(redacted) as unknown)
}
