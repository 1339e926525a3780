/**
 * Where logins under way, sessions and consents are kept. A `Keyv` is one, and makes several servers over one Redis act as one. What it
 * cannot tell, or rejects, refuses a login and never lets one in.
 */
export interface LoginStore {
  /** Undefined when there is none, or no longer. */
  get(key: string): Promise<unknown>
  set(key: string, value: unknown, ttlMs: number): Promise<unknown>
  /** True for the one caller whose call removed it: what may be used once is used once by this. */
  delete(key: string): Promise<boolean>
}

/** For one process. Whoever can connect can begin a login, so the oldest entries give way beyond `maxEntries`. */
export function createMemoryStore({ now = Date.now, maxEntries = 50_000 } = {}): LoginStore {
  const entries = new Map<string, { readonly value: unknown; readonly expires: number }>()
  return {
    async get(key) {
      const entry = entries.get(key)
      return entry && entry.expires > now() ? entry.value : undefined
    },
    async set(key, value, ttlMs) {
      entries.delete(key)
      entries.set(key, { value, expires: now() + ttlMs })
      if (entries.size > maxEntries) makeRoom()
    },
    async delete(key) {
      const entry = entries.get(key)
      return entries.delete(key) && entry !== undefined && entry.expires > now()
    },
  }

  function makeRoom(): void {
    for (const [key, { expires }] of entries) if (expires <= now()) entries.delete(key)
    for (const key of entries.keys()) {
      if (entries.size <= maxEntries) return
      entries.delete(key)
    }
  }
}

/** The value, for the first that asks; undefined afterwards. */
export async function take(store: LoginStore, key: string): Promise<unknown> {
  const value = await store.get(key)
  return value !== undefined && (await store.delete(key)) ? value : undefined
}
