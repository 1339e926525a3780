import type { InputRequest, ToolResult, WholeResult } from '@mcp-patchbay/plugin-api'
import { inputRequired, toolResult } from '@mcp-patchbay/plugin-api/host'
import { limit } from '../../data/content.ts'
import { isObject } from '../../data/json.ts'
import { hostError, type HostError } from '../../errors.ts'
import { orAborted } from '../../network/resilience/abort.ts'
import { messageOf } from '../../observability/thrown.ts'
import type { InlineOptions } from '../run/inline.ts'
import { pause } from '../../data/pause.ts'
import type { CallRequest, RunningPlugin } from '../run/running.ts'
import { createBackoff } from './backoff.ts'
import { createBroker, type Broker } from './broker.ts'
import type { IsolatedOptions, LoadedProcess } from './types.ts'
import type { CallOrder, StartOrder } from './channel/messages.ts'
import type { Packet } from './channel/peer.ts'
import { createOpaqueCallers } from './opaque-callers.ts'
import { isLack, ProcessGone, type PluginProcess } from './spawn.ts'
import { writeConfig } from './channel/config-codec.ts'
import { writeThrown } from './channel/error-codec.ts'

export interface SuperviseOptions extends IsolatedOptions {
  readonly onRead: (file: string, digest: string) => void
  readonly onListed: (folder: string) => void
  /** The same plugin in a new process, loaded and configured. */
  readonly restart: () => Promise<LoadedProcess>
}

export interface Supervised {
  readonly running: RunningPlugin
  /** Ends its process, whatever is in it. */
  readonly stop: () => void
}

/** How long a process may take to answer a word when it is suspected to be stuck, and to end when it is asked to. */
const PATIENCE_MS = 1_000

/** A process in service, and how to tell it from one that is gone. */
interface Serving {
  readonly process: PluginProcess
  readonly broker: Broker
  isSuspected: boolean
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

  async function serve({ process }: LoadedProcess): Promise<Serving> {
    const broker = createBroker({ ...services, now, onRead: options.onRead, onListed: options.onListed })
    process.attach(broker)
    // A process that dies says why; the question itself only that it will not be answered.
    const died = process.exited.then((problem) => {
      throw hostError('PLUGIN_PROCESS', { plugin: instance, problem, output: process.tail() })
    })
    died.catch(() => {})
    const { timeoutMs } = options
    const timer = setTimeout(() => process.kill(`it did not start within ${timeoutMs} ms`), timeoutMs)
    try {
      await Promise.race([process.peer.ask('start', { data: startOrder(services) }).answer, died])
    } finally {
      clearTimeout(timer)
    }
    const next = { process, broker, isSuspected: false }
    void process.exited.then((why) => onExit(next, why))
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
        const next = await serve(await options.restart())
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

  /** A call that ran out of time, or was cancelled, may be an endless loop, in which the process hears nothing: then it is replaced. */
  async function doubt(at: Serving): Promise<void> {
    if (at.isSuspected) return
    at.isSuspected = true
    const timer = setTimeout(
      () => at.process.kill(`it was stuck: it heard nothing for ${PATIENCE_MS} ms after a call had to end`),
      PATIENCE_MS,
    )
    await at.process.peer.ask('ping').answer.catch(() => {})
    clearTimeout(timer)
    at.isSuspected = false
  }

  function stop(): void {
    if (!life.signal.aborted) life.abort(hostError('PLUGIN_CRASHED', { plugin: instance, why: 'it was released' }))
    serving?.process.kill('the plugin was released')
    first.process.kill('the plugin was released')
  }

  try {
    serving = await serve(first)
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

interface Rights {
  readonly access: 'read' | 'write'
  readonly safePaths: readonly string[]
}

const READING: Rights = Object.freeze({ access: 'read', safePaths: [] })

/** Lets the plugin end what it began, for as long as one may wait for that. */
async function disposeIn(process: PluginProcess): Promise<void> {
  const timer = setTimeout(() => process.kill('it did not end in time'), PATIENCE_MS)
  try {
    await process.peer.ask('dispose').answer
  } finally {
    clearTimeout(timer)
  }
}

function scopeOf(request: CallRequest, { access, safePaths }: Rights) {
  const { signal, requestId, principal, credentials } = request
  const timeLeftMs = () => (request.dueAt ?? Infinity) - performance.now()
  return { access, safePaths, signal, timeLeftMs, requestId, principal, credentials }
}

function startOrder({ instance, surface, config, tenants = new Map(), hasBackground = true }: InlineOptions): StartOrder {
  return {
    instance,
    surface,
    config: writeConfig(config),
    tenants: [...tenants].map(([tenant, own]) => [tenant, writeConfig(own)]),
    hasBackground,
  }
}

function wireRequest(
  request: CallRequest,
  hidden: Pick<CallOrder['request'], 'principal' | 'credentialKey'>,
): CallOrder['request'] {
  const { requestId, inputResponses, clientCapabilities, requestState } = request
  return {
    requestId,
    ...hidden,
    ...(inputResponses === undefined ? {} : { inputResponses }),
    clientCapabilities,
    ...(requestState === undefined ? {} : { requestState }),
  }
}

/** Throws `InvalidResult` for more than may be sent on, before it is copied or parsed. */
function readReturned({ data, body }: Packet, maxBytes: number): unknown {
  const as = isObject(data) ? data['as'] : undefined
  if (as === 'nothing') return undefined
  limit(body.length, maxBytes)
  if (as === 'text') return body.toString()
  const value: unknown = JSON.parse(body.toString())
  if (as === 'result') return readWhole(isObject(value) ? value : {})
  if (as !== 'input') return value
  const { requests, state } = isObject(value) ? value : {}
  return inputRequired({ requests: (isObject(requests) ? requests : {}) as Readonly<Record<string, InputRequest>>, state })
}

/** Its parts are checked where the results of all plugins are. */
function readWhole({ content, structuredContent, isError, meta }: Readonly<Record<string, unknown>>): ToolResult {
  return toolResult({
    content: content as WholeResult['content'],
    structuredContent,
    isError: isError === true,
    ...(meta !== undefined && { meta: meta as Readonly<Record<string, unknown>> }),
  })
}
