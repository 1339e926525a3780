import { basename, dirname, resolve } from 'node:path'
import { EventEmitter } from 'eventemitter3'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { createApply } from './apply-change.ts'
import { openHostAccounts } from './host-accounts.ts'
import { LOCAL_PRINCIPAL } from './auth/principal.ts'
import type { HostCache } from './cache/cache.ts'
import { openCache } from './cache/open-cache.ts'
import { openRegistryCache } from './cache/registry-file.ts'
import { resolveConfig } from './config/file/resolve-config.ts'
import { projectId } from './config/project-id.ts'
import type { EmbeddedConfig, ResolvedConfig } from './config/schema/schema.ts'
import { createCurrentConfig, type CurrentConfig, refuseSharedVariables } from './current-config.ts'
import { createValidators } from './data/schema/validate.ts'
import { listHost } from './server/catalog/operator/listing.ts'
import { createAudit } from './observability/audit.ts'
import { silentLogger } from './observability/logger.ts'
import { createMetrics, type HostMetrics } from './observability/metrics.ts'
import { ownBuild } from './modules/own-modules.ts'
import { openTracing } from './observability/tracing/tracing.ts'
import { createRedactor } from './observability/redact.ts'
import { activationDeps } from './plugin/activation-deps.ts'
import { createFoundEntries } from './plugin/found-entries.ts'
import { createIsolation } from './plugin/isolate/isolation.ts'
import { createLazyActivation } from './plugin/lazy/lazy-activation.ts'
import { createServers } from './plugin/mcp-server/servers.ts'
import { openLock } from './plugin/lock-file.ts'
import { createLeakDetector } from './plugin/reload/leak-detector.ts'
import { releaseSchemas } from './plugin/reload/release-schemas.ts'
import { countReload } from './plugin/reload/reload-report.ts'
import { createReloader } from './plugin/reload/reload.ts'
import { createKeptHandles } from './plugin/run/held/kept-handles.ts'
import { createPluginGraph } from './plugin/source/plugin-graph.ts'
import { createApprovedFiles } from './plugin/trust/approved-files.ts'
import { createReadAhead } from './modules/reading/read-ahead.ts'
import { createPublish } from './publish.ts'
import { createSingleUse } from './server/call/approval/single-use.ts'
import { createCalls } from './server/call/call.ts'
import type { CallDeps, Calls } from './server/call/types.ts'
import { loadMiddleware } from './server/call/load-middleware.ts'
import { createRateLimit } from './server/call/rate-limit.ts'
import { createResultCache } from './server/call/result/result-cache.ts'
import { createCaller } from './server/catalog/caller.ts'
import { explainReach } from './server/catalog/reach.ts'
import { inProcess } from './in-process.ts'
import { Registry } from './server/catalog/registry.ts'
import { linkReplicas } from './server/catalog/replicas.ts'
import { createSearchCatalog } from './server/catalog/search-tools.ts'
import { buildSnapshot } from './server/catalog/snapshot.ts'
import { createOpenListeners } from './transport/open-listeners.ts'
import type { HostEvents } from './server/host-events.ts'
import type { Host, HostContext } from './types.ts'
import { createWarnings, readersOf } from './warnings.ts'

const START_PATIENCE_MS = 5_000
const RELOAD_PATIENCE_MS = 1_000
/** Long enough for the client that had the host started to get its first list. */
const IMPORT_AFTER_MS = 250
/** How long a failed edit waits for a newer save before it is believed. */
const GRACE_MS = 100

/**
 * Assembles a host and loads its plugins; listens on nothing until it is told to. Resolves when the first generation is published: a
 * plugin that fails does not fail the host. Throws `CONFIG_INVALID`, and frozen
 * `LOCK_…` for a lock that cannot be used.
 */
