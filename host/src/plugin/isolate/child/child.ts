/**
 * Runs one plugin in a process of its own, for the host at the other end of descriptor 3. Nothing here decides about rights: what a
 * plugin may do is decided by the flags this process was started with and by the host, whatever the plugin does to this code. Started
 * by spawn.ts.
 */
import type { CompletionInput, InputResponses, Principal, ServicePlugin } from '@mcp-patchbay/plugin-api'
import { isInputRequired, isToolResult, withDiscovered } from '@mcp-patchbay/plugin-api/host'
import { InvalidResult } from '../../../data/content.ts'
import { OpenRequests } from '../../../data/open-requests.ts'
import { hostError } from '../../../errors.ts'
import { locationOf } from '../../../modules/location.ts'
import type { Admit } from '../../../modules/types.ts'
import { isError, valueOf } from '../../../observability/thrown.ts'
import { createPluginGraph } from '../../source/plugin-graph.ts'
import { importPlugin } from '../../source/import.ts'
import { discoverInline, runInline } from '../../run/inline.ts'
import { progressStep } from '../../run/progress-step.ts'
import type { CallRequest, RunningPlugin } from '../../run/running.ts'
import { denialOf, isWayToGranted, watchDenials, type Denial } from './child-denials.ts'
import { callNumber, plain, remoteCaches, remoteHttp, remoteLog, remoteMetrics } from './child-services.ts'
import { noteReads, type Reads } from './child-reads.ts'
import { createNotifications } from './child-notifications.ts'
import { describe } from '../channel/description.ts'
import { writeLoaded } from '../channel/loaded-codec.ts'
import type {
  CallerFacts,
  CallOrder,
  HostNotifications,
  HostRequests,
  LoadOrder,
  PluginNotifications,
  WireRequest,
} from '../channel/messages.ts'
import { pacedProgress, type PacedProgress } from '../channel/paced-progress.ts'
import { openPeer, type CallResult, type Peer, type ReceivedCall, type ResultKind, type SentMessage } from '../channel/peer.ts'
import { readConfig } from '../channel/config-codec.ts'
import { readThrown, writeThrown } from '../channel/error-codec.ts'

const CHANNEL = 3
/** The host passes on four steps of progress a second; more than it can choose the last one of need not be sent to it. */
const PACE_MS = 50

/** As it was before a plugin could change it. */
const { parse } = JSON

let maxAnswerBytes = 0
let reads: Reads | undefined
let isLoaded = false
/** What its module exports, and that with what it discovered. */
let exported: unknown
let plugin: unknown
let running: RunningPlugin | undefined
/** By the numbers that calls say. */
let toolNames: readonly string[] = []
const facts: CallerFacts[] = []
const calls = new OpenRequests<RemoteRequest>()

const asks: { readonly [What in keyof HostRequests]: (order: HostRequests[What], id: number) => Promise<SentMessage> } = {
  load,
  configure: async ({ config }) => ({ data: (plugin as ServicePlugin).isAuthConfigured(readConfig(config)) }),
  async discover({ instance, config }) {
    const found = await discoverInline({
      instance,
      plugin: exported as ServicePlugin,
      config: readConfig(config),
      http: remoteHttp(peer, instance),
      log: remoteLog(tells),
      ownLog: () => remoteLog(tells),
      metrics: remoteMetrics(tells),
      cache: remoteCaches(peer),
      digest: '',
      signal: new AbortController().signal,
    })
    plugin = withDiscovered(exported as ServicePlugin, found)
    const { as, body = '' } = sized('json', describe(found) ?? 'null')
    return { data: { as }, body }
  },
  async start({ instance, surface, config, tenants, hasBackground }) {
    running = await runInline({
      instance,
      plugin: plugin as ServicePlugin,
      surface,
      config: readConfig(config),
      tenants: new Map(tenants.map(([tenant, own]) => [tenant, readConfig(own)])),
      hasBackground,
      credentialKey: (request) => (request instanceof RemoteRequest ? request.credentialKey : ''),
      http: remoteHttp(peer, instance),
      log: remoteLog(tells),
      ownLog: () => remoteLog(tells),
      metrics: remoteMetrics(tells),
      cache: remoteCaches(peer),
      digest: '',
      resourceChanged,
    })
    toolNames = surface.tools.map(({ name }) => name)
    tellReads()
    return {}
  },
  call,
  ping: async () => ({}),
  async dispose() {
    await running?.[Symbol.asyncDispose]()
    return {}
  },
}

