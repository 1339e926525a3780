import type { CallContext, HttpClient, Logger, Metrics, ServicePlugin, Started } from '@mcp-patchbay/plugin-api'
import type { HttpStream } from '../../network/http-stream.ts'
import type { PluginCaches } from '../../cache/cache.ts'
import { callFields, type TraceContext } from '../../observability/tracing/trace-context.ts'
import { pluginLogger } from '../../observability/log/plugin-log.ts'
import { currentCall, inCall } from './inline-call-scope.ts'
import { createClientPool } from './held/clients.ts'
import { clientScope, InlineCall, InlineScope, type SharedContext } from './inline-call.ts'
import { pluginCache } from './plugin-cache.ts'
import { createKeptHandles, type VersionHandles } from './held/kept-handles.ts'
import type { CallRequest, RunningPlugin } from './running.ts'
import type { PluginSurface } from '../source/describe-surface.ts'

/** What one version of a plugin runs with. */
export interface InlineOptions {
  readonly instance: string
  readonly plugin: ServicePlugin
  readonly surface: PluginSurface
  readonly config: Readonly<Record<string, unknown>>
  /** The config of each tenant that has one of its own. */
  readonly tenants?: ReadonlyMap<string, Readonly<Record<string, unknown>>>
  /** False where only tenants have a config: `start` would have nothing to start with. Default: true. */
  readonly hasBackground?: boolean
  /** Tells callers' own credentials apart, '' for a call that goes with none: each has a client of its own. */
  readonly credentialKey?: CredentialKey
  readonly http: HttpClient & AsyncDisposable & { readonly stream?: HttpStream }
  readonly log: Logger
  /** The log as the plugin has it, in a call of that id or outside of calls. Default: lines of `log` that say whose they are. */
  readonly ownLog?: (call?: string, trace?: TraceContext) => Logger
  readonly metrics: Metrics
  readonly cache: PluginCaches
  /** What outlives this version, and goes with the last that asks for it. Default: nothing does. */
  readonly handles?: VersionHandles
  /** Parts a namespace of the cache from that of another version whose answers may look different. */
  readonly digest: string
  /** The plugin says that a resource of it changed. */
  readonly resourceChanged?: (uri: string) => void
}

/** Says by whose credential a call goes, as a word without a slash. */
export type CredentialKey = (request: CallRequest, access: 'read' | 'write') => string

/** What discovering needs of what a version runs with. */
export type DiscoverOptions = Pick<
  InlineOptions,
  'instance' | 'plugin' | 'config' | 'http' | 'log' | 'ownLog' | 'metrics' | 'cache' | 'digest'
> & {
  /** Aborts when no caller waits for it any more. */
  readonly signal: AbortSignal
}

/** Has a plugin in this process say what it serves besides what it lists; what it gives is not checked. Rejects with what it threw. */
export async function discoverInline({
  instance,
  plugin,
  config,
  http,
  log,
  ownLog = () => pluginLogger(log),
  metrics,
  cache,
  digest,
  signal,
}: DiscoverOptions): Promise<unknown> {
  const own = pluginCache(cache, { instance, digest, principal: undefined })
  return plugin.discover?.({ config, http, log: ownLog(), metrics, cache: own, signal })
}

