import type { HostError } from '../errors.ts'
import type { Cache, Logger } from '@mcp-patchbay/plugin-api'
import type { Bus } from './bus.ts'
import { hashParts } from './stored-value.ts'
import { cacheClock, type CacheClock } from './stores/store-guard.ts'
import { createGuardedStore } from './stores/guarded-store.ts'
import { createMemoryStore } from './stores/memory-store.ts'
import { createNamespace, type CacheOutcome, type Landed, type Namespace } from './namespace.ts'
import type { SharedScripts } from './shared-scripts.ts'
import { createFlights } from './single-flight.ts'
import type { CacheStore, StoreContents } from './stores/store.ts'

/** What a plugin's version needs of the host's cache. */
export interface PluginCaches {
  namespace(kind: string, ...identity: readonly string[]): Cache
}

/** The host's cache: namespaces over one store. What a namespace holds no other can read. A store that is down costs misses. */
export interface HostCache extends PluginCaches, AsyncDisposable {
  /**
   * The parts of `identity` say whose it is: tenant, principal, plugin. They are hashed, so they may hold anything; the same parts give
   * the same namespace. `kind` is a plain word that people see in what is counted.
   */
  namespace(kind: string, ...identity: readonly string[]): Namespace
  /** A mark for entries that become wrong together, for `remember` and `drop`. Tags of other parts have nothing in common with it. */
  tag(...identity: readonly string[]): string
  /**
   * What was remembered with one of these tags is not returned again, on any host. The same holds for what is being loaded with one of them
   * now.
   */
  drop(tags: readonly string[]): Promise<void>
  /** Whether the next start finds what this one keeps. */
  readonly outlivesProcess: boolean
  /** Between the hosts that share the store; undefined where it is this host's alone. */
  readonly bus: Bus | undefined
  /** Where the hosts that share the store count together; undefined as with `bus`. */
  readonly scripts: SharedScripts | undefined
  /** The same for what cannot go on without an answer: waits for seconds. */
  readonly patientScripts: SharedScripts | undefined
  readonly stats: CacheStats
  /** Why the store that the config names can never be used, not only now: a host that was promised one is not ready. */
  readonly missing: HostError | undefined
  /** Asks the store itself. Rejects where `namespace` would give misses. */
  inspect(): Promise<StoreContents>
  /** Empties the store, for every host. Rejects as `inspect` does. */
  clear(): Promise<void>
}

/** What became of the looks into the cache since the host began. */
export interface CacheStats {
  readonly store: string
  /** `down`: it failed several times in a row and is left alone for a moment. */
  readonly state: 'up' | 'down'
  readonly failures: number
  readonly kinds: Readonly<Record<string, Readonly<Record<CacheOutcome, number>>>>
}

/** Where the cache counts. */
export interface CacheMetrics {
  cache(kind: string, outcome: CacheOutcome): void
  cacheState(state: 'up' | 'down'): void
}

export interface CacheOptions {
  readonly log: Logger
  /** Default: memory. */
  readonly store?: CacheStore
  readonly bus?: Bus
  readonly scripts?: SharedScripts
  readonly patientScripts?: SharedScripts
  readonly missing?: HostError
  readonly metrics?: CacheMetrics
  readonly clock?: CacheClock
  /** The longest that one use of the cache waits for its store. */
  readonly patienceMs?: number
  /** The longest key a plugin may use, in characters. */
  readonly maxKeyLength?: number
  /** The largest value, in bytes of JSON; larger ones are not kept. */
  readonly maxValueBytes?: number
}

const TAGS_DROPPED = 'tags_dropped'
/** What a plugin serves is kept whole, or its next start imports it first: the tools of a large OpenAPI description are megabytes. */
const REGISTRY_BYTES = 16 * 1_048_576

/** A cache over one store. Values go in and come out as JSON, so no caller shares an object with the cache. */
export function createCache({
  log,
  store: kept = createMemoryStore({ maxEntries: 10_000, maxBytes: 64 * 1_048_576 }),
  bus,
  scripts,
  patientScripts,
  missing,
  metrics,
  clock = cacheClock,
  patienceMs = 100,
  maxKeyLength = 1_024,
  maxValueBytes = 1_048_576,
}: CacheOptions): HostCache {
  const onState = (state: 'up' | 'down') => metrics?.cacheState(state)
  const store = createGuardedStore({ store: kept, log, clock, deadlineMs: patienceMs, onState })
  const flights = createFlights<string, Landed>()
  const kinds: Record<string, Record<CacheOutcome, number>> = {}
  const count = (kind: string, outcome: CacheOutcome) => {
    const counts = (kinds[kind] ??= { hit: 0, miss: 0, stale: 0, joined: 0 })
    counts[outcome] += 1
    metrics?.cache(kind, outcome)
  }
  const deps = { store, flights, clock, log, patienceMs, maxKeyLength, maxValueBytes, count }
  onState('up')
  // The versions of tags are in the store; what is being loaded is not.
  bus?.on(TAGS_DROPPED, (tags) => Array.isArray(tags) && flights.leave(tags.map(String)))

  return {
    namespace: (kind, ...identity) =>
      createNamespace(kind, identity, kind === 'registry' ? { ...deps, maxValueBytes: REGISTRY_BYTES } : deps),
    tag: (...identity) => `tag:${hashParts(identity)}`,
    async drop(tags) {
      flights.leave(tags)
      await store.remove(tags)
      bus?.publish(TAGS_DROPPED, tags)
    },
    outlivesProcess: kept.holds === 'text',
    bus,
    scripts,
    patientScripts,
    missing,
    get stats() {
      return { store: store.name, state: store.state, failures: store.failures, kinds: structuredClone(kinds) }
    },
    inspect: () => store.inspect(),
    clear: () => store.clear(),
    async [Symbol.asyncDispose]() {
      await bus?.[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}
