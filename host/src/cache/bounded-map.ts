import { LRUCache } from 'lru-cache'

/** A Map for keyv that forgets the least recently used entry. keyv passes a third argument to `set` that lru-cache would misread. */
export function boundedMap(max: number): Map<string, unknown> {
  const entries = new LRUCache<string, { value: unknown }>({ max })
  const map: Pick<Map<string, unknown>, 'get' | 'set' | 'delete' | 'has' | 'clear' | 'size'> = {
    get: (key) => entries.get(key)?.value,
    set(key, value) {
      entries.set(key, { value })
      return map as Map<string, unknown>
    },
    delete: (key) => entries.delete(key),
    has: (key) => entries.has(key),
    clear: () => entries.clear(),
    get size() {
      return entries.size
    },
  }
  return map as Map<string, unknown>
}
