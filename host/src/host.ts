import { basename, dirname, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { EventEmitter } from 'eventemitter3'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { openAccountTokens, type AccountTokens } from './auth/accounts/account-tokens.ts'
import { LOCAL_PRINCIPAL } from './auth/principal.ts'
import type { CacheStats } from './cache/cache.ts'
import { openCache } from './cache/open-cache.ts'
import { openRegistryCache } from './cache/registry-file.ts'
import { resolveConfig } from './config/file/resolve-config.ts'
import { configWarnings } from './config/schema/rules.ts'
import type { EmbeddedConfig, PluginEntry, ResolvedConfig } from './config/schema/schema.ts'
import { createValidators } from './data/schema/validate.ts'
import { hostError, type HostError } from './errors.ts'
import { listHost, type HostListing } from './listing.ts'
import { createPluginGraph } from './plugin/source/plugin-graph.ts'
import { openLock } from './plugin/lock-file.ts'
import { silentLogger } from './observability/logger.ts'
import { createAudit } from './observability/audit.ts'
import { createMetrics } from './observability/metrics.ts'
import { createRedactor, type Redactor } from './observability/redact.ts'
import { createCaller, type Caller } from './server/catalog/caller.ts'
import { Cancellation } from './server/call/cancellation.ts'
import { createCalls } from './server/call/call.ts'
import type { CallIO, ToolAnswer, Middleware } from './server/call/types.ts'
import { explainReach, type ReachedExplanation } from './server/catalog/reach.ts'
import { loadMiddleware } from './server/call/load-middleware.ts'
import { compilePolicy } from './server/catalog/policy.ts'
import { createRateLimit } from './server/call/rate-limit.ts'
import { Registry } from './server/catalog/registry.ts'
import { linkReplicas } from './server/catalog/replicas.ts'
import { createResultCache } from './server/call/result/result-cache.ts'
import { createSingleUse } from './server/call/approval/single-use.ts'
import { createSearchCatalog } from './server/catalog/search-tools.ts'
import { buildSnapshot, type Snapshot } from './server/catalog/snapshot.ts'
import { unusedRules } from './server/catalog/unused-rules.ts'
import type { Activation } from './plugin/activation.ts'
import { createApprovedFiles } from './plugin/trust/approved-files.ts'
import {
  collisionError,
  findSharedVariables,
  hostReaders,
  pluginReaders,
  unreadVariables,
  unusedSecretLines,
} from './plugin/settings/environment-readers.ts'
import { entryCredentials } from './plugin/settings/credential-policy.ts'
import { discoverEntries, type KnownFolder } from './plugin/source/discover.ts'
import { createDormancy } from './plugin/lazy/lazy-activation.ts'
import type { DrainedVersion } from './plugin/reload/drain.ts'
import { hostPaths } from './plugin/trust/host-paths.ts'
import { createIsolation } from './plugin/isolate/isolation.ts'
import { createLeftovers } from './plugin/reload/leak-detector.ts'
import { createKeptHandles } from './plugin/run/held/kept-handles.ts'
import type { PluginReason, PluginRecord } from './plugin/run/plugin-record.ts'
import { reasonOf } from './plugin/run/reason.ts'
import { changedInstances } from './plugin/settings/tenant-config.ts'
import { createReloader, type Sources } from './plugin/reload/reload.ts'
import type { ReloadReport } from './plugin/reload/reload-report.ts'
import { serviceHttp } from './plugin/run/service-http.ts'
import { listenOn, type Listening, type ListenOptions } from './transport/listen.ts'

/** What a host runs with besides its config. Everything that time, place and output depend on is passed in. */
export interface HostContext {
  /** The config's file, for messages and for paths that are relative to it. Default: `mcp.config.ts` in the working directory. */
  readonly file?: string
  /** Default: `process.env`. */
  readonly env?: HostEnvironment
  /** Default: none. */
  readonly log?: Logger
  /** Knows every live secret. The log's, if it has one, so that a secret is gone from both. */
  readonly redact?: Redactor
  /**
   * How long a generation waits for the slowest of its plugins, which is published by itself when it is done. Default: five seconds
   * for the first, as clients list once they are connected, and a second for those after it. Infinity waits for all of them, each of
   * which has `limits.loadTimeoutMs`.
   */
  readonly patienceMs?: number
  /**
   * Plugins of which nothing changed since a start before are listed from the cache, and imported when they are called, or that long
   * after the start. Default: a quarter of a second. With an infinite `patienceMs` all of them are imported at the start.
   */
  readonly wakeAfterMs?: number
  /** Around requests and calls, inside of those that the config names. */
  readonly middleware?: readonly Middleware[]
  /** Milliseconds from whenever, never going back. Default: `performance.now`. */
  readonly now?: () => number
  /** Descriptors of plugins are kept beside the config, where the config's cache keeps nothing over a restart. Default: false. */
  readonly keepRegistry?: boolean
  /** Plugins will be reloaded while calls run: does at the start what the first reload would stop them for. Default: false. */
  readonly expectReloads?: boolean
  /** How many lines the log had to drop, for /metrics. */
  readonly logLinesDropped?: () => number
}

export interface HostEvents {
  generation: (event: { generation: number; tools: number; plugins: readonly PluginRecord[] }) => void
  reload: (report: ReloadReport) => void
  drained: (report: DrainedVersion) => void
}

/** A running host. Dispose it to close its listeners, drain its plugins and free everything. */
export interface Host extends AsyncDisposable {
  /** What is served now. */
  readonly snapshot: Snapshot
  readonly on: EventEmitter<HostEvents>['on']
  readonly off: EventEmitter<HostEvents>['off']
  /** Resolves when the host is closed, whoever closed it. */
  readonly closed: Promise<void>
  /** Opens listeners; gives their addresses once they accept. Throws `LISTEN_…` for an address that must not or cannot be bound. */
  listen(options?: ListenOptions): Promise<Listening>
  /** Calls a tool in process, as the operator or as `caller`. Throws what `Calls.tool` throws. */
  call(name: string, input?: unknown, options?: { caller?: Caller; io?: Partial<CallIO> }): Promise<ToolAnswer>
  explain(name: string, caller?: Caller): ReachedExplanation
  list(caller?: Caller): HostListing
  /** Settings that select nothing there is, one line each; see `unusedRules`. */
  unusedRules(): readonly string[]
  /** Tokens that callers linked, where the config has `auth.accounts`: who embeds a host links and unlinks them here. */
  readonly accounts: AccountTokens | undefined
  /** What became of the looks into the cache so far. */
  readonly cacheStats: CacheStats
  /** Takes over a new config or environment without a restart, and builds what `changed` files touch. Resolves when it is published. */
  apply(change: HostChange): Promise<void>
  /** The files and folders that plugins were built from. */
  watched(): Sources
  /** Says not ready for `leaveMs` while it serves on, then stops taking work, waits for calls at most `graceMs`, then cancels them. */
  close(options?: { graceMs?: number; leaveMs?: number }): Promise<void>
}

export interface HostChange {
  readonly config?: ResolvedConfig
  readonly env?: HostEnvironment
  readonly changed?: ReadonlySet<string>
  /** Nothing came to the folders of `pluginDirs` or went from them: they need not be read. Default: false. */
  readonly samePlugins?: boolean
}

const START_PATIENCE_MS = 5_000
const RELOAD_PATIENCE_MS = 1_000
/** Long enough for the client that had the host started to get its first list. */
const WAKE_AFTER_MS = 250
/** How long a failed edit waits for a newer save before it is believed. */
const GRACE_MS = 100

/**
 * Assembles a host and loads its plugins; listens on nothing until it is told to. Resolves when the first generation is published: a
 * plugin that fails does not fail the host. Throws `CONFIG_INVALID`, and frozen
 * `LOCK_…` for a lock that cannot be used.
 */
export async function createHost(given: EmbeddedConfig | ResolvedConfig, context: HostContext = {}): Promise<Host> {
  const { file = resolve('mcp.config.ts'), log = silentLogger, patienceMs, wakeAfterMs = WAKE_AFTER_MS } = context
  let env = context.env ?? process.env
  let config = isResolved(given) ? given : resolveConfig(given, { env })
  const started = config
  const configDir = dirname(file)
  const { accounts: stored } = config.auth
  const accounts =
    stored &&
    openAccountTokens({ dir: resolve(configDir, stored.dir), key: env[stored.keyVariable], variable: stored.keyVariable })
  const events = new EventEmitter<HostEvents>()
  const redact = context.redact ?? createRedactor()
  const metrics = createMetrics({
    logLinesDropped: context.logLinesDropped,
    onLimit: (plugin, name) =>
      log.warn('metric_limit', { plugin, metric: name, reason: 'it has too many series: further labels are counted as "other"' }),
  })
  const cache = openCache({ settings: config.cache, configDir, log, metrics })
  const validators = createValidators()
  const search = createSearchCatalog(validators)
  const now = context.now ?? (() => performance.now())
  const approved = createApprovedFiles(() => config.frozen)
  const lock = await openLock({ configDir, log }, config)
  const resources = new AsyncDisposableStack()
  resources.use(cache)
  if (cache.missing) log.error('cache_store_missing', { reason: cache.missing.message, fix: cache.missing.fix })
  const kept = cache.outlivesProcess || !context.keepRegistry ? cache : (openRegistryCache({ configDir, log }) ?? cache)
  if (kept !== cache) resources.use(kept)
  const graph = resources.use(createPluginGraph(log, approved.admit, { keepsSources: context.expectReloads ?? false }))
  const isolation = resources.use(
    createIsolation({ log, now, random: Math.random, metrics, keepSpare: context.expectReloads ?? false }),
  )
  const handles = createKeptHandles(log)
  const leftovers = resources.use(createLeftovers({ log, canReclaim: () => graph.status.reclaim !== 'none' }))

  const source = basename(file)
  let policy = compilePolicy(config, source)
  const registry = new Registry(buildSnapshot({ generation: 0, plugins: [], policy, validators, search }), log)
  const operator = createCaller(LOCAL_PRINCIPAL)
  if (cache.bus) resources.use(linkReplicas({ registry, bus: cache.bus, operator }))
  const middleware = [...(await loadMiddleware(config.middleware, configDir)), ...(context.middleware ?? [])]
  const calls = createCalls({
    log,
    metrics,
    now,
    limits: () => config.limits,
    redact,
    results: createResultCache({ cache }),
    rate: createRateLimit({ settings: () => config.limits.rate, scripts: cache.scripts }),
    tickets: createSingleUse(cache.scripts),
    audit: createAudit(log, () => config.log.audit ?? config.auth.inbound.mode !== 'none'),
    middleware,
  })

  /** What is in the folders of `pluginDirs` and is not served. */
  let ignored: readonly PluginReason[] = []
  const publish = (plugins: readonly PluginRecord[]): number => {
    const generation = registry.current.generation + 1
    const snapshot = buildSnapshot({ generation, plugins, ignored, policy, validators, search })
    registry.publish(snapshot)
    metrics.generation(generation, snapshot.tools.size)
    for (const { instance, state } of plugins) metrics.pluginState(instance, state)
    events.emit('generation', { generation, tools: snapshot.tools.size, plugins })
    return generation
  }
  const dormancy = createDormancy({
    // Who waits for every plugin wants to know of each whether it loads.
    records: patienceMs === Infinity || !kept.outlivesProcess ? undefined : kept.namespace('registry'),
    deps: () => ({
      graph,
      configDir,
      isWatching: context.expectReloads ?? false,
      env,
      log,
      cache,
      handles,
      loadTimeoutMs: config.limits.loadTimeoutMs,
      isolation,
      hostPaths: (own) => hostPaths(config, { entries: entries(), own, configDir }),
      processLimits: {
        heapMb: config.limits.pluginHeapMb,
        memoryMb: config.limits.pluginMemoryMb,
        get answerBytes() {
          return config.limits.resultBytes
        },
      },
      onFailed: () => reloader.retireFailed(),
      onResourceChanged: (instance, uri) => registry.resourceChanged(instance, uri),
      metricsFor: (instance) => metrics.forPlugin(instance),
      pins: { lock: lock.current, deployment: config.deployment, frozen: config.frozen, approved },
      redactor: redact,
      tenants: config.tenants,
      credentialsOf: (of) => entryCredentials(config, of, started),
      createHttp: (options) =>
        serviceHttp(options, { redactor: redact, readOnly: config.readOnly, frozen: config.frozen, configDir, env, accounts }),
    }),
    onOther: (listed) => void reloader.apply({ entries: entries(), all: (record) => record === listed }),
    log,
  })
  const readersOf = (record: PluginRecord | undefined) => (record ? pluginReaders(record, config.tenants) : hostReaders(config))
  refuseShared(config)
  const reloader = createReloader({
    log,
    readersOf,
    now,
    publish,
    startPatienceMs: patienceMs ?? START_PATIENCE_MS,
    patienceMs: patienceMs ?? RELOAD_PATIENCE_MS,
    graceMs: GRACE_MS,
    drainMs: () => config.limits.drainMs,
    activate: async (entry, signal) => freeingSchemas(await dormancy.activate(entry, signal)),
    onReload(report) {
      if (report.after)
        metrics.reload({ plugin: report.instance, outcome: report.outcome === 'kept' ? 'failed' : 'published' }, report.ms)
      if (report.outcome === 'removed') metrics.forget(report.instance)
      events.emit('reload', report)
    },
    onDrained: (report) => events.emit('drained', report),
    onReleased: (version) => leftovers.watch(version),
  })
  resources.use(reloader)

  /** Ajv keeps every schema it compiled until it is told that nobody needs it. */
  function freeingSchemas(activation: Activation): Activation {
    return {
      record: activation.record,
      root: activation.root,
      get configFiles() {
        return activation.configFiles
      },
      error: activation.error,
      fault: activation.fault,
      traces: activation.traces,
      get digests() {
        return activation.digests
      },
      get surroundings() {
        return activation.surroundings
      },
      release() {
        const { tools = [], prompts = [] } = activation.record.surface ?? {}
        for (const { wire } of tools) {
          validators.release(wire.inputSchema)
          if (wire.outputSchema) validators.release(wire.outputSchema)
        }
        for (const { schema } of prompts) validators.release(schema)
        activation.release()
      },
    }
  }

  const unreadNow = () => {
    const { plugins } = registry.current
    const readers = [undefined, ...plugins].flatMap(readersOf)
    return unreadVariables(env, plugins, { tenants: config.tenants, readers })
  }
  /** Said once for each, when a start, a reload or another config brings it about. */
  let told: readonly string[] = []
  const tellUnused = debounced(() => {
    const unused = unusedRules(config, registry.current)
    for (const rule of unused) if (!told.includes(rule)) log[config.frozen ? 'error' : 'warn']('rule_without_effect', { rule })
    const unread = unreadNow()
    for (const reason of unread) if (!told.includes(reason)) log.warn('variable_without_reader', { reason })
    const secrets = unusedSecretLines(registry.current.plugins)
    for (const reason of secrets) if (!told.includes(reason)) log.warn('secret_without_use', { reason })
    told = [...unused, ...unread, ...secrets]
  })
  events.on('generation', tellUnused)

  const known = new Map<string, KnownFolder>()
  let found: readonly PluginEntry[] = []
  function entries(): readonly PluginEntry[] {
    const errors: HostError[] = []
    found = discoverEntries(config, { configDir, log, known, ignored: errors })
    const reasons = errors.map((error) => reasonOf(error))
    for (const { code, message, fix } of reasons)
      if (!ignored.some((before) => before.message === message)) log.warn('plugin_ignored', { code, reason: message, fix })
    ignored = reasons
    return found
  }
  await reloader.apply({ entries: entries() })
  if (context.expectReloads) await graph.prepareReleases()
  const waking = new AbortController()
  resources.defer(() => waking.abort())
  void dormancy.wakeAll({ afterMs: wakeAfterMs, signal: waking.signal })

  const listeners = new Set<Listening>()
  const closed = Promise.withResolvers<void>()
  let closing: Promise<void> | undefined

  async function close({
    graceMs = config.limits.drainMs,
    leaveMs = config.limits.leaveMs,
  }: { graceMs?: number; leaveMs?: number } = {}): Promise<void> {
    closing ??= (async () => {
      await Promise.all([...listeners].map((listening) => listening.close({ graceMs, leaveMs })))
      await resources.disposeAsync()
      closed.resolve()
    })()
    return closing
  }

  return {
    get snapshot() {
      return registry.current
    },
    on: events.on.bind(events),
    off: events.off.bind(events),
    closed: closed.promise,
    async listen(options = config.listen) {
      if (closing) throw hostError('HOST_CLOSED', {})
      const listening = await listenOn(options, {
        config,
        registry,
        calls,
        log,
        metrics,
        missing: cache.missing,
        auth: () => config.auth,
        configDir,
        middleware,
        env,
        redactor: redact,
      })
      listeners.add(listening)
      return listening
    },
    call: (name, input, { caller = operator, io = {} } = {}) =>
      // A copy: checking the arguments fills in defaults, and these are the embedder's.
      calls.tool(registry.current, caller, name, structuredClone(input), {
        cancellation: new Cancellation(),
        requestId: crypto.randomUUID(),
        ...io,
      }),
    explain: (name, caller = operator) => explainReach(registry.current, name, caller),
    accounts,
    get cacheStats() {
      return cache.stats
    },
    list: (caller = operator) => ({
      ...listHost(registry.current, caller),
      warnings: [
        ...configWarnings(config),
        ...unusedRules(config, registry.current),
        ...unreadNow(),
        ...unusedSecretLines(registry.current.plugins),
      ],
    }),
    unusedRules: () => unusedRules(config, registry.current),
    async apply({ config: nextConfig, env: nextEnv, changed, samePlugins = false }) {
      if (nextConfig) refuseShared(nextConfig)
      const repinned = nextConfig ? await lock.reread(nextConfig) : undefined
      const variables = nextEnv ? changedVariables(env, nextEnv) : new Set<string>()
      const isNewConfig = nextConfig !== undefined && !isDeepStrictEqual(nextConfig, config)
      const forTenants = changedInstances(config.tenants, nextConfig?.tenants ?? config.tenants)
      const rightsChanged = nextConfig !== undefined && !isDeepStrictEqual(rightsOf(nextConfig), rightsOf(config))
      if (nextEnv) env = nextEnv
      if (isNewConfig) {
        config = nextConfig
        policy = compilePolicy(config, source)
      }
      const before = registry.current
      await reloader.apply({
        entries: samePlugins && !nextConfig ? found : entries(),
        variables,
        all: (record) =>
          rightsChanged ||
          // What it shared a variable with may have another name now.
          record.reason?.code === 'CONFIG_COLLISION' ||
          forTenants.has(record.instance) ||
          (typeof repinned === 'function' ? repinned(record) : repinned === true),
        ...(changed ? { changed } : {}),
      })
      // New filters with the same plugins are a new generation as well.
      const isOther = isNewConfig || !isDeepStrictEqual(before.ignored, ignored)
      if (isOther && registry.current === before) publish(reloader.records)
    },
    watched: () => reloader.watched(),
    close,
    [Symbol.asyncDispose]: () => close(),
  }
}

/** Runs `work` once the turn is over, however often it is asked for: what was asked for meanwhile need not wait for it. */
function debounced(work: () => void): () => void {
  let pending: NodeJS.Immediate | undefined
  return () => {
    pending ??= setImmediate(() => {
      pending = undefined
      work()
    })
  }
}

/** Throws `CONFIG_COLLISION` for a variable that the host itself would read for two things. */
function refuseShared(config: Pick<ResolvedConfig, 'auth'>): void {
  const error = collisionError(findSharedVariables(hostReaders(config)))
  if (error) throw error
}

/** What every version of a plugin is built with. */
function rightsOf({ readOnly, frozen, auth, compat }: ResolvedConfig): readonly unknown[] {
  return [readOnly, frozen, auth.serverCredentials, auth.inbound.mode, compat]
}

/** The variables that are not set to the same in both. */
function changedVariables(before: HostEnvironment, after: HostEnvironment): ReadonlySet<string> {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return new Set([...names].filter((name) => before[name] !== after[name]))
}

type HostEnvironment = Readonly<Record<string, string | undefined>>

function isResolved(config: EmbeddedConfig | ResolvedConfig): config is ResolvedConfig {
  return 'deployment' in config
}
