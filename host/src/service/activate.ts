import type { HttpClient, Logger, Metrics, ServicePlugin } from '@mcp-patchbay/plugin-api'
import type { CredentialPolicy, CredentialUseOf } from '../auth/credential-use.ts'
import type { PluginCaches } from '../cache/cache.ts'
import type { PluginEntry } from '../config/schema.ts'
import type { ConfigFiles } from '../config/env.ts'
import { configVariables, refuseCollisions } from '../config/variables.ts'
import { HostError, hostError } from '../errors.ts'
import type { ModuleGraph } from '../modules/graph.ts'
import type { Redactor } from '../observability/redact.ts'
import { messageOf } from '../observability/thrown.ts'
import { checkPlugin } from './check.ts'
import type { EntryCredentials } from './credential-policy.ts'
import { readEntryConfig } from './entry-config.ts'
import { requireGranted } from './granted.ts'
import type { Isolation } from './isolate/isolation.ts'
import { LivePlugin } from './live-plugin.ts'
import { loadedObject, loadInline, type LoadedPlugin } from './load.ts'
import { grantedCapabilities } from './observe.ts'
import { checkPin, objectPin, type PinCheck, type PinPolicy, type PinResult } from './pins.ts'
import type { PluginRecord } from './plugin-record.ts'
import { reasonOf } from './reason.ts'
import { expectedRoot, nameFromSpecifier, resolvePlugin, specifierOf, type ResolvedPlugin } from './resolve.ts'
import { readSurface, type PluginSurface } from './surface.ts'
import { versionIdentity } from './version-identity.ts'

/** What activating a plugin needs from the host. */
export interface ActivationDeps {
  readonly graph: ModuleGraph
  readonly configDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: Logger
  readonly cache: PluginCaches
  readonly loadTimeoutMs: number
  readonly isolation: Isolation
  /** What one plugin in its own process may hold, in MB. */
  readonly processLimits: { readonly heapMb: number; readonly memoryMb: number }
  /** A running plugin stays down: its `failure` says why. */
  readonly onFailed: () => void
  readonly metricsFor: (instance: string) => Metrics
  readonly createHttp: (options: HttpOptions) => ServiceLine
  readonly credentialsOf: (entry: PluginEntry) => EntryCredentials
  readonly pins: PinPolicy
  readonly redactor: Redactor
}

/** A plugin's way to its service. */
export interface ServiceLine {
  readonly http: HttpClient & AsyncDisposable
  readonly credentialUse: CredentialUseOf
}

/** What the network layer must know to make a plugin's `http`. */
export interface HttpOptions {
  readonly instance: string
  readonly surface: PluginSurface
  readonly entry: PluginEntry
  readonly config: Readonly<Record<string, unknown>>
  readonly secrets: ReadonlyMap<string, string>
  /** Where each value of the config came from. */
  readonly sources: Readonly<Record<string, string>>
  readonly policy: CredentialPolicy
  readonly log: Logger
}

/** One attempt to bring an entry to life. A failure is a record with a reason, never a rejection. */
export interface Activation {
  readonly record: PluginRecord
  /** What it was built from: every file of its graph with the digest of what was read, or as much as was met before it failed. */
  readonly digests: ReadonlyMap<string, string>
  /** Files beside its code that its config was read from, such as mounted secrets. */
  readonly configFiles: ConfigFiles
  /** The folder or file whose changes make another attempt worthwhile. */
  readonly root: string | undefined
  /** What made it fail, whole, for the log. A version that is merely not wanted, for want of a credential, has none. */
  readonly error?: unknown
  /** What the plugin and the host made for this version and nobody may hold once it is drained. */
  readonly traces: readonly object[]
  /** Frees the version's modules; to be called once the version is drained. */
  release(): void
}