const peer: Peer = openPeer({
  socket: { fd: CHANNEL },
  from: 'host',
  onRequest: (what, { data }, id) => asks[what as keyof HostRequests](data as never, id),
  onCall: callTool,
  onNotification(what, data) {
    if (what === 'cancel') {
      const { call: id, reason } = data as HostNotifications['cancel']
      calls.get(id)?.cancel(readThrown(reason, true))
    } else if (what === 'facts') {
      const { number, ...of } = data as HostNotifications['facts']
      facts[number] = of
    }
  },
  onFault: () => process.exit(1),
  // Without its host a plugin has nothing to do. One that never comes to read this is ended by reaper.ts.
  onClose: () => process.exit(0),
})

const tells = createNotifications(peer)

function deny(denial: Denial, number = callNumber()): void {
  if (isWayToGranted(denial, number !== 0)) return
  tells.tell('denied', { call: number, ...denial })
}

/** A plugin is built from what it read until it was started; what calls read is theirs. */
function tellReads(): void {
  if (!reads) return
  reads.stop()
  for (const [file, digest] of reads.files) tells.tell('read', { file, digest })
  for (const folder of reads.folders) tells.tell('listed', { folder })
}

async function load(order: LoadOrder): Promise<SentMessage> {
  const { file, root, label, timeoutMs, maxAnswerBytes: most, approved, isWatching } = order
  maxAnswerBytes = most
  if (isWatching && file !== root) reads = noteReads(root)
  const files = new Set<string>()
  const digests = new Map<string, string>()
  const graph = createPluginGraph({ warn: () => {} }, admission(files, approved), { reclaim: 'off', keepsSources: isWatching })
  try {
    const imported = await importPlugin({ source: 'path', file, root }, { graph, timeoutMs, label, digests })
    plugin = exported = imported.exported
    isLoaded = true
    return writeLoaded({ description: describe(plugin), digests: imported.modules.digests, links: imported.modules.links })
  } catch (error) {
    const location = placeOf(error, new Set([...digests.keys(), ...files]))
    return writeLoaded({ error: writeThrown(error), location, digests })
  }
}

/** Notes every file before it runs; in a frozen deployment only those run that the host compared with the lock. */
function admission(files: Set<string>, approved: LoadOrder['approved']): Admit {
  const digests = approved && new Map(approved)
  return ({ file, digest, once }) => {
    files.add(file)
    // Packages outside are the process's, which ends with its plugin.
    if (isLoaded && !once) tells.tell('read', { file, digest })
    if (!digests || digests.get(file) === digest) return
    const problem = digests.has(file) ? 'it changed after it was compared with mcp.lock.json' : 'mcp.lock.json does not cover it'
    throw hostError('PIN_FILE', { file, problem })
  }
}

function placeOf(error: unknown, files: ReadonlySet<string>, depth = 0): unknown {
  if (!isError(error) || depth > 5) return undefined
  return placeOf(valueOf(error, 'cause'), files, depth + 1) ?? locationOf(error, files)
}

async function call(
  { kind, name, input, of = 'prompt', uri = '', params = {}, request }: CallOrder,
  id: number,
): Promise<SentMessage> {
  const { as, body } = await runCall(new RemoteRequest(id, request, request), (plugin, by) => {
    if (kind === 'tool') return plugin.callTool(name, input, by)
    if (kind === 'completion') return plugin.complete?.(of, name, input as CompletionInput, by) ?? Promise.resolve([])
    if (kind === 'resource') return plugin.readResource(name, uri, params, by)
    return plugin.getPrompt(name, input, by)
  })
  return { data: { as }, ...(body === undefined ? {} : { body }) }
}

function callTool({ id, tool, facts: number, body }: ReceivedCall): Promise<CallResult> {
  const own = facts[number]
  const name = toolNames[tool]
  if (!own || name === undefined) throw new Error(`There is no tool ${tool}`)
  const input: unknown = body.length === 0 ? undefined : parse(body.toString())
  return runCall(new RemoteRequest(id, own), (plugin, by) => plugin.callTool(name, input, by))
}

async function runCall(
  request: RemoteRequest,
  work: (plugin: RunningPlugin, request: RemoteRequest) => Promise<unknown>,
): Promise<CallResult> {
  if (!running) throw new Error('The plugin was not started')
  const { id } = request
  calls.add(id, request)
  try {
    return returned(await work(running, request))
  } catch (error) {
    const denial = denialOf(error)
    if (denial) deny(denial, id)
    throw error
  } finally {
    request.end()
    calls.delete(id)
  }
}

