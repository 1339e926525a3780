import type { HttpClient, Logger, Metrics, ServicePlugin } from '@mcp-patchbay/plugin-api'
import type { CredentialPolicy, CredentialUseOf } from '../auth/credential-use.ts'
import type { PluginCaches } from '../cache/cache.ts'
import type { PluginEntry } from '../config/schema.ts'
import type { ConfigFiles } from '../config/env.ts'
import { HostError, hostError } from '../errors.ts'
import type { ModuleGraph } from '../modules/graph.ts'
import type { Redactor } from '../observability/redact.ts'
import { messageOf } from '../observability/thrown.ts'
import { readAudience, type Audience, type Settings } from './audience.ts'
import { checkPlugin } from './check.ts'
import type { EntryCredentials } from './credential-policy.ts'
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
import type { TenantSettings } from './tenant-config.ts'
import { routeTenants } from './tenant-lines.ts'
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
  readonly tenants: TenantSettings
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
  /** What its environment variables begin with. */
  readonly prefix: string
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
  /** It runs, but what a tenant was given is wrong: a version that serves is not replaced by it. */
  readonly fault?: HostError | undefined
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
  const activation: Draft = (record, fault) => ({
    fault,
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

/** Makes the result of an attempt. What it gives is not to be copied: its digests grow with what is imported later. */
type Draft = (record: Omit<PluginRecord, 'instance' | 'entry'>, fault?: HostError) => Activation

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
  activation: Draft,
): Promise<Activation> {
  const log = deps.log.child({ plugin: instance })
  const { base, tenants, error, files, ...audience } = await readAudience(
    {
      instance,
      surface,
      entry,
      isAuthConfigured: (config) => guarded(instance, 'isAuthConfigured', () => loaded.isAuthConfigured(plugin, config)),
      log,
    },
    deps,
  )
  for (const [file, digest] of files) configFiles.set(file, digest)
  const everybody = [...(base ? [base] : []), ...tenants.values()]
  for (const { secrets } of everybody) held.push(...secrets.values().map((secret) => deps.redactor.add(secret)))
  const refused = new Map(audience.refused)
  if (everybody.length === 0) {
    loaded.retire()
    return { ...activation({ state: 'unconfigured', reason: reasonOf(refused.get('')) }), ...(error && { error }) }
  }
  const { line, broken } = openLines({ base, tenants, instance, surface, entry, log }, deps)
  for (const [tenant, why] of broken) refused.set(tenant, why)
  for (const [tenant, { code, message }] of refused)
    if (tenant !== '') log.warn('tenant_unconfigured', { tenant, code, reason: message })
  traces.push(line.http)
  const draft = activation({ state: 'loading' })
  const { config = NO_CONFIG, secrets = NO_SECRETS } = base ?? {}
  const identity = versionIdentity({ root: draft.root, digests: () => draft.digests, config, secrets, tenants })
  const starting = loaded.start({
    instance,
    plugin,
    surface,
    config,
    tenants: new Map([...tenants].map(([tenant, of]) => [tenant, of.config])),
    hasBackground: base !== undefined,
    http: line.http,
    credentialKey({ principal, credentials }, access) {
      const use = line.credentialUse({ access, principal, credentials })
      return use.by === 'caller' ? use.fingerprint : ''
    },
    log,
    metrics: deps.metricsFor(instance),
    cache: deps.cache,
    digest: identity(),
  })
  try {
    const late = () => hostError('PLUGIN_TIMEOUT', { plugin: instance, step: 'start', ms: deps.loadTimeoutMs })
    const running = await within(starting, { ms: deps.loadTimeoutMs, late, signal })
    return activation(
      {
        state: 'active',
        live: new LivePlugin(instance, running),
        identity,
        credentialUse: line.credentialUse,
        ...(refused.size > 0 && { refusedFor: new Map([...refused].map(([tenant, why]) => [tenant, reasonOf(why)])) }),
        ...(tenants.size > 0 && { tenants: [...tenants.keys()] }),
      },
      audience.fault ?? broken.values().next().value,
    )
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

const NO_CONFIG: Readonly<Record<string, unknown>> = Object.freeze({})
const NO_SECRETS: ReadonlyMap<string, string> = new Map()

/** A way to the service for everybody, with one of its own for each tenant; what is wrong with a tenant's address is the tenant's alone. */
function openLines(
  { base, tenants, ...of }: Pick<Audience, 'base' | 'tenants'> & Pick<HttpOptions, 'instance' | 'surface' | 'entry' | 'log'>,
  { credentialsOf, createHttp }: ActivationDeps,
): { readonly line: ServiceLine; readonly broken: ReadonlyMap<string, HostError> } {
  const { areCallers: _, ...policy } = credentialsOf(of.entry)
  const open = ({ isConfigured, ...settings }: Settings) =>
    createHttp({ ...of, ...settings, policy: { ...policy, isNeeded: !isConfigured } })
  const own = new Map<string, ServiceLine>()
  const broken = new Map<string, HostError>()
  const ofBase = base && open(base)
  for (const [tenant, settings] of tenants)
    try {
      own.set(tenant, open(settings))
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      broken.set(tenant, error)
    }
  const createOther = () => open(base as Settings)
  return { line: routeTenants({ base: ofBase, own, createOther, instance: of.instance }), broken }
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