/** Resolves, imports, checks, configures and starts the plugin of one entry. `signal` gives up an attempt that a newer one replaces. */
export async function activate(entry: PluginEntry, deps: ActivationDeps, signal?: AbortSignal): Promise<Activation> {
  const label = entry.as ?? (typeof entry.use === 'string' ? nameFromSpecifier(entry.use) : 'plugin')
  let resolved: ResolvedPlugin | undefined
  let loaded: LoadedPlugin | undefined
  let instance = label
  let surface: PluginSurface | undefined
  let pin: PinCheck | undefined
  let pinned: Partial<PluginRecord> = {}
  const met = new Map<string, string>()
  const configFiles = new Map<string, string>()
  const traces: object[] = []
  /** Takes the secrets of this version out of every text until it is released: one that failed has an error that is shown. */
  const secrets: (() => void)[] = []
  const activation = (record: Omit<PluginRecord, 'instance' | 'entry'>): Activation => ({
    record: {
      instance,
      entry,
      ...(resolved?.version !== undefined
        ? { version: resolved.version }
        : surface?.version !== undefined
          ? { version: surface.version }
          : {}),
      ...(surface ? { surface } : {}),
      ...pinned,
      ...record,
    },
    // A version that imports lazily has more files later.
    get digests() {
      return loaded?.digests ?? met
    },
    configFiles,
    root: resolved?.root ?? (typeof entry.use === 'string' ? expectedRoot(entry.use, deps.configDir) : undefined),
    traces,
    release() {
      loaded?.release()
      pin?.[Symbol.dispose]()
      for (const forget of secrets) forget()
    },
  })
  try {
    if (typeof entry.use === 'string') {
      resolved = resolvePlugin({ use: entry.use, version: entry.version, instance: label }, deps.configDir)
      const { configDir } = deps
      pin = await checkPin(entry, resolved, { policy: deps.pins, within: { label, configDir, signal } })
      if (pin.held)
        return { ...activation({ state: 'quarantined', pinned: 'changed', reason: reasonOf(pin.held) }), error: pin.held }
      loaded = await load({ entry, resolved, pin, label, digests: met, signal }, deps)
    } else {
      loaded = loadedObject(entry.use)
      const why = 'it is an object of this process, and isolation is "process"'
      if (entry.isolation === 'process') throw hostError('PLUGIN_SPECIFIER', { plugin: label, use: specifierOf(entry), why })
    }
    const plugin = checkPlugin(loaded.exported, entry.as, label)
    // An embedder's own object outlives any version of it.
    if (resolved) traces.push(plugin)
    instance = entry.as ?? plugin.name
    surface = readSurface(plugin)
    const verdict = await (pin ?? objectPin).judge({ instance, surface, digests: loaded.digests })
    if (entry.isolation === 'process') await requireGranted(surface, entry, { label: instance, configDir: deps.configDir })
    for (const warning of verdict.warnings)
      deps.log.warn('plugin_pin', { plugin: instance, code: warning.code, reason: warning.message })
    pinned = pinnedRecord(verdict)
    return await start({ loaded, plugin, instance, surface, entry, configFiles, traces, secrets, signal }, deps, activation)
  } catch (error) {
    for (const [file, digest] of loaded?.digests ?? []) met.set(file, digest)
    loaded?.release()
    loaded = undefined
    pin?.[Symbol.dispose]()
    const reason = reasonOf(error, { files: new Set(met.keys()), redact: deps.redactor })
    return { ...activation({ state: 'failed', reason, ...pinnedBy(error) }), error }
  }
}

/** A refusal says itself how the plugin stands to the lock. */
function pinnedBy(error: unknown): Partial<PluginRecord> {
  if (!(error instanceof HostError) || !error.code.startsWith('PIN_')) return {}
  return { pinned: error.code === 'PIN_NOT_LOCKED' ? 'unpinned' : 'changed' }
}

/** What a record says of the lock, whatever state its plugin is in. */
function pinnedRecord({ pinned, tree, quarantined, othersQuarantined, warnings: [first] }: PinResult): Partial<PluginRecord> {
  const hides = quarantined.size > 0 || othersQuarantined
  return {
    pinned,
    ...(tree === undefined ? {} : { tree }),
    ...(hides ? { quarantined, othersQuarantined } : {}),
    ...(hides && first ? { reason: reasonOf(first) } : {}),
  }
}

interface Loadable {
  readonly entry: PluginEntry
  readonly resolved: ResolvedPlugin
  readonly pin: PinCheck
  readonly label: string
  readonly digests: Map<string, string>
  readonly signal: AbortSignal | undefined
}

async function load({ entry, resolved, pin, ...rest }: Loadable, deps: ActivationDeps): Promise<LoadedPlugin> {
  const { graph, configDir, env, isolation, loadTimeoutMs: timeoutMs, processLimits: limits, onFailed } = deps
  const options = { ...rest, timeoutMs }
  if (entry.isolation === 'inline') return loadInline(resolved, graph, options)
  const capabilities = await grantedCapabilities(entry, { label: rest.label, configDir })
  return isolation.load(resolved, { ...options, capabilities, configDir, env, limits, approved: pin.approved, onFailed })
}