function returned(value: unknown): CallResult {
  if (typeof value === 'string') return sized('text', value)
  if (value === undefined) return { as: 'nothing' }
  if (isInputRequired(value)) return sized('input', toJson({ requests: value.requests, state: value.state }))
  if (isToolResult(value)) return sized('result', toJson(value))
  return sized('json', toJson(value))
}

function sized(as: ResultKind, body: string): CallResult {
  if (body.length * 3 > maxAnswerBytes) {
    const bytes = Buffer.byteLength(body)
    if (bytes > maxAnswerBytes)
      throw new InvalidResult(
        `returned a result that is too large (${bytes} bytes, ${maxAnswerBytes} are allowed); ask for less or in pages`,
      )
  }
  return { as, body }
}

function toJson(value: unknown): string {
  let json: string | undefined
  try {
    json = JSON.stringify(value)
  } catch (error) {
    const [problem = ''] = isError(error) ? error.message.split('\n', 1) : []
    throw new InvalidResult(`returned a value that JSON cannot hold: ${problem}`)
  }
  if (json === undefined) throw new InvalidResult(`returned a ${typeof value}`)
  return json
}

/** What the host tells of one call, as the plugin's context has it. */
class RemoteRequest implements CallRequest {
  readonly id: number
  readonly #facts: CallerFacts
  readonly #more: Pick<WireRequest, 'inputResponses' | 'requestState'>
  #controller: AbortController | undefined
  #cancelled: { readonly reason: Error } | undefined
  #progress: PacedProgress | undefined

  constructor(id: number, facts: CallerFacts, more: Pick<WireRequest, 'inputResponses' | 'requestState'> = NOTHING) {
    this.id = id
    this.#facts = facts
    this.#more = more
  }

  cancel(reason: Error): void {
    this.#cancelled ??= { reason }
    this.#controller?.abort(reason)
  }

  /** What was not told of its progress by then never is. */
  end(): void {
    this.#progress?.end()
  }

  /** What the host takes it for: the number of the call. */
  get requestId(): string {
    return String(this.id)
  }
  get principal(): Principal {
    return this.#facts.principal
  }
  /** They stay with the host. */
  get credentials(): undefined {
    return undefined
  }
  get credentialKey(): string {
    return this.#facts.credentialKey
  }
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#cancelled) this.#controller.abort(this.#cancelled.reason)
    }
    return this.#controller.signal
  }
  get inputResponses(): InputResponses | undefined {
    return this.#more.inputResponses
  }
  get clientCapabilities(): Readonly<Record<string, unknown>> {
    return this.#facts.clientCapabilities
  }
  get requestState(): unknown {
    return this.#more.requestState
  }
  get progress(): CallRequest['progress'] {
    return (progress, options) => {
      const step = progressStep(progress, options)
      if (!step) return
      this.#progress ??= pacedProgress((...told) => this.#step(...told), performance.now.bind(performance), PACE_MS)
      this.#progress.tell(step.progress, step)
    }
  }
  get log(): CallRequest['log'] {
    return (level, data) => tells.tell('clientLog', { call: this.id, level, data: plain(data) })
  }
  get closeStream(): () => void {
    return () => peer.tell('closeStream', { call: this.id } satisfies PluginNotifications['closeStream'])
  }

  #step(progress: number, { total, message }: { total?: number; message?: string } = {}): void {
    peer.tell('progress', {
      call: this.id,
      progress,
      ...(total === undefined ? {} : { total }),
      ...(message === undefined ? {} : { message: message.slice(0, LONGEST_MESSAGE) }),
    } satisfies PluginNotifications['progress'])
  }
}

const NOTHING = Object.freeze({})

const changed = new Set<string>()
let telling: NodeJS.Timeout | undefined

/** What is said many times at once is told once: the host takes only so many words a second, and none of these may be lost. */
function resourceChanged(uri: string): void {
  if (changed.size >= MAX_CHANGED) return
  changed.add(uri.slice(0, LONGEST_URI))
  telling ??= setTimeout(() => {
    telling = undefined
    for (const one of changed) tells.tell('resourceChanged', { uri: one })
    changed.clear()
  }, PACE_MS)
}

const MAX_CHANGED = 1_000
/** No client follows a longer one. */
const LONGEST_URI = 4_096

/** Of a step of progress; the host passes on no more of it. */
const LONGEST_MESSAGE = 1_000

// They are meant for the host, which lets calls finish first. Without it the channel ends, and this process with it.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {})

watchDenials(deny)
peer.tell('ready', undefined)
