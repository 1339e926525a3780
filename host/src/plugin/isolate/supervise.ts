import { hostError, type HostError } from '../../errors.ts'
import { orAborted } from '../../network/resilience/abort.ts'
import { messageOf } from '../../observability/thrown.ts'
import type { InlineOptions } from '../run/inline.ts'
import { pause } from '../../data/async.ts'
import type { CallRequest, RunningPlugin } from '../run/running.ts'
import { createBackoff } from './backoff.ts'
import type { IsolatedOptions, LoadedProcess } from './types.ts'
import type { CallOrder } from './channel/messages.ts'
import { readReturned } from './channel/returned-codec.ts'
import { READING, scopeOf, wireRequest, type Rights } from './channel/orders.ts'
import { createOpaqueCallers } from './opaque-callers.ts'
import { disposeIn, doubt, serve, type ServeOptions, type Serving } from './serving.ts'
import { isLack, ProcessGone } from './spawn.ts'
import { writeThrown } from './channel/error-codec.ts'

export interface SuperviseOptions extends IsolatedOptions, ServeOptions {
  /** The same plugin in a new process, loaded and configured. */
  readonly restart: () => Promise<LoadedProcess>
}

export interface Supervised {
  readonly running: RunningPlugin
  /** Ends its process, whatever is in it. */
  readonly stop: () => void
}

/** Starts the plugin in its process, and from then on keeps a process there: one that dies is replaced, after a while, until it dies too often. */
export async function superviseIsolated(
  first: LoadedProcess,
  services: InlineOptions,
  options: SuperviseOptions,
): Promise<Supervised> {
  const { instance, surface, log } = services
  const { now, random } = options
  const backoff = createBackoff({ now, random })
  const { opaque, hide } = createOpaqueCallers()
  const life = new AbortController()
  let failure: HostError | undefined
  let serving: Serving | undefined
  /** Settles when a process is in service again, or none ever will be. */
  let returning: Promise<void> | undefined

  async function begin(loaded: LoadedProcess): Promise<Serving> {
    const next = await serve(loaded, services, options)
    void next.process.exited.then((why) => onExit(next, why))
    return next
  }

  function onExit(gone: Serving, why: string): void {
    if (serving !== gone || life.signal.aborted) return
    serving = undefined
    log.warn('plugin_exited', { reason: why, output: gone.process.tail().slice(-LOGGED_OUTPUT) })
    returning = comeBack(why)
  }

  async function comeBack(why: string): Promise<void> {
    for (let last = why, isLacking = false; ;) {
      const waitMs = isLacking ? backoff.lacked() : backoff.exited()
      if (waitMs === undefined) {
        failure = hostError('PLUGIN_CRASHED', { plugin: instance, why: last })
        return options.onFailed?.()
      }
      await pause(waitMs, life.signal)
      if (life.signal.aborted) return
      try {
        const next = await begin(await options.restart())
        if (life.signal.aborted) return next.process.kill('the plugin was disposed')
        serving = next
        log.info('plugin_restarted', { afterMs: Math.round(waitMs) })
        options.onRestarted(instance)
        return
      } catch (error) {
        if (life.signal.aborted) return
        last = messageOf(error)
        isLacking = error instanceof Error && isLack(error.cause)
        log.warn('plugin_restart_failed', { error })
      }
    }
  }

  /** The process that takes calls, once there is one. Rejects with why there will be none, and when the caller cannot wait. */
  async function inService(signal: AbortSignal): Promise<Serving> {
    if (serving) return serving
    if (failure) throw failure
    if (life.signal.aborted) throw life.signal.reason
    await orAborted(returning ?? Promise.resolve(), signal)
    return inService(signal)
  }

  async function call(order: Omit<CallOrder, 'request'>, rights: Rights, request: CallRequest): Promise<unknown> {
    const { signal } = request
    const at = serving ?? (await inService(signal))
    const { peer } = at.process
    const credentialKey = hide(services.credentialKey?.(request, rights.access) ?? '')
    const sent = { ...order, request: wireRequest(request, { principal: opaque(request.principal), credentialKey }) }
    const { id, answer } = peer.ask('call', { data: sent satisfies CallOrder })
    at.broker.begin(id, { request, scope: scopeOf(request, rights) })
    const cancel = () => {
      peer.tell('cancel', { call: id, reason: writeThrown(signal.reason) })
      void doubt(at)
      peer.giveUp(id, signal.reason)
    }
    if (signal.aborted) cancel()
    else signal.addEventListener('abort', cancel, { once: true })
    try {
      return readReturned(await answer, options.limits.answerBytes)
    } catch (error) {
      if (!(error instanceof ProcessGone)) throw error
      throw hostError('PLUGIN_RESTARTED', { plugin: instance, why: error.message, mayHaveRun: rights.access === 'write' })
    } finally {
      signal.removeEventListener('abort', cancel)
      at.broker.end(id)
    }
  }

  function stop(): void {
    if (!life.signal.aborted) life.abort(hostError('PLUGIN_CRASHED', { plugin: instance, why: 'it was released' }))
    serving?.process.kill('the plugin was released')
    first.process.kill('the plugin was released')
  }

  try {
    serving = await begin(first)
  } catch (error) {
    stop()
    await services.http[Symbol.asyncDispose]()
    throw error
  }

  const toolRights = new Map(surface.tools.map(({ name, access, safePaths }) => [name, { access, safePaths }]))
  const running: RunningPlugin = {
    surface,
    get failure() {
      return failure
    },
    callTool: (name, input, request) => call({ kind: 'tool', name, input }, toolRights.get(name) ?? READING, request),
    readResource: (name, uri, params, request) => call({ kind: 'resource', name, uri, params }, READING, request),
    complete: (of, name, input, request) => call({ kind: 'completion', of, name, input }, READING, request),
    getPrompt: (name, args, request) => call({ kind: 'prompt', name, input: args }, READING, request),
    async [Symbol.asyncDispose]() {
      life.abort(new Error(`Plugin "${instance}" was disposed`))
      const last = serving?.process
      try {
        if (last) await disposeIn(last)
      } finally {
        stop()
        await services.http[Symbol.asyncDispose]()
        await last?.exited
      }
    },
  }
  return { running, stop }
}

const LOGGED_OUTPUT = 2_000