interface Startable {
  readonly loaded: LoadedPlugin
  readonly plugin: ServicePlugin
  readonly instance: string
  readonly surface: PluginSurface
  readonly entry: PluginEntry
  readonly configFiles: Map<string, string>
  readonly traces: object[]
  readonly secrets: (() => void)[]
  readonly signal: AbortSignal | undefined
}

async function start(
  { loaded, plugin, instance, surface, entry, configFiles, traces, secrets: held, signal }: Startable,
  deps: ActivationDeps,
  activation: (record: Omit<PluginRecord, 'instance' | 'entry'>) => Activation,
): Promise<Activation> {
  const log = deps.log.child({ plugin: instance })
  refuseCollisions([{ instance, schema: surface.config }])
  const { areCallers, ...policy } = deps.credentialsOf(entry)
  const read = readEntryConfig({ instance, surface, entry }, deps)
  for (const [file, digest] of read.files) configFiles.set(file, digest)
  for (const warning of read.warnings) log.warn('plugin_config_warning', { warning })
  if (!read.ok) {
    const error = hostError('PLUGIN_UNCONFIGURED', { plugin: instance, problems: read.problems, fixes: read.fixes })
    loaded.retire()
    return { ...activation({ state: 'unconfigured', reason: reasonOf(error) }), error }
  }
  const { config, secrets, sources } = read
  held.push(...secrets.values().map((secret) => deps.redactor.add(secret)))
  const isConfigured = await guarded(instance, 'isAuthConfigured', () => loaded.isAuthConfigured(plugin, config))
  if (!isConfigured && !areCallers) {
    loaded.retire()
    const error = hostError('PLUGIN_UNCONFIGURED', {
      plugin: instance,
      problems: ['no credential is set'],
      fixes: credentialFixes(surface, instance),
    })
    return activation({ state: 'unconfigured', reason: reasonOf(error) })
  }
  const { http, credentialUse } = deps.createHttp({
    instance,
    surface,
    entry,
    config,
    secrets,
    sources,
    policy: { ...policy, isNeeded: !isConfigured },
    log,
  })
  traces.push(http)
  const draft = activation({ state: 'loading' })
  const identity = versionIdentity({ root: draft.root, digests: () => draft.digests, config, secrets })
  const starting = loaded.start({
    instance,
    plugin,
    surface,
    config,
    http,
    log,
    metrics: deps.metricsFor(instance),
    cache: deps.cache,
    digest: identity(),
  })
  try {
    const late = () => hostError('PLUGIN_TIMEOUT', { plugin: instance, step: 'start', ms: deps.loadTimeoutMs })
    const running = await within(starting, { ms: deps.loadTimeoutMs, late, signal })
    return activation({ state: 'active', live: new LivePlugin(instance, running), identity, credentialUse })
  } catch (error) {
    // A start that comes back after its time is up is disposed, not forgotten.
    starting.then(
      (late) => late[Symbol.asyncDispose](),
      () => {},
    )
    throw error instanceof HostError
      ? error
      : hostError('PLUGIN_START', { plugin: instance, step: 'start', problem: messageOf(error) }, error)
  }
}

async function guarded<Result>(plugin: string, step: string, work: () => Promise<Result> | Result): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw hostError('PLUGIN_START', { plugin, step, problem: messageOf(error) }, error)
  }
}

/** Rejects with `late()` when `work` takes longer, and when `signal` gives it up; the work itself goes on. */
async function within<Result>(
  work: Promise<Result>,
  { ms, late, signal }: { ms: number; late: () => Error; signal: AbortSignal | undefined },
): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(late()), ms)
  const giveUp = () => reject(signal?.reason)
  if (signal?.aborted) giveUp()
  else signal?.addEventListener('abort', giveUp, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', giveUp)
  }
}

/** Which variables would configure a credential: the secrets of the config schema. */
function credentialFixes(surface: PluginSurface, instance: string): readonly string[] {
  const secrets = configVariables(instance, surface.config).flatMap(({ variable, secret }) => (secret ? [variable] : []))
  if (secrets.length === 0) return [`Run: npx patchbay env ${instance}`]
  return [
    `Set ${secrets.join(' or ')} in the environment or in .env`,
    `Or point ${secrets[0]}_FILE at a file that holds it`,
    `Or have each caller send one of their own: serverCredentials: 'deny' on the entry "${instance}"`,
  ]
}
