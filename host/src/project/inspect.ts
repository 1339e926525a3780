import { hostPaths } from '../plugin/trust/host-paths.ts'
import { basename } from 'node:path'
import type { ServicePlugin } from '@mcp-patchbay/plugin-api'
import type { PluginEntry } from '../config/schema/schema.ts'
import { createCache } from '../cache/cache.ts'
import { describeError, hostError } from '../errors.ts'
import { createMetrics } from '../observability/metrics.ts'
import { createRedactor } from '../observability/redact.ts'
import type { Capabilities } from '../pin/capabilities.ts'
import type { ObservedInstall, ObservedSurface } from '../pin/difference/compare.ts'
import { filesByLocation, type Tree } from '../pin/tree/tree.ts'
import { createPluginGraph } from '../plugin/source/plugin-graph.ts'
import { checkPlugin } from '../plugin/source/check-contract.ts'
import { discoverEntries } from '../plugin/source/discover.ts'
import { createIsolation } from '../plugin/isolate/isolation.ts'
import { serverOf } from '../config/schema/server/server-specifier.ts'
import { locateServer, type LocatedServer } from '../plugin/mcp-server/locate-server.ts'
import { SERVER_PATIENCE } from '../plugin/mcp-server/server-plugin.ts'
import { createServers } from '../plugin/mcp-server/servers.ts'
import { loadInline, type LoadedPlugin } from '../plugin/run/load-plugin.ts'
import { serviceHttp } from '../plugin/run/service-http.ts'
import type { HttpOptions } from '../plugin/run/service-line.ts'
import { readConfigScopes } from '../plugin/settings/config-scopes.ts'
import { entryCredentials } from '../plugin/settings/credential-policy.ts'
import { discovered } from '../plugin/start-version.ts'
import { openTenantHttp } from '../plugin/tenant-http.ts'
import type { LockedDocument } from '../pin/lock/lock.ts'
import { observeDocument, requireDocument } from '../plugin/trust/observe-document.ts'
import { observePlugin, observeSurface, withDeclared, withServerName } from '../plugin/trust/observe.ts'
import { compareRead } from '../plugin/trust/pin-policy.ts'
import { nameFromSpecifier, resolvePlugin, specifierOf, type ResolvedPlugin } from '../plugin/source/resolve-entry.ts'
import { readSurface, type PluginSurface } from '../plugin/source/describe-surface.ts'
import type { Project } from './open-project.ts'

/** All that a lock says of a plugin, as it is on disk now. It was imported for that, and not started. */
export interface InspectedPlugin {
  readonly name: string
  readonly entry: PluginEntry
  readonly install: ObservedInstall
  readonly observed: ObservedSurface
  readonly surface: PluginSurface
  readonly tree: Tree
  /** Files it imports that neither it nor its declared dependencies hold: a frozen deployment would not load them. */
  readonly uncovered: readonly string[]
}

export interface Inspection {
  readonly plugins: readonly InspectedPlugin[]
  readonly failed: readonly { readonly plugin: string; readonly problem: string }[]
}

/** Looks at every plugin of the config. A plugin that an embedder hands over as an object has nothing to pin. */
export async function inspectProject(project: Project): Promise<Inspection> {
  const { config } = project.settings
  const plugins: InspectedPlugin[] = []
  const failed: { plugin: string; problem: string }[] = []
  for (const entry of discoverEntries(config, project)) {
    if (typeof entry.use !== 'string') continue
    try {
      plugins.push(await inspectPlugin(entry, project))
    } catch (error) {
      failed.push({ plugin: entry.as ?? nameFromSpecifier(entry.use), problem: describeError(error) })
    }
  }
  return { plugins, failed }
}

/**
 * Inspects one plugin. One that will run in a process of its own is imported in one, with what its entry grants: its code is not yet
 * approved. Throws what activating it would throw, up to its start.
 */
export async function inspectPlugin(entry: PluginEntry, project: Place): Promise<InspectedPlugin> {
  const { configDir } = project
  const { config } = project.settings
  const kept = () => hostPaths(config, { entries: discoverEntries(config, project), own: entry, configDir })
  const label = entry.as ?? nameFromSpecifier(specifierOf(entry))
  const within = { label, configDir, kept }
  const server = serverOf(entry.use)
  const code: Code = server
    ? { kind: 'server', located: await locateServer(entry, server, within) }
    : { kind: 'plugin', resolved: resolvePlugin({ use: specifierOf(entry), version: entry.version, instance: label }, configDir) }
  const { install, tree } = code.kind === 'server' ? code.located.observed : await observePlugin(entry, code.resolved, within)
  const { surface, read, document, serverName } = await importSurface(
    { entry, label, tree, code, granted: install.capabilities },
    project,
  )
  const capabilities = await withDeclared(install.capabilities, surface, { label, configDir, kept })
  const covered = filesByLocation(tree)
  return {
    name: entry.as ?? surface.name,
    entry,
    install: { ...withServerName(install, serverName), capabilities, ...(document && { document }) },
    observed: observeSurface(surface),
    surface,
    tree,
    uncovered: [...read].filter((file) => !covered.has(file)),
  }
}

type Place = Pick<Project, 'configDir' | 'settings' | 'log'>

/** Names of tools that one of two surfaces has and the other has not, or not the same. */
function differingTools(one: PluginSurface, other: PluginSurface): readonly string[] {
  const [a, b] = [observeSurface(one).tools, observeSurface(other).tools]
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name]?.digest !== b[name]?.digest)
}

