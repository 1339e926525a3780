import type KeyvRedis from '@keyv/redis'
import type { RedisClientType as RedisClient } from '@keyv/redis'
import { loadAdapter, type RedisConnection } from './redis-connection.ts'
import { kindOf, type CacheStore } from './store.ts'

/** Every key begins with it; another number is another format. */
export const REDIS_PREFIX = 'patchbay1'
const SEPARATOR = '::'
const PATTERN = `${REDIS_PREFIX}${SEPARATOR}*`
/** Keys that one step of a scan looks at. */
const SCAN_COUNT = 1_000

/** Keeps entries in Redis, for every host that names the same one. */
export function createRedisStore(connection: RedisConnection): CacheStore {
  let known: { readonly client: RedisClient; readonly adapter: KeyvRedis<unknown> } | undefined

  async function adapter(): Promise<KeyvRedis<unknown>> {
    const client = await connection.client()
    if (known?.client === client) return known.adapter
    const { default: KeyvRedis } = await loadAdapter(connection.name)
    // Another call may have come first.
    if (known?.client === client) return known.adapter
    const made = new KeyvRedis<unknown>(client, {
      namespace: REDIS_PREFIX,
      keyPrefixSeparator: SEPARATOR,
      throwOnErrors: true,
      throwOnConnectError: true,
    })
    made.on('error', () => {}) // the call it happened in rejects
    known = { client, adapter: made }
    return made
  }

  async function* keys(): AsyncGenerator<readonly string[]> {
    const client = await connection.client()
    yield* client.scanIterator({ MATCH: PATTERN, COUNT: SCAN_COUNT })
  }

  return {
    name: connection.name,
    holds: 'text',
    reset: () => connection.reset(),
    adapter: {
      capabilities: { expires: true },
      get: async (key) => (await adapter()).get(key),
      getMany: async (many) => (await adapter()).getMany(many),
      set: async (key, value, expires) => (await adapter()).set(key, String(value), expires),
      setMany: async (entries) => (await (await adapter()).setMany([...entries])) ?? [],
      delete: async (key) => (await adapter()).delete(key),
      deleteMany: async (many) => (await adapter()).deleteMany(many),
      has: async (key) => (await adapter()).has(key),
      async clear() {
        const client = await connection.client()
        for await (const found of keys()) if (found.length > 0) await client.unlink([...found])
      },
    },
    async inspect() {
      const kinds: Record<string, number> = {}
      let entries = 0
      for await (const found of keys()) {
        entries += found.length
        for (const key of found) {
          const kind = kindOf(key.slice(REDIS_PREFIX.length + SEPARATOR.length))
          kinds[kind] = (kinds[kind] ?? 0) + 1
        }
      }
      return { entries, bytes: undefined, kinds }
    },
    close: async () => connection.close(),
  }
}
