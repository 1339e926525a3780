import { dirname } from 'node:path'
import type { PluginEntry } from '../config/schema/schema.ts'
import { HostError, hostError } from '../errors.ts'
import type { Activation, ActivationDeps, Draft } from './activation.ts'
import { checkPlugin } from './source/check-contract.ts'
import { problemOf } from './source/left-out.ts'
import { requireGranted } from './trust/granted.ts'
import { loadedObject, loadInline, type LoadedPlugin } from './run/load-plugin.ts'
import { grantedCapabilities } from './trust/observe.ts'
import { checkPin, objectPin, type PinCheck, type PinResult } from './trust/pin-policy.ts'
import type { PluginRecord } from './run/plugin-record.ts'
import { reasonOf } from './run/reason.ts'
import { expectedRoot, nameFromSpecifier, resolvePlugin, specifierOf, type ResolvedPlugin } from './source/resolve-entry.ts'
import { linkTo, listFolders, NO_SURROUNDINGS, readWatched, type Surroundings, type WatchedGlobs } from './source/surroundings.ts'
import { serverOf } from '../config/schema/server/server-specifier.ts'
import { checkServerPin, locateForLater } from './mcp-server/locate-server.ts'
import { SERVER_PATIENCE } from './mcp-server/server-plugin.ts'
import { startVersion, type Startable } from './start-version.ts'
import { readSurface, withAccess, type PluginSurface } from './source/describe-surface.ts'

