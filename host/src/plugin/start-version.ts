import type { ServicePlugin } from '@mcp-patchbay/plugin-api'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { withDiscovered } from '@mcp-patchbay/plugin-api/host'
import { descriptionOf } from '../config/plugin/openapi-entry.ts'
import type { PluginEntry } from '../config/schema/schema.ts'
import { serverOf } from '../config/schema/server/server-specifier.ts'
import { HostError, hostError } from '../errors.ts'
import { digestOf } from '../modules/reading/source-digest.ts'
import { linkAbort, orAborted } from '../network/resilience/abort.ts'
import { messageOf } from '../observability/thrown.ts'
import type { Activation, ActivationDeps, Draft } from './activation.ts'
import { readConfigScopes } from './settings/config-scopes.ts'
import type { DiscoverOptions } from './run/inline.ts'
import { LivePlugin } from './run/live-plugin.ts'
import type { LoadedPlugin } from './run/load-plugin.ts'
import { reasonOf } from './run/reason.ts'
import type { PluginSurface } from './source/describe-surface.ts'
import { openTenantHttp } from './tenant-http.ts'
import { requireDocument } from './trust/observe-document.ts'
import { versionIdentity } from './source/version-identity.ts'

/**
 * Configures and starts one version of a plugin, for all callers and for each tenant that it is configured for. Rejects with `PLUGIN_START`,
 * `PLUGIN_DOCUMENT`, `PLUGIN_TIMEOUT`, and with the reason of `signal`; what starts too late is disposed.
 */
export async function startVersion(
  {
    loaded,
    plugin: listed,
    instance,
    surface: own,
    entry,
    settle,
    requireDescription,
    configFiles,
    traces,
    secrets: held,
    signal,
  }: Startable,
  deps: ActivationDeps,
  activation: Draft,
): Promise<Activation> {
  const log = deps.log.child({ plugin: instance })
  let plugin = listed
  let surface = own
  const { base, tenants, error, files, ...audience } = await readConfigScopes(
    {
      instance,
      surface,
      entry,
      isAuthConfigured: (config) => guarded(instance, 'isAuthConfigured', () => loaded.isAuthConfigured(plugin, config)),
    },
    deps,
  )
  for (const [file, digest] of files) configFiles.set(file, digest)
  const description = descriptionOf({ use: entry.use, config: { ...entry.config, ...base?.config } })
  // It is watched like a file of the config.
  if (description?.file !== undefined) configFiles.set(description.file, digestOf(description.file))
  const everybody = [...(base ? [base] : []), ...tenants.values()]
  for (const { secrets } of everybody) held.push(...secrets.values().map((secret) => deps.redactor.add(secret)))
  const refused = new Map(audience.refused)
  if (everybody.length === 0) {
    loaded.retire()
    return { ...activation({ state: 'unconfigured', reason: reasonOf(refused.get('')) }), ...(error && { error }) }
  }
  const { version } = activation({ state: 'loading' }).record
  let { line, broken } = openTenantHttp({ base, tenants, instance, version, surface, entry, log }, deps)
  if (plugin.discover !== undefined) {
    try {
      // What one tenant's settings show is not for another to see.
      if (base) {
        requireDescription(base.config)
        requireDocument(instance, entry, base.config)
        const services = { instance, config: base.config, http: line.http, log, metrics: deps.metricsFor(instance) }
        const within = { signal, ms: deps.loadTimeoutMs }
        plugin = await discovered(loaded, { plugin, ...services, cache: deps.cache, digest: '' }, within)
      }
      surface = await settle(plugin, base?.config)
    } catch (reason) {
      await line.http[Symbol.asyncDispose]()
      throw reason
    }
    // What its requests may do follows from all of its tools. A server that is elsewhere is connected by now, over this line.
    if (!serverOf(entry.use)) {
      await line.http[Symbol.asyncDispose]()
      ;({ line, broken } = openTenantHttp({ base, tenants, instance, version, surface, entry, log }, deps))
    }
  }
  const draft = activation({ state: 'loading' })
  for (const [tenant, why] of broken) refused.set(tenant, why)
  for (const [tenant, { code, message }] of refused)
    if (tenant !== '') log.warn('tenant_unconfigured', { tenant, code, reason: message })
  traces.push(line.http)
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
    credentialKey({ principal, credentials, account }, access) {
      const use = line.credentialUse({ access, principal, credentials, account })
      return use.by === 'caller' ? use.fingerprint : ''
    },
    log,
    metrics: deps.metricsFor(instance),
    cache: deps.cache,
    handles: deps.handles.open(instance),
    digest: identity(),
    resourceChanged: (uri) => deps.onResourceChanged(instance, uri),
  })
  using stop = linkAbort(signal)
  const timer = setTimeout(() => {
    stop.abort(hostError('PLUGIN_TIMEOUT', { plugin: instance, step: 'starting', ms: deps.loadTimeoutMs }))
  }, deps.loadTimeoutMs)
  try {
    // A start that comes back after its time is up is disposed, not forgotten.
    const running = await orAborted(starting, stop.signal, (late) => {
      const disposed = Promise.resolve(late[Symbol.asyncDispose]())
      disposed.catch((reason: unknown) => log.warn('plugin_dispose_failed', { error: reason }))
    })
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
    throw error instanceof HostError ? error : startError(instance, 'start', error)
  } finally {
    clearTimeout(timer)
  }
}