export async function createHost(given: EmbeddedConfig | ResolvedConfig, context: HostContext = {}): Promise<Host> {
  const { file = resolve('mcp.config.ts'), log = silentLogger, env = process.env, expectReloads = false } = context
  const { redact = createRedactor(), now = () => performance.now(), patienceMs, importAfterMs = IMPORT_AFTER_MS } = context
  const configDir = dirname(file)
  const started = isResolved(given) ? given : resolveConfig(given, { env, configDir })
  refuseSharedVariables(started)
  const current = createCurrentConfig(started, env, basename(file))

  // What lasts as long as the host
  const resources = new AsyncDisposableStack()
  const events = new EventEmitter<HostEvents>()
  // What they hear of has happened: a listener that throws stops nothing.
  const emit: typeof events.emit = (...event) => {
    try {
      return events.emit(...event)
    } catch (error) {
      log.error('listener_failed', { topic: event[0], error })
      return false
    }
  }
  const metrics = resources.use(openMetrics(context, log))
  const tracing = await openTracing({ env, configDir, log })
  if (tracing) resources.use(tracing)
  const { cache, kept } = openCaches(started.cache, { configDir, log, metrics, context, resources })
  const lock = await openLock({ configDir, log }, started)
  const approved = createApprovedFiles(() => current.config.frozen)

  // What is served
  const validators = createValidators()
  const search = createSearchCatalog(validators)
  const { policy } = current
  const registry = new Registry(buildSnapshot({ generation: 0, plugins: [], policy, validators, search }), log)
  const operator = createCaller(LOCAL_PRINCIPAL)
  if (cache.bus) resources.use(linkReplicas({ registry, bus: cache.bus, operator }))
  const audit = createAudit(log, () => current.config.log.audit ?? current.config.auth.inbound.mode !== 'none')
  const linking = await openHostAccounts({
    started,
    current,
    configDir,
    registry,
    cache,
    audit,
    log,
    redactor: redact,
    resources,
  })
  const middleware = [...(await loadMiddleware(started.middleware, configDir)), ...(context.middleware ?? [])]
  const calls = openCalls({
    current,
    cache,
    events,
    middleware,
    log,
    metrics,
    tracing,
    now,
    redact,
    audit,
    accounts: linking?.calls,
  })

  // Plugins: found, activated, published, reloaded
  const found = createFoundEntries({ current, configDir, log })
  const publish = createPublish({ registry, current, found, validators, search, metrics, emit })
  const graph = resources.use(createPluginGraph(log, approved.admit, { keepsSources: expectReloads }))
  const isolation = resources.use(createIsolation({ log, now, random: Math.random, metrics, keepSpare: expectReloads }))
  const records = kept.outlivesProcess ? kept.namespace('registry') : undefined
  const servers = resources.use(createServers({ log, now, random: Math.random, metrics, records }))
  const leakDetector = resources.use(createLeakDetector({ log, canReclaim: () => graph.status.reclaim !== 'none' }))
  const parts = {
    graph,
    isolation,
    servers,
    cache,
    handles: createKeptHandles(log),
    configDir,
    current,
    started,
    entries: () => found.read(),
    lock,
    approved,
    operatorAccount: linking && ((instance: string) => linking.calls.load(LOCAL_PRINCIPAL, instance)),
    log,
    metrics,
    tracing,
    redactor: redact,
    isWatching: expectReloads,
    onFailed: () => reloader.retireFailed(),
    onServerChanged: (instance: string) =>
      void reloader.apply({ entries: found.read(), all: (record) => record.instance === instance }),
    onResourceChanged: (instance: string, uri: string) => registry.resourceChanged(instance, uri),
  }
  const lazyActivation = createLazyActivation({
    // A host that waits for every plugin must know whether each of them loads, so it activates none lazily.
    records: patienceMs === Infinity ? undefined : records,
    deps: () => activationDeps(parts),
    onOther: (listed) => void reloader.apply({ entries: found.read(), all: (record) => record === listed }),
    log,
  })
  const reloader = createReloader({
    log,
    readersOf: (record) => readersOf(record, current),
    now,
    publish,
    startPatienceMs: patienceMs ?? START_PATIENCE_MS,
    patienceMs: patienceMs ?? RELOAD_PATIENCE_MS,
    graceMs: GRACE_MS,
    drainMs: () => current.config.limits.drainMs,
    activate: (entry, signal) => lazyActivation.activate(entry, signal),
    onReload(report) {
      countReload(metrics, report)
      emit('reload', report)
    },
    onDrained: (report) => emit('drained', report),
    onRelease: (record) => releaseSchemas(record, validators),
    onReleased: (version) => leakDetector.watch(version),
  })
  resources.use(reloader)

  const warnings = createWarnings({ current, registry, log })
  events.on('generation', warnings.log)
  await reloader.apply({ entries: found.read() })
  if (expectReloads) await graph.prepareReleases()
  const activating = new AbortController()
  resources.defer(() => activating.abort())
  void lazyActivation.activateAll({ afterMs: importAfterMs, signal: activating.signal })
  const readAfterMs = patienceMs === Infinity ? Infinity : importAfterMs / 2
  const readAhead = createReadAhead({ afterMs: readAfterMs, signal: activating.signal, log })
  readAhead.add(...validators.prepare, () => metrics.prepare())

  const { missing } = cache
  const auth = () => current.config.auth
  const apply = createApply({ current, lock, found, reloader, registry, publish })
  const rebuild = (plugins: ReadonlySet<string>) => apply({ rebuild: plugins, samePlugins: true })
  const lockProblem = () => lock.problem ?? null
  const admin = { events, operator, warnings: () => warnings.lines(), lockProblem, rebuild, config: () => current.config }
  const build = ownBuild()
  const project = context.file === undefined ? undefined : projectId(context.file)
  const about = () => ({ ...build, lock: lock.sha256, project })
  const served = {
    about,
    tracing,
    registry,
    calls,
    log,
    metrics,
    missing,
    auth,
    configDir,
    middleware,
    redactor: redact,
    linking,
    admin,
    readAhead,
  }
  const listeners = createOpenListeners(() => ({ ...served, config: current.config, env: current.env }), {
    limits: () => current.config.limits,
    behind: resources,
  })
  return {
    get snapshot() {
      return registry.current
    },
    on: events.on.bind(events),
    off: events.off.bind(events),
    closed: listeners.closed,
    listen: (options = current.config.listen, { admin: access } = {}) => listeners.open(options, access),
    ...inProcess({ calls, registry, operator }),
    explain: (name, caller = operator) => explainReach(registry.current, name, caller),
    accounts: linking?.open.accounts,
    get cacheStats() {
      return cache.stats
    },
    list: (caller = operator) => ({
      ...listHost(registry.current, caller),
      warnings: warnings.lines(),
      lockProblem: lockProblem(),
    }),
    unusedRules: () => warnings.unusedRules(),
    apply,
    watched: () => reloader.watched(),
    close: (options) => listeners.close(options),
    [Symbol.asyncDispose]: () => listeners.close(),
  }
}

