import { resolve } from 'node:path'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { HostError } from '../errors.ts'
import { createCache, type CacheMetrics, type HostCache } from './cache.ts'
import { cacheClock, type CacheClock } from './stores/store-guard.ts'
import { createMemoryStore } from './stores/memory-store.ts'
import { createRedisBus } from './redis-bus.ts'
import { createRedisConnection, missingClient } from './stores/redis-connection.ts'
import { createRedisScripts } from './stores/redis-scripts.ts'
import { createRedisStore } from './stores/redis-store.ts'
import { createSqliteStore } from './stores/sqlite-store.ts'

export interface OpenCacheOptions {
  /** `cache` of the config. */
  readonly settings: { readonly store: string; readonly maxEntries: number }
  /** What a file's path is relative to. */
  readonly configDir: string
  readonly log: Logger
  readonly metrics?: CacheMetrics
  readonly clock?: CacheClock
  /** The longest that one use of the cache waits for its store. Default 100. */
  readonly patienceMs?: number
  /** Whether the package for a Redis is installed. Default: asks Node. */
  readonly missingClient?: (url: string, projectDir: string) => HostError | undefined
}

const MEMORY_BYTES = 64 * 1_048_576
/** A busy moment of the store must not fail a call that has nothing else to go by. */
const LONG_PATIENCE_MS = 3_000
const FILE_BYTES = 256 * 1_048_576

/** The cache that a config names. Opens and connects to nothing until it is used, but for the bus of a Redis; a store that is not there costs misses. */
export function openCache(options: OpenCacheOptions): HostCache {
  const { settings, configDir, log, metrics, clock = cacheClock, patienceMs, missingClient: look = missingClient } = options
  const common = { log, clock, ...(metrics && { metrics }), ...(patienceMs !== undefined && { patienceMs }) }
  const { store, maxEntries } = settings
  if (store.startsWith('sqlite:')) {
    const file = resolve(configDir, store.slice('sqlite:'.length))
    return createCache({ ...common, store: createSqliteStore({ file, maxBytes: FILE_BYTES, log, now: () => clock.now() }) })
  }
  if (/^rediss?:/.test(store)) {
    const missing = look(store, configDir)
    const connection = createRedisConnection({ url: store, projectDir: configDir, clock })
    const bus = createRedisBus({ connection, log, clock })
    const scripts = createRedisScripts({ connection, log, clock, patienceMs })
    const patientScripts = createRedisScripts({ connection, log, clock, patienceMs: LONG_PATIENCE_MS })
    return createCache({
      ...common,
      store: createRedisStore(connection),
      bus,
      scripts,
      patientScripts,
      ...(missing && { missing }),
    })
  }
  return createCache({ ...common, store: createMemoryStore({ maxEntries, maxBytes: MEMORY_BYTES }) })
}
