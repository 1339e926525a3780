import { setTimeout as pause } from 'node:timers/promises'
import type { Cache, Logger } from '@mcp-patchbay/plugin-api'
import type { PluginEntry } from '../../config/schema/schema.ts'
import { isServerSpecifier } from '../../config/schema/server/server-specifier.ts'
import type { Activation, ActivationDeps } from '../activation.ts'
import { createCachedVersions, type CachedVersion } from './cached-version.ts'
import type { PluginRecord } from '../run/plugin-record.ts'
import { createLazyPlugin, type LazyPlugin } from './lazy-plugin.ts'

/**
 * Lists plugins before their code is imported. The cache keeps what a plugin offers. A start that finds the plugin unchanged publishes it
 * from there: its first call activates it, or the background does, one plugin after the other. A plugin that changed is activated at once.
 */
export interface LazyActivation {
  /** As `activate`. Until `activateAll` is called, an unchanged plugin is published without its code. */
  activate(entry: PluginEntry, signal: AbortSignal): Promise<Activation>
  /**
   * From now on every plugin is activated at once. After `afterMs`, if that is finite, this activates the plugins that were published
   * without their code, except those that may stay idle until a call. `signal` ends it earlier.
   */
  activateAll(options: { readonly afterMs: number; readonly signal: AbortSignal }): Promise<void>
}

export interface LazyActivationOptions {
  /** Undefined: nothing is kept, and every plugin is activated at once. */
  readonly records: Cache | undefined
  readonly deps: () => ActivationDeps
  /** A plugin offers something else than what was listed. Activate its entry again, which gives the activated version, and publish that. */
  readonly onOther: (listed: PluginRecord) => void
  readonly log: Logger
}

export function createLazyActivation({ records, deps, onOther, log }: LazyActivationOptions): LazyActivation {
  const kept = records && createCachedVersions(records)
  const lazyPlugins = new Set<LazyPlugin>()
  const others = new Map<PluginEntry, LazyPlugin>()
  let isStarting = true

  async function activateAndKeep(entry: PluginEntry, signal: AbortSignal): Promise<Activation> {
    // A start that finds all of its plugins as they were has its list before it reads how one is activated.
    const { activate } = await import('../activate.ts')
    const activation = await activate(entry, deps(), signal)
    if (!signal.aborted) kept?.keep(activation, deps())
    return activation
  }

  function listLazily(entry: PluginEntry, version: CachedVersion): Activation {
    const lazyPlugin = createLazyPlugin({
      entry,
      version,
      mayIdle: version.mayIdle && (entry.idleMs ?? deps().processLimits.idleMs) > 0,
      activate: (lifetime) => activateAndKeep(entry, lifetime),
      onActivated(problem) {
        log.debug('plugin_activated', { plugin: version.instance })
        if (problem === undefined) return
        log.warn('plugin_differs_from_cache', { plugin: version.instance, problem })
        others.set(entry, lazyPlugin)
        onOther(lazyPlugin.activation.record)
      },
    })
    lazyPlugins.add(lazyPlugin)
    return lazyPlugin.activation
  }

  return {
    async activate(entry, signal) {
      const other = others.get(entry)?.takeActivated()
      others.delete(entry)
      if (other) return other
      // A required plugin must not be a guess. Nor may be who may call a plugin: one that holds raw secrets, or has settings for
      // each tenant, is activated at once.
      const hasTenants = Object.values(deps().tenants).some(({ plugins }) => Object.keys(plugins).length > 0)
      const mayBeLazy =
        isStarting &&
        !hasTenants &&
        typeof entry.use === 'string' &&
        !isServerSpecifier(entry.use) &&
        !entry.required &&
        entry.capabilities.credentials !== 'raw'
      const version = mayBeLazy ? await kept?.find(entry, deps()) : undefined
      return version ? listLazily(entry, version) : activateAndKeep(entry, signal)
    },
    async activateAll({ afterMs, signal }) {
      isStarting = false
      if (lazyPlugins.size === 0 || afterMs === Infinity) return
      await pause(afterMs, undefined, { signal, ref: false }).catch(() => {}) // aborted: the loop checks
      for (const lazyPlugin of lazyPlugins) {
        if (signal.aborted) return
        // It would only become idle again: its first call starts it.
        if (lazyPlugin.mayIdle) continue
        await lazyPlugin.activate()
        lazyPlugins.delete(lazyPlugin)
        // Calls get a turn between two imports.
        await new Promise<void>((resolve) => setImmediate(resolve))
      }
    },
  }
}
