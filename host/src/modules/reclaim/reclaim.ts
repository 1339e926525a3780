import module from 'node:module'
import { setFlagsFromString } from 'node:v8'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { findLoaderCaches } from './loader-caches.ts'

/** How superseded modules leave Node's loader: by its own API, by its caches reached through the inspector, or not at all. */
export type ReclaimKind = 'clearCache' | 'inspector' | 'none'

/** Makes modules that are no longer used collectable. Node itself keeps every module it ever imported. */
export interface Reclaimer {
  /** Undefined until the first eviction has found out. */
  readonly kind: ReclaimKind | undefined
  /** An estimate of what could not be reclaimed. */
  readonly retainedBytes: number
  /** Lets go of the modules at these URLs, of `sourceLength` characters together, now or as soon as it is known how. */
  evict(urls: readonly string[], sourceLength: number): void
  /** Finds out now how it is done, which stops everything for a quarter of a second; else the first eviction does. */
  prepare(): Promise<void>
}

export interface ReclaimOptions {
  /** `off` for a host that never reloads: it leaves V8 and Node alone. */
  readonly mode: 'auto' | 'off'
  /** Past this much retained, the log warns, once. */
  readonly retainedBudgetBytes: number
  readonly log: Pick<Logger, 'warn'> | undefined
}

type Evict = (url: string) => void

const SEARCH_AFTER_MS = 250

/** What a module costs for every character of its source: 750 kB for a plugin of 20 files and 250,000 characters. */
const bytesPerCharacter = 3

/** A reclaimer; it looks for its way soon after the first eviction, so that neither start nor end pay for it. */
export function createReclaimer({ mode, retainedBudgetBytes, log }: ReclaimOptions): Reclaimer {
  // V8 keeps the code of every distinct source it compiled until the heap is nearly full: a bounded heap dies of it.
  if (mode === 'auto') setFlagsFromString('--no-compilation-cache')
  let way: { readonly kind: ReclaimKind; readonly evict: Evict | undefined } | undefined
  let search: Promise<void> | undefined
  let waiting: { readonly urls: readonly string[]; readonly sourceLength: number }[] = []
  let retainedBytes = 0
  let warned = false

  const settle = (): void => {
    for (const { urls, sourceLength } of waiting) {
      if (way?.evict) urls.forEach(way.evict)
      else retainedBytes += sourceLength * bytesPerCharacter
    }
    waiting = []
    if (retainedBytes <= retainedBudgetBytes || warned) return
    warned = true
    log?.warn('modules_retained', {
      retainedBytes,
      retainedBudgetBytes,
      reason: 'this Node gives no way to let go of superseded modules; restart the host when memory matters',
    })
  }

  const prepare = (): Promise<void> =>
    (search ??= findWay(mode).then((found) => {
      way = found
      settle()
    }))

  return {
    prepare,
    get kind() {
      return way?.kind
    },
    get retainedBytes() {
      return retainedBytes
    },
    evict(urls, sourceLength) {
      waiting.push({ urls, sourceLength })
      if (way) return settle()
      // A process that is ending evicts everything, and must not be held up by a search.
      if (!search) setTimeout(() => void prepare(), SEARCH_AFTER_MS).unref()
    },
  }
}

async function findWay(mode: 'auto' | 'off'): Promise<{ kind: ReclaimKind; evict: Evict | undefined }> {
  if (mode === 'auto') {
    const clear = clearCacheOfNode()
    if (clear && (await works(clear))) return { kind: 'clearCache', evict: clear }
    const remove = removeFromCaches()
    if (remove && (await works(remove))) return { kind: 'inspector', evict: remove }
  }
  return { kind: 'none', evict: undefined }
}

/** nodejs/node#61767, not in a release when this was written; {@link works} decides whether this is how it came out. */
function clearCacheOfNode(): Evict | undefined {
  const clearCache = Reflect.get(module, 'clearCache') as unknown
  if (typeof clearCache !== 'function') return undefined
  return (url) => {
    Reflect.apply(clearCache, module, [url, { parentURL: import.meta.url, resolver: 'import', caches: 'all' }])
  }
}

function removeFromCaches(): Evict | undefined {
  const caches = findLoaderCaches()
  return (
    caches &&
    ((url) => {
      for (const cache of caches) cache.delete(url)
    })
  )
}

/** Whether a module is evaluated again after its eviction. */
async function works(evict: Evict): Promise<boolean> {
  const probe = `data:text/javascript,export default {} // ${process.hrtime.bigint()}`
  const importProbe = async (): Promise<unknown> => {
    const { default: value }: { default: unknown } = await import(probe)
    return value
  }
  try {
    const first = await importProbe()
    evict(probe)
    const second = await importProbe()
    evict(probe)
    return first !== second
  } catch {
    return false
  }
}
