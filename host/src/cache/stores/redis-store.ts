import type { RedisClient, RedisConnection } from './redis-connection.ts'
import { kindOf, type CacheStore } from './store.ts'

/** Every key begins with it; another number is another format. */
export const REDIS_PREFIX = 'patchbay1'
const SEPARATOR = '::'
const PATTERN = `${REDIS_PREFIX}${SEPARATOR}*`
/** Keys that one step of a scan looks at. */
const SCAN_COUNT = 1_000

/** Keeps entries in Redis, for every host that names the same one. */
export function createRedisStore(connection: RedisConnection): CacheStore {
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
      get: async (key) => (await (await connection.client()).get(inRedis(key))) ?? undefined,
      async getMany(many) {
        const client = await connection.client()
        return many.length === 0 ? [] : (await client.mGet(many.map(inRedis))).map((text) => text ?? undefined)
      },
      set: async (key, value, expires) => put(await connection.client(), key, value, expires),
      async setMany(entries) {
        const client = await connection.client()
        // The client sends the commands of one turn together.
        return Promise.all(entries.map(({ key, value, expires }) => put(client, key, value, expires)))
      },
      delete: async (key) => remove(await connection.client(), key),
      async deleteMany(many) {
        const client = await connection.client()
        return Promise.all(many.map((key) => remove(client, key)))
      },
      has: async (key) => (await (await connection.client()).exists(inRedis(key))) === 1,
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

function inRedis(key: string): string {
  return `${REDIS_PREFIX}${SEPARATOR}${key}`
}

async function put(client: RedisClient, key: string, value: unknown, expires: number | undefined): Promise<boolean> {
  // By how long and not until when: PXAT is new in Redis 6.2. An entry that has expired meanwhile is one that Redis removes at once.
  const options = expires === undefined ? {} : { expiration: { type: 'PX', value: Math.max(1, expires - Date.now()) } as const }
  await client.set(inRedis(key), String(value), options)
  return true
}

async function remove(client: RedisClient, key: string): Promise<boolean> {
  return (await client.unlink(inRedis(key))) === 1
}
