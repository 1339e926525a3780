import { constants, PerformanceObserver } from 'node:perf_hooks'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { isObject } from '../../data/json.ts'

/** Versions that were drained and released, and are nevertheless still in memory. */
export interface LeakDetector extends Disposable {
  /** To be told of a version when the host has let go of it. Warns, once, if something else has not after some collections. */
  watch(version: ReleasedVersion): void
}

export interface ReleasedVersion {
  readonly instance: string
  readonly generation: number
  /** What was made for this version alone. */
  readonly traces: readonly object[]
}

/** An object that becomes garbage during a collection survives that one, and sometimes the next. */
const COLLECTIONS = 3

interface Watched {
  readonly instance: string
  readonly generation: number
  readonly traces: readonly WeakRef<object>[]
  collections: number
}

/**
 * Looks at released versions after each full garbage collection: what a plugin left running, such as a timer or a listener of the
 * process, holds its modules, and every reload adds another copy. Costs nothing while no version is being looked at. `canReclaim`
 * says whether Node lets go of modules here at all.
 */
export function createLeakDetector({ log, canReclaim }: { log: Logger; canReclaim: () => boolean }): LeakDetector {
  const watched = new Set<Watched>()
  let isObserving = false
  const observer = new PerformanceObserver((list) => {
    const collections = list.getEntries().filter(isFullCollection).length
    if (collections > 0) for (const version of watched) look(version, collections)
    if (watched.size > 0) return
    observer.disconnect()
    isObserving = false
  })

  function look(version: Watched, collections: number): void {
    version.collections += collections
    const isGone = version.traces.every((trace) => trace.deref() === undefined)
    if (!isGone && version.collections < COLLECTIONS) return
    watched.delete(version)
    if (isGone || !canReclaim()) return
    log.warn('plugin_version_leaked', {
      plugin: version.instance,
      generation: version.generation,
      reason: 'something still holds this version, which no call uses any more: a timer, a listener or a global that it made',
      fix: 'Return a disposer from start() that ends it, or tie it to the signal of the context',
    })
  }

  return {
    watch({ instance, generation, traces }) {
      if (traces.length === 0) return
      watched.add({ instance, generation, traces: traces.map((trace) => new WeakRef(trace)), collections: 0 })
      if (isObserving) return
      isObserving = true
      observer.observe({ entryTypes: ['gc'] })
    },
    [Symbol.dispose]() {
      watched.clear()
      observer.disconnect()
    },
  }
}

/** Node documents `detail.kind` of these entries; its types do not know it. */
function isFullCollection(entry: object): boolean {
  const detail: unknown = Reflect.get(entry, 'detail')
  return isObject(detail) && detail['kind'] === constants.NODE_PERFORMANCE_GC_MAJOR
}
