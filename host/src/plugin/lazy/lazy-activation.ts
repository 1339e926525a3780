import { setTimeout as pause } from 'node:timers/promises'
import type { Cache, Logger } from '@mcp-patchbay/plugin-api'
import type { PluginEntry } from '../../config/schema/schema.ts'
import { isServerSpecifier } from '../../config/schema/server/server-specifier.ts'
import type { Activation, ActivationDeps } from '../activation.ts'
import { createKeptVersions, type KeptVersion } from './kept-surface.ts'
import type { PluginRecord } from '../run/plugin-record.ts'
import { createSleeper, type Sleeper } from './lazy-plugin.ts'

/**
 * Lists plugins before their code is imported. What a plugin offers is kept in the cache, and a start that finds it as it was publishes
 * it asleep: it is activated by its first call, or in the background, one after the other. Whatever differs is activated as ever.
 */
export interface Dormancy {
  /** As `activate`; until `wakeAll`, what was kept is published asleep. */
  activate(entry: PluginEntry, signal: AbortSignal): Promise<Activation>
  /** From now on nothing more goes to sleep, and after `afterMs`, if that is finite, what sleeps and has more to do than to be called is woken. `signal` ends it earlier. */
  wakeAll(options: { readonly afterMs: number; readonly signal: AbortSignal }): Promise<void>
}

export interface DormancyOptions {
  /** Undefined: nothing is kept, and nothing sleeps. */
  readonly records: Cache | undefined
  readonly deps: () => ActivationDeps
  /** Woken up, a plugin is not what was listed: its entry is to be activated again, which gives what woke up, and published. */
  readonly onOther: (listed: PluginRecord) => void
  readonly log: Logger
}

export function createDormancy({ records, deps, onOther, log }: DormancyOptions): Dormancy {
  const kept = records && createKeptVersions(records)
  const sleepers = new Set<Sleeper>()
  const others = new Map<PluginEntry, Sleeper>()
  let isStarting = true

  async function activateAndKeep(entry: PluginEntry, signal: AbortSignal): Promise<Activation> {
    // A start that finds all of its plugins as they were has its list before it reads how one is activated.
    const { activate } = await import('../activate.ts')
    const activation = await activate(entry, deps(), signal)
    if (!signal.aborted) kept?.keep(activation, deps())
    return activation
  }

  function putToSleep(entry: PluginEntry, version: KeptVersion): Activation {
    const sleeper = createSleeper({
      entry,
      version,
      mayIdle: version.mayIdle && (entry.idleMs ?? deps().processLimits.idleMs) > 0,
      activate: (lifetime) => activateAndKeep(entry, lifetime),
      onAwake(problem) {
        log.debug('plugin_awake', { plugin: version.instance })
        if (problem === undefined) return
        log.warn('plugin_differs_from_cache', { plugin: version.instance, problem })
        others.set(entry, sleeper)
        onOther(sleeper.activation.record)
      },
    })
    sleepers.add(sleeper)
    return sleeper.activation
  }

  return {
    async activate(entry, signal) {
      const other = others.get(entry)?.takeOther()
      others.delete(entry)
      if (other) return other
      // Whether a plugin that is required is there must not be a guess, nor who may call it: one that has
      // secrets in its hands, or settings for each tenant.
      const hasTenants = Object.values(deps().tenants).some(({ plugins }) => Object.keys(plugins).length > 0)
      const maySleep =
        isStarting &&
        !hasTenants &&
        typeof entry.use === 'string' &&
        !isServerSpecifier(entry.use) &&
        !entry.required &&
        entry.capabilities.credentials !== 'raw'
      const version = maySleep ? await kept?.find(entry, deps()) : undefined
      return version ? putToSleep(entry, version) : activateAndKeep(entry, signal)
    },
    async wakeAll({ afterMs, signal }) {
      isStarting = false
      if (sleepers.size === 0 || afterMs === Infinity) return
      await pause(afterMs, undefined, { signal, ref: false }).catch(() => {}) // aborted: looked at below
      for (const sleeper of sleepers) {
        if (signal.aborted) return
        // It would be ended again: its first call starts it.
        if (sleeper.mayIdle) continue
        await sleeper.wake()
        sleepers.delete(sleeper)
        // Between two imports those who call have their turn.
        await new Promise<void>((resolve) => setImmediate(resolve))
      }
    },
  }
}