function openMetrics({ logLinesDropped }: HostContext, log: Logger): HostMetrics {
  const reason = 'it has too many series: further labels are counted as "other"'
  return createMetrics({ logLinesDropped, onLimit: (plugin, metric) => log.warn('metric_limit', { plugin, metric, reason }) })
}

/** The cache of the host, and the one that keeps descriptors of plugins. */
function openCaches(
  settings: ResolvedConfig['cache'],
  { resources, context, ...deps }: CachesDeps,
): { readonly cache: HostCache; readonly kept: HostCache } {
  const cache = resources.use(openCache({ settings, ...deps }))
  const { missing } = cache
  if (missing) deps.log.error('cache_store_missing', { reason: missing.message, fix: missing.fix })
  if (cache.outlivesProcess || !context.keepRegistry) return { cache, kept: cache }
  const registryFile = openRegistryCache(deps)
  return { cache, kept: registryFile ? resources.use(registryFile) : cache }
}

interface CachesDeps {
  readonly configDir: string
  readonly log: Logger
  readonly metrics: HostMetrics
  readonly context: HostContext
  readonly resources: AsyncDisposableStack
}

function openCalls({ current, cache, events, ...deps }: CallsDeps): Calls {
  return createCalls({
    ...deps,
    limits: () => current.config.limits,
    results: createResultCache({ cache }),
    rate: createRateLimit({ settings: () => current.config.limits.rate, scripts: cache.scripts }),
    tickets: createSingleUse(cache.scripts),
    onEnded: tellingCalls(events, deps.log),
  })
}

/** Tells of calls where something listens. What hears of a call must not change its answer. */
function tellingCalls(events: EventEmitter<HostEvents>, log: Logger): NonNullable<CallDeps['onEnded']> {
  return (made) => {
    if (events.listenerCount('call') === 0) return
    try {
      events.emit('call', made())
    } catch (error) {
      log.error('listener_failed', { topic: 'call', error })
    }
  }
}

interface CallsDeps extends Pick<
  CallDeps,
  'log' | 'metrics' | 'tracing' | 'now' | 'redact' | 'middleware' | 'audit' | 'accounts'
> {
  readonly events: EventEmitter<HostEvents>
  readonly current: CurrentConfig
  readonly cache: HostCache
}

function isResolved(config: EmbeddedConfig | ResolvedConfig): config is ResolvedConfig {
  return 'deployment' in config
}