const NO_CONFIG: Readonly<Record<string, unknown>> = Object.freeze({})
const NO_SECRETS: ReadonlyMap<string, string> = new Map()

/** One version on its way into service. */
export interface Startable {
  readonly loaded: LoadedPlugin
  readonly plugin: ServicePlugin
  readonly instance: string
  readonly surface: PluginSurface
  /** Checks a plugin with what it discovered, compares it with the lock, and gives what is served of it. */
  readonly settle: (plugin: ServicePlugin, config?: Readonly<Record<string, unknown>>) => Promise<PluginSurface>
  /** Throws `PIN_DOCUMENT` where the deployment refuses the description that this config names, before the plugin reads it. */
  readonly requireDescription: (config: Readonly<Record<string, unknown>>) => void
  readonly entry: PluginEntry
  readonly configFiles: Map<string, string>
  readonly traces: object[]
  readonly secrets: (() => void)[]
  readonly signal: AbortSignal | undefined
}

/** The plugin with what it discovers. Rejects with `PLUGIN_TIMEOUT`, `PLUGIN_START`, and with the reason of `signal`. */
export async function discovered(
  loaded: LoadedPlugin,
  options: Omit<DiscoverOptions, 'signal'>,
  { signal, ms: ofOthers }: { readonly signal: AbortSignal | undefined; readonly ms: number },
): Promise<ServicePlugin> {
  const { instance, plugin } = options
  const ms = ofOthers * (loaded.patience ?? 1)
  using stop = linkAbort(signal)
  const timer = setTimeout(() => stop.abort(hostError('PLUGIN_TIMEOUT', { plugin: instance, step: 'discovering', ms })), ms)
  try {
    return withDiscovered(plugin, await orAborted(loaded.discover({ ...options, signal: stop.signal }), stop.signal))
  } catch (error) {
    if (error instanceof HostError || signal?.aborted) throw error
    throw startError(instance, 'discover', error)
  } finally {
    clearTimeout(timer)
  }
}

async function guarded<Result>(plugin: string, step: string, work: () => Promise<Result> | Result): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw startError(plugin, step, error)
  }
}

/** A service that does not answer is no fault of the plugin's code. */
function startError(plugin: string, step: string, error: unknown): HostError {
  const ofService = error instanceof ServiceError ? (error.fix ?? '') : undefined
  return hostError('PLUGIN_START', { plugin, step, problem: messageOf(error), ofService }, error)
}