/** Starts a plugin in this process. Rejects with what `start` threw; nothing is left running then. */
export async function runInline({
  instance,
  plugin,
  surface,
  config,
  tenants = new Map(),
  hasBackground = true,
  credentialKey = () => '',
  http,
  log,
  ownLog = (call, trace) => pluginLogger(call === undefined ? log : log.child({ ...callFields(call, trace) })),
  metrics,
  cache,
  handles = createKeptHandles(log).open(instance),
  digest,
  resourceChanged = () => {},
}: InlineOptions): Promise<RunningPlugin> {
  const life = new AbortController()
  const configOf = (tenant: string | undefined) => (tenant === undefined ? config : (tenants.get(tenant) ?? config))
  const clients = createClientPool(
    (key) => {
      const { tenant } = readClientKey(key)
      // The first caller shares it with others: what its call ends must not end with the call.
      return inCall(clientScope(currentCall(), life.signal), () =>
        plugin.createClient({
          config: configOf(tenant),
          http,
          log: ownLog(),
          tenant,
          keep: handles.keep(key),
          signal: life.signal,
        }),
      )
    },
    { onDisposeFailed: (error) => log.warn('client_dispose_failed', { error }) },
  )
  const dispose = async (started?: Started) => {
    life.abort(new Error(`Plugin "${instance}" was disposed`))
    const closing = await Promise.allSettled([
      disposeStarted(started),
      clients[Symbol.asyncDispose](),
      http[Symbol.asyncDispose](),
    ])
    await handles[Symbol.asyncDispose]()
    const failed = closing.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  }
  let started: Started = undefined
  try {
    if (hasBackground)
      started = await plugin.start?.({
        config,
        http,
        log: ownLog(),
        metrics,
        cache: pluginCache(cache, { instance, digest, principal: undefined }),
        keep: handles.keep('start'),
        resourceChanged: (uri) => {
          if (!life.signal.aborted) resourceChanged(uri)
        },
        signal: life.signal,
      })
  } catch (error) {
    await dispose().catch(() => {}) // the error of start is the one that matters
    throw error
  }

  const context: SharedContext = {
    configOf,
    log: ownLog,
    metrics,
    cache: (principal) => pluginCache(cache, { instance, digest, principal }),
  }
  // By name: the host serves no tool whose schema it cannot use.
  const surfaces = new Map(surface.tools.map((tool) => [tool.name, tool]))
  const tools = new Map(
    plugin.tools.flatMap((tool) => {
      const served = surfaces.get(tool.name)
      return served ? [[tool.name, { run: tool.run, surface: served }] as const] : []
    }),
  )
  const resources = new Map((plugin.resources ?? []).map((resource) => [resource.name, resource.read]))
  const lists = new Map((plugin.resources ?? []).map((resource) => [resource.name, resource.list]))
  const prompts = new Map((plugin.prompts ?? []).map((prompt) => [prompt.name, prompt.run]))

  const completions = {
    prompt: new Map((plugin.prompts ?? []).map((prompt) => [prompt.name, prompt.complete])),
    resource: new Map((plugin.resources ?? []).map((resource) => [resource.name, resource.complete])),
  }

  return {
    surface,
    callTool(name, input, request) {
      const tool = tools.get(name)
      return tool ? run(request, tool.surface, (call) => tool.run(input as never, call)) : missing(`tool ${name}`)
    },
    readResource(name, uri, params, request) {
      const read = resources.get(name)
      return read ? run(request, ONLY_READS, (call) => read(uri, params, call)) : missing(`resource ${name}`)
    },
    listResources(name, cursor, request) {
      const list = lists.get(name)
      return list ? run(request, ONLY_READS, (call) => list(cursor, call)) : missing(`list of ${name}`)
    },
    getPrompt(name, args, request) {
      const prompt = prompts.get(name)
      return prompt ? run(request, ONLY_READS, (call) => prompt(args as never, call)) : missing(`prompt ${name}`)
    },
    get isHeld() {
      return handles.isHeld
    },
    complete(of, name, input, request) {
      const complete = completions[of].get(name)
      return complete ? run(request, ONLY_READS, (call) => complete(input, call)) : Promise.resolve([])
    },
    [Symbol.asyncDispose]: () => dispose(started),
  }

  function run(request: CallRequest, { access, safePaths }: Rights, work: (call: CallContext) => unknown): Promise<unknown> {
    return inCall(new InlineScope(request, access, safePaths), async () => {
      const lease = clients.take(clientKey(request.principal.tenant, credentialKey(request, access)))
      try {
        const client = lease.client instanceof Promise ? await lease.client : lease.client
        return await work(new InlineCall(client, request, context))
      } finally {
        lease.release()
      }
    })
  }
}

/** What the requests of a call to its service may do. */
type Rights = Pick<PluginSurface['tools'][number], 'access' | 'safePaths'>
const ONLY_READS: Rights = { access: 'read', safePaths: [] }

function missing(what: string): Promise<never> {
  return Promise.reject(new Error(`There is no ${what}`))
}

/** A fingerprint has no slash, and a tenant may be called anything. */
function clientKey(tenant: string | undefined, fingerprint: string): string {
  return tenant === undefined ? fingerprint : `${fingerprint}/${tenant}`
}

function readClientKey(key: string): { readonly tenant: string | undefined } {
  const at = key.indexOf('/')
  return { tenant: at === -1 ? undefined : key.slice(at + 1) }
}

async function disposeStarted(started: Started): Promise<void> {
  if (!started) return
  if (typeof started === 'function') return started()
  if (Symbol.asyncDispose in started) return started[Symbol.asyncDispose]()
  started[Symbol.dispose]()
}