/** Resolves, imports, checks, configures and starts the plugin of one entry. `signal` gives up an attempt that a newer one replaces. */
export async function activate(entry: PluginEntry, deps: ActivationDeps, signal?: AbortSignal): Promise<Activation> {
  const label = entry.as ?? (typeof entry.use === 'string' ? nameFromSpecifier(entry.use) : 'plugin')
  let resolved: ResolvedPlugin | undefined
  let loaded: LoadedPlugin | undefined
  let instance = label
  let surface: PluginSurface | undefined
  let pin: PinCheck | undefined
  let pinned: Partial<PluginRecord> = {}
  let surroundings: Surroundings = NO_SURROUNDINGS
  const met = new Map<string, string>()
  /** Files that are not code, named by `watch`. */
  let watched: ReadonlyMap<string, string> = new Map()
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
      const read = loaded?.digests ?? met
      return watched.size > 0 ? new Map([...read, ...watched]) : read
    },
    get surroundings() {
      return surroundings
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
    const server = serverOf(entry.use)
    if (server) {
      const within = { label, configDir: deps.configDir, signal, kept: () => deps.hostPaths(entry) }
      const found = await locateForLater(entry, server, { policy: deps.pins, within })
      resolved = found.resolved
      pin = await checkServerPin(entry, found, { policy: deps.pins, within })
      if (pin.held)
        return { ...activation({ state: 'quarantined', pinned: 'changed', reason: reasonOf(pin.held) }), error: pin.held }
      loaded = deps.servers.load(entry, {
        instance: label,
        files: found.files,
        verify: found.verify,
        version: entry.version,
        capabilities: found.observed.install.capabilities,
        configDir: deps.configDir,
        env: deps.env,
        limits: deps.processLimits,
        timeoutMs: deps.loadTimeoutMs * (SERVER_PATIENCE - 1),
        mayBeKept: !entry.required,
        onChanged: deps.onServerChanged,
        onResourceChanged: deps.onResourceChanged,
        onFailed: deps.onFailed,
      })
    } else if (typeof entry.use === 'string') {
      if (deps.isWatching) surroundings = { ...surroundings, links: entryLinks(entry.use, deps.configDir) }
      resolved = resolvePlugin({ use: entry.use, version: entry.version, instance: label }, deps.configDir)
      const { configDir } = deps
      pin = await checkPin(entry, resolved, {
        policy: deps.pins,
        within: { label, configDir, signal, kept: () => deps.hostPaths(entry) },
      })
      if (pin.held)
        return { ...activation({ state: 'quarantined', pinned: 'changed', reason: reasonOf(pin.held) }), error: pin.held }
      loaded = await load({ entry, resolved, pin, label, digests: met, signal }, deps)
    } else {
      loaded = loadedObject(entry.use)
      const why = 'it is an object in the host process, so isolation cannot be "process"'
      if (entry.isolation === 'process') throw hostError('PLUGIN_SPECIFIER', { plugin: label, use: specifierOf(entry), why })
    }
    const { plugin, leftOut } = checkPlugin(loaded.exported, entry.as, label)
    // An embedder's own object outlives any version of it.
    if (resolved) traces.push(plugin)
    instance = entry.as ?? plugin.name
    const listed = readSurface(plugin, leftOut)
    surface = listed
    if (resolved) {
      const globs = watchedGlobs(plugin.watch, entry, resolved)
      if (globs) watched = readWatched(globs)
      if (deps.isWatching)
        surroundings = {
          links: new Map([...surroundings.links, ...loaded.links]),
          folders: listFolders(loaded.digests.keys(), resolved.root),
          listed: loaded.listed,
          globs,
        }
    }
    const code = loaded
    const settle: Startable['settle'] = async (whole, config) => {
      const checked = whole === plugin ? { plugin, leftOut } : checkPlugin(whole, entry.as, label)
      const said = whole === plugin ? listed : readSurface(checked.plugin, checked.leftOut)
      const verdict = await (pin ?? objectPin).judge({
        instance,
        surface: said,
        digests: code.digests,
        config,
        serverName: code.serverName,
      })
      for (const one of checked.leftOut)
        deps.log.warn('item_skipped', { plugin: instance, kind: one.kind, name: one.name, problem: problemOf(one) })
      for (const warning of verdict.warnings)
        deps.log.warn('plugin_pin', { plugin: instance, code: warning.code, reason: warning.message })
      pinned = pinnedRecord(verdict)
      // What is pinned is what the plugin says; what runs is what the operator says of it.
      return (surface = withAccess(said, entry))
    }
    const requireDescription: Startable['requireDescription'] = (config) => pin?.requireDescription(instance, config)
    // Its whole surface is known once it has its config.
    if (plugin.discover === undefined) await settle(plugin)
    if (entry.isolation === 'process')
      await requireGranted(surface, entry, { label: instance, configDir: deps.configDir, kept: () => deps.hostPaths(entry) })
    return await startVersion(
      { loaded, plugin, instance, surface, entry, settle, requireDescription, configFiles, traces, secrets, signal },
      deps,
      activation,
    )
  } catch (error) {
    for (const [file, digest] of loaded?.digests ?? []) met.set(file, digest)
    loaded?.release()
    loaded = undefined
    pin?.[Symbol.dispose]()
    const reason = reasonOf(error, { files: new Set(met.keys()), redact: deps.redactor })
    return { ...activation({ state: 'failed', reason, ...pinnedBy(error) }), error }
  }
}

/** What plugin and entry name under `watch`, relative to the folder of the plugin. */
function watchedGlobs(
  own: readonly string[] = [],
  { watch }: PluginEntry,
  { file, root }: ResolvedPlugin,
): WatchedGlobs | undefined {
  const patterns = [...own, ...watch]
  return patterns.length > 0 ? { root: file === root ? dirname(root) : root, patterns } : undefined
}

function entryLinks(use: string, configDir: string): ReadonlyMap<string, string> {
  const path = expectedRoot(use, configDir)
  return path === undefined ? new Map() : linkTo(path)
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
  const { graph, configDir, env, isolation, isWatching, loadTimeoutMs: timeoutMs, processLimits: limits, onFailed } = deps
  const options = { ...rest, timeoutMs }
  if (entry.isolation === 'inline') return loadInline(resolved, graph, options)
  const capabilities = await grantedCapabilities(entry, { label: rest.label, configDir, kept: () => deps.hostPaths(entry) })
  return isolation.load(resolved, {
    ...options,
    capabilities,
    configDir,
    env,
    limits,
    approved: pin.approved,
    isWatching,
    idleMs: entry.idleMs,
    onFailed,
  })
}
