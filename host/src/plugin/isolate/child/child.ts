/**
 * Runs one plugin in a process of its own, for the host at the other end of descriptor 3. Nothing here decides about rights: what a
 * plugin may do is decided by the flags this process was started with and by the host, whatever the plugin does to this code. Started
 * by spawn.ts.
 */
import type { CompletionInput, ServicePlugin } from '@mcp-patchbay/plugin-api'
import { withDiscovered } from '@mcp-patchbay/plugin-api/host'
import { OpenRequests } from '../../../data/open-requests.ts'
import { discoverInline, runInline } from '../../run/inline.ts'
import type { RunningPlugin } from '../../run/running.ts'
import { denialOf, isWayToGranted, watchDenials, type Denial } from './child-denials.ts'
import { callNumber, remoteCaches, remoteHttp, remoteLog, remoteMetrics } from './child-services.ts'
import { noteReads, type Reads } from './child-reads.ts'
import { createNotifications } from './child-notifications.ts'
import { loadOrdered } from './child-load.ts'
import { createChangedResources } from './changed-resources.ts'
import { RemoteRequest, type CallChannel } from './remote-request.ts'
import { writeReturned, writeSized } from './returned.ts'
import { describe } from '../channel/description.ts'
import type { CallerFacts, CallOrder, HostNotifications, HostRequests } from '../channel/messages.ts'
import { readCut } from '../channel/arguments-codec.ts'
import type { ReceivedCall } from '../channel/frame-reader.ts'
import { openPeer, type CallResult, type Peer, type SentMessage } from '../channel/peer.ts'
import { readConfig } from '../channel/config-codec.ts'
import { readThrown } from '../channel/error-codec.ts'

const CHANNEL = 3

/** As it was before a plugin could change it. */
const { parse } = JSON

let maxAnswerBytes = 0
let reads: Reads | undefined
/** What its module exports, and that with what it discovered. */
let exported: unknown
let plugin: unknown
let running: RunningPlugin | undefined
/** By the numbers that calls say. */
let toolNames: readonly string[] = []
const facts: CallerFacts[] = []
const calls = new OpenRequests<RemoteRequest>()

const handlers: { readonly [What in keyof HostRequests]: (order: HostRequests[What], id: number) => Promise<SentMessage> } = {
  async load(order) {
    const { file, root, isWatching } = order
    maxAnswerBytes = order.maxAnswerBytes
    if (isWatching && file !== root) reads = noteReads(root)
    const loaded = await loadOrdered(order, notifications)
    plugin = exported = loaded.exported
    return loaded.message
  },
  configure: async ({ config }) => ({ data: (plugin as ServicePlugin).isAuthConfigured(readConfig(config)) }),
  async discover({ instance, config }) {
    const found = await discoverInline({
      instance,
      plugin: exported as ServicePlugin,
      config: readConfig(config),
      http: remoteHttp(peer, instance),
      log: remoteLog(notifications),
      ownLog: () => remoteLog(notifications),
      metrics: remoteMetrics(notifications),
      cache: remoteCaches(peer),
      digest: '',
      signal: new AbortController().signal,
    })
    plugin = withDiscovered(exported as ServicePlugin, found)
    const { as, body = '' } = writeSized('json', describe(found) ?? 'null', maxAnswerBytes)
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
      log: remoteLog(notifications),
      ownLog: () => remoteLog(notifications),
      metrics: remoteMetrics(notifications),
      cache: remoteCaches(peer),
      digest: '',
      resourceChanged: createChangedResources(notifications),
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
  onRequest: (what, { data }, id) => handlers[what as keyof HostRequests](data as never, id),
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

const notifications = createNotifications(peer)
const channel: CallChannel = { peer, notifications }

function deny(denial: Denial, number = callNumber()): void {
  if (isWayToGranted(denial, number !== 0)) return
  notifications.notify('denied', { call: number, ...denial })
}

/** A plugin is built from what it read until it was started; what calls read is theirs. */
function tellReads(): void {
  if (!reads) return
  reads.stop()
  for (const [file, digest] of reads.files) notifications.notify('read', { file, digest })
  for (const folder of reads.folders) notifications.notify('listed', { folder })
}

async function call(
  { kind, name, input, of = 'prompt', uri = '', params = {}, request }: CallOrder,
  id: number,
): Promise<SentMessage> {
  const { as, body } = await runCall(new RemoteRequest(channel, id, request, request), (plugin, by) => {
    if (kind === 'tool') return plugin.callTool(name, input, by)
    if (kind === 'completion') return plugin.complete?.(of, name, input as CompletionInput, by) ?? Promise.resolve([])
    if (kind === 'listing')
      return plugin.listResources?.(name, typeof input === 'string' ? input : undefined, by) ?? Promise.resolve(undefined)
    if (kind === 'resource') return plugin.readResource(name, uri, params, by)
    return plugin.getPrompt(name, input, by)
  })
  return { data: { as }, ...(body === undefined ? {} : { body }) }
}

function callTool({ id, tool, facts: number, isCut, body }: ReceivedCall): Promise<CallResult> {
  const own = facts[number]
  const name = toolNames[tool]
  if (!own || name === undefined) throw new Error(`There is no tool ${tool}`)
  const input: unknown = isCut ? readCut(body, parse) : body.length === 0 ? undefined : parse(body.toString())
  return runCall(new RemoteRequest(channel, id, own), (plugin, by) => plugin.callTool(name, input, by))
}

async function runCall(
  request: RemoteRequest,
  work: (plugin: RunningPlugin, request: RemoteRequest) => Promise<unknown>,
): Promise<CallResult> {
  if (!running) throw new Error('The plugin was not started')
  const { id } = request
  calls.add(id, request)
  try {
    return writeReturned(await work(running, request), maxAnswerBytes)
  } catch (error) {
    const denial = denialOf(error)
    if (denial) deny(denial, id)
    throw error
  } finally {
    request.end()
    calls.delete(id)
  }
}

// They are meant for the host, which lets calls finish first. Without it the channel ends, and this process with it.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {})

watchDenials(deny)
peer.notify('ready', undefined)
