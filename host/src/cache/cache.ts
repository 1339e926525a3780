import { createHash } from 'node:crypto'
import { Keyv } from 'keyv'
import type { Cache, Logger } from '@mcp-patchbay/plugin-api'
import { boundedMap } from './memory-store.ts'
import { singleFlight } from './single-flight.ts'

/** The host's cache: namespaces over one store. What a namespace holds no other can read. */
export interface HostCache extends AsyncDisposable {
  /** The parts of the namespace are identity: tenant, principal, plugin. They are hashed, so they may hold anything. */
  namespace(...parts: readonly string[]): Cache
}

export interface CacheOptions {
  readonly log: Logger
  /** How many entries the memory store holds. */
  readonly maxEntries?: number
  /** The longest key a plugin may use, in characters. */
  readonly maxKeyLength?: number
  /** The largest value, in bytes of JSON. */
  readonly maxValueBytes?: number
}

/**
 * A cache over keyv with the memory store. Values go in as JSON, so nobody shares an object with the cache. A store that fails costs
 * misses: reads answer undefined, writes are dropped, and the log says so.
 */
export function createCache({
  log,
  maxEntries = 10_000,
  maxKeyLength = 1_024,
  maxValueBytes = 1_048_576,
}: CacheOptions): HostCache {
  const store = new Keyv<string>({ store: boundedMap(maxEntries) })
  // Without a listener keyv 6 rejects; with one it answers with the fallback.
  store.on('error', (error: unknown) => log.warn('cache_store_failed', { error }))

  return {
    namespace(...parts) {
      const prefix = createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
      const keyOf = (key: string) => {
        if (typeof key !== 'string' || key.length > maxKeyLength)
          throw new TypeError(`A cache key is a string of at most ${maxKeyLength} characters`)
        return `${prefix}:${createHash('sha256').update(key).digest('base64url')}`
      }
      const flights = singleFlight<string, unknown>()
      const get = async <Value>(key: string): Promise<Value | undefined> => {
        const json = await store.get(keyOf(key))
        return typeof json === 'string' ? (JSON.parse(json) as Value) : undefined
      }
      const set = async (key: string, value: unknown, { ttlMs }: { ttlMs: number }): Promise<void> => {
        const json = JSON.stringify(value)
        if (json === undefined) throw new TypeError('A cached value must be JSON')
        if (json.length > maxValueBytes) return log.debug('cache_value_too_large', { bytes: json.length })
        await store.set(keyOf(key), json, ttlMs)
      }
      return {
        get,
        set,
        delete: async (key) => void (await store.delete(keyOf(key))),
        wrap: <Value>(key: string, options: { ttlMs: number }, load: () => Promise<Value>) =>
          flights(key, async () => {
            const cached = await get<Value>(key)
            if (cached !== undefined) return cached
            const value = await load()
            await set(key, value, options)
            return value
          }) as Promise<Value>,
      }
    },
    async [Symbol.asyncDispose]() {
      await store.disconnect()
    },
  }
}
