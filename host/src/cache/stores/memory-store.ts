import { LRUCache } from 'lru-cache'
import type { CacheStore } from './store.ts'
import { kindOf } from './store.ts'

export interface MemoryStoreOptions {
  readonly maxEntries: number
  /** Of keys and values, as far as they are texts. */
  readonly maxBytes: number
}

/** Keeps entries in this process and forgets the least recently used ones. */
export function createMemoryStore({ maxEntries, maxBytes }: MemoryStoreOptions): CacheStore {
  const entries = new LRUCache<string, Held>({
    max: maxEntries,
    maxSize: maxBytes,
    sizeCalculation: ({ value }, key) => key.length + sizeOf(value) + 1,
  })
  const set = (key: string, value: unknown) => {
    entries.set(key, { value })
    return true
  }
  return {
    name: 'memory',
    holds: 'values',
    adapter: {
      capabilities: { expires: true },
      get: async (key) => entries.get(key)?.value,
      getMany: async (keys) => keys.map((key) => entries.get(key)?.value),
      set: async (key, value) => set(key, value),
      setMany: async (many) => many.map(({ key, value }) => set(key, value)),
      delete: async (key) => entries.delete(key),
      deleteMany: async (keys) => keys.map((key) => entries.delete(key)),
      has: async (key) => entries.has(key),
      clear: async () => entries.clear(),
    },
    async inspect() {
      const kinds: Record<string, number> = {}
      for (const key of entries.keys()) kinds[kindOf(key)] = (kinds[kindOf(key)] ?? 0) + 1
      return { entries: entries.size, bytes: entries.calculatedSize, kinds }
    },
    async close() {
      entries.clear()
    },
  }
}

interface Held {
  readonly value: unknown
}

/** keyv holds `{ value, expires }`, and the host's values are texts. */
function sizeOf(held: unknown): number {
  if (typeof held === 'string') return held.length
  if (typeof held === 'object' && held !== null && 'value' in held && typeof held.value === 'string') return held.value.length
  return 0
}
