import { hostError, type HostError } from '../../errors.ts'
import { orAborted } from '../../network/resilience/abort.ts'
import { messageOf } from '../../observability/thrown.ts'
import type { InlineOptions } from '../run/inline.ts'
import { pause } from '../../data/async.ts'
import type { CallRequest, RunningPlugin } from '../run/running.ts'
import { createBackoff } from './backoff.ts'
import type { IsolatedOptions, LoadedProcess } from './types.ts'
import { longTextsOf, makeWhole } from '../../data/long-text/long-texts.ts'
import { argumentsJson, exact } from './channel/arguments-codec.ts'
import type { CallOrder } from './channel/messages.ts'
import { isOrdinary, READING, wireRequest, type Rights } from './channel/orders.ts'
import { IsolatedCall, type CallTerms } from './calls/isolated-call.ts'
import { createIdleWatch } from './calls/idle-watch.ts'
import { createOpaqueCallers } from './calls/opaque-callers.ts'
import { disposeIn, serve, type ServeOptions, type Serving } from './serving.ts'
import { isLack } from './spawn.ts'

export interface SuperviseOptions extends IsolatedOptions, ServeOptions {
  /** The same plugin in a new process, loaded and configured. */
  readonly restart: () => Promise<LoadedProcess>
}

export interface Supervised {
  readonly running: RunningPlugin
  /** Ends its process, even while calls run in it. */
  readonly stop: () => void
}

/**
 * Starts the plugin in its process, and from then on keeps a process there: one that dies is replaced, after a while, until it dies too
 * often.
 */
export async function superviseIsolated(
  first: LoadedProcess,
  services: InlineOptions,
  options: SuperviseOptions,
): Promise<Supervised> {
  const { instance, surface, log } = services
  const { now, random } = options
  const backoff = createBackoff({ now, random })
  const hidden = createOpaqueCallers()
  /** What `start` began goes on until it is said that it may end. */
  const mayIdle = services.plugin.start === undefined || !(services.hasBackground ?? true) || options.idleMs !== undefined
  const idleMs = () => options.idleMs ?? options.limits.idleMs
  const idle = createIdleWatch({ idleMs: () => (mayIdle ? idleMs() : 0), now, onIdle: rest })
  const terms: CallTerms = { instance, answerBytes: options.limits.answerBytes, idle }
  const toolNumbers = new Map(surface.tools.map(({ name }, number) => [name, number]))
  const life = new AbortController()
  let failure: HostError | undefined
  let serving: Serving | undefined
  let isIdle = false
  /** Settles when a process is in service again, or none ever will be. */
  let returning: Promise<void> | undefined

  async function begin(loaded: LoadedProcess): Promise<Serving> {
    const next = await serve(loaded, services, { ...options, hidden })
    void next.process.exited.then((why) => onExit(next, why))
    idle.began()
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

  /** Ends the process with what it holds; the next call brings another. What comes from here on finds none in service. */
  function rest(): void {
    if (!serving || life.signal.aborted) return
    const { process } = serving
    serving = undefined
    setIdle(true)
    void disposeIn(process)
      .catch((error: unknown) => log.warn('plugin_dispose_failed', { error }))
      .finally(() => process.kill('it was idle'))
  }

  async function resume(): Promise<void> {
    setIdle(false)
    try {
      const next = await begin(await options.restart())
      if (life.signal.aborted) return next.process.kill('the plugin was disposed')
      serving = next
    } catch (error) {
      if (life.signal.aborted) return
      log.warn('plugin_restart_failed', { error })
      await comeBack(messageOf(error))
    }
  }

  function setIdle(now: boolean): void {
    isIdle = now
    log.debug(now ? 'plugin_idle' : 'plugin_resumed')
    options.onIdle(instance, now)
  }

  /** Resolves with the process that takes calls. Rejects with the reason if there will be none, and when the caller cannot wait. */
  async function inService(signal: AbortSignal): Promise<Serving> {
    if (serving) return serving
    if (failure) throw failure
    if (life.signal.aborted) throw life.signal.reason
    if (isIdle) returning = resume()
    await orAborted(returning ?? Promise.resolve(), signal)
    return inService(signal)
  }

  function run(order: Omit<CallOrder, 'request'>, rights: Rights, request: CallRequest): Promise<unknown> {
    return serving
      ? callIn(serving, order, rights, request)
      : inService(request.signal).then((at) => callIn(at, order, rights, request))
  }

  function callIn(at: Serving, order: Omit<CallOrder, 'request'>, rights: Rights, request: CallRequest): Promise<unknown> {
    const { peer } = at.process
    const { principal, clientCapabilities } = request
    const of = [principal, clientCapabilities, services.credentialKey?.(request, rights.access) ?? ''] as const
    const tool = order.kind === 'tool' && isOrdinary(request) ? toolNumbers.get(order.name) : undefined
    return new Promise((resolve, reject) => {
      new IsolatedCall({ at, request, rights, terms }, { resolve, reject }).begin((pending) => {
        const facts = tool === undefined ? undefined : at.callers.numberOf(...of)
        if (tool !== undefined && facts !== undefined) {
          const json = argumentsJson(order.input)
          const texts = longTextsOf(order.input)
          if (!texts) return peer.call(tool, facts, json, pending)
          return texts.take((pieces) => peer.call(tool, facts, { json, texts: pieces }, pending))
        }
        makeWhole(order.input)
        return peer.sendRequest(pending, 'call', {
          data: {
            ...order,
            input: exact(order.input),
            request: wireRequest(request, at.callers.facts(...of)),
          } satisfies CallOrder,
        })
      })
    })
  }

  function stop(): void {
    idle[Symbol.dispose]()
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
    takesLongTexts: true,
    get failure() {
      return failure
    },
    get isIdle() {
      return isIdle
    },
    get mayIdle() {
      return mayIdle && idleMs() > 0
    },
    callTool: (name, input, request) => run({ kind: 'tool', name, input }, toolRights.get(name) ?? READING, request),
    readResource: (name, uri, params, request) => run({ kind: 'resource', name, uri, params }, READING, request),
    listResources: (name, cursor, request) => run({ kind: 'listing', name, input: cursor }, READING, request),
    complete: (of, name, input, request) => run({ kind: 'completion', of, name, input }, READING, request),
    getPrompt: (name, args, request) => run({ kind: 'prompt', name, input: args }, READING, request),
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