/** Has a plugin discover what it serves, with the config and the credential that it will run with. */
async function discoverOnce(
  loaded: LoadedPlugin,
  plugin: ServicePlugin,
  of: { readonly instance: string; readonly entry: PluginEntry; readonly surface: PluginSurface },
  { configDir, settings, log }: Place,
): Promise<Found> {
  const { config, env } = settings
  const { instance } = of
  const redactor = createRedactor()
  const credentialsOf = (entry: PluginEntry) => entryCredentials(config, entry, config)
  const isAuthConfigured = (values: Readonly<Record<string, unknown>>) => loaded.isAuthConfigured(plugin, values)
  const { base, refused, tenants } = await readConfigScopes(
    { ...of, isAuthConfigured },
    { env, configDir, tenants: {}, credentialsOf },
  )
  if (!base)
    throw refused.get('') ?? hostError('PLUGIN_START', { plugin: instance, step: 'discover', problem: 'it is not configured' })
  const createHttp = (options: HttpOptions) =>
    serviceHttp(options, { redactor, readOnly: config.readOnly, frozen: config.frozen, configDir, env })
  const { line } = openTenantHttp({ base, tenants, ...of, version: undefined, log }, { credentialsOf, createHttp })
  await using cache = createCache({ log })
  try {
    const services = { instance, plugin, config: base.config, http: line.http, log }
    const options = { ...services, metrics: createMetrics().forPlugin(instance), cache, digest: '' }
    // What is digested is what it reads: a description that changes meanwhile shows other tools the second time.
    requireDocument(instance, of.entry, base.config)
    const document = observeDocument(of.entry, base.config, configDir)
    const whole = await discovered(loaded, options, { signal: undefined, ms: config.limits.loadTimeoutMs })
    return { plugin: whole, document }
  } finally {
    await line.http[Symbol.asyncDispose]()
  }
}

/** A plugin after discovery, and the API description that its discovery read. */
interface Found {
  readonly plugin: ServicePlugin
  readonly document: LockedDocument | undefined
}

/** What is run for an entry. */
type Code =
  | { readonly kind: 'server'; readonly located: LocatedServer }
  | { readonly kind: 'plugin'; readonly resolved: ResolvedPlugin }

interface Importing {
  readonly entry: PluginEntry
  readonly label: string
  readonly tree: Tree
  readonly code: Code
  readonly granted: Capabilities
}

/** What it shows, and every file that was run for it. */
async function importSurface(
  { entry, label, tree, code, granted }: Importing,
  { configDir, settings, log }: Place,
): Promise<{
  readonly surface: PluginSurface
  readonly read: ReadonlySet<string>
  readonly document?: LockedDocument | undefined
  readonly serverName?: string | undefined
}> {
  await using resources = new AsyncDisposableStack()
  const {
    loadTimeoutMs: timeoutMs,
    pluginHeapMb: heapMb,
    pluginMemoryMb: memoryMb,
    resultBytes: answerBytes,
  } = settings.config.limits
  const options = { timeoutMs, label, digests: new Map<string, string>(), signal: undefined }
  const read = new Set<string>()
  const process = { capabilities: granted, configDir, env: settings.env, limits: { heapMb, memoryMb, answerBytes, idleMs: 0 } }
  const clock = { log, now: () => performance.now(), random: Math.random }
  const loadServer = ({ files }: LocatedServer) =>
    resources.use(createServers(clock)).load(entry, {
      ...process,
      instance: label,
      files,
      verify: async () => {},
      version: entry.version,
      timeoutMs: timeoutMs * (SERVER_PATIENCE - 1),
      mayBeKept: false,
      onChanged() {},
      onResourceChanged() {},
      onFailed() {},
    })
  const loadHere = (of: ResolvedPlugin) =>
    loadInline(of, resources.use(createPluginGraph(log, ({ file }) => void read.add(file))), options)
  const loadApart = (of: ResolvedPlugin) => resources.use(createIsolation(clock)).load(of, { ...options, ...process })
  const load = (of: ResolvedPlugin) => (entry.isolation === 'inline' ? loadHere(of) : loadApart(of))
  const loaded = await (code.kind === 'server' ? loadServer(code.located) : load(code.resolved))
  resources.defer(() => loaded.release())
  // What is recorded is what was looked at.
  compareRead(tree, loaded.digests)
  // Another process does not tell what it ran. What it looked for in vain has no digest, and every package.json on the way up was read to
  // learn what kind of module a file is.
  if (entry.isolation === 'process')
    for (const [file, digest] of loaded.digests) if (digest !== '' && basename(file) !== 'package.json') read.add(file)
  const { plugin, leftOut } = checkPlugin(loaded.exported, entry.as, label)
  const own = readSurface(plugin, leftOut)
  if (plugin.discover === undefined) return { surface: own, read }
  const of = { instance: entry.as ?? plugin.name, entry, surface: own }
  const discover = async () => {
    const { plugin: whole, document } = await discoverOnce(loaded, plugin, of, { configDir, settings, log })
    const checked = checkPlugin(whole, entry.as, label)
    return { surface: readSurface(checked.plugin, checked.leftOut), document }
  }
  const [{ surface, document }, again] = [await discover(), await discover()]
  if (observeSurface(surface).surface !== observeSurface(again.surface).surface || document?.digest !== again.document?.digest)
    throw hostError('PLUGIN_UNSTABLE', { plugin: of.instance, tools: differingTools(surface, again.surface) })
  return { surface, read, document, serverName: loaded.serverName }
}
