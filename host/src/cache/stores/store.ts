/**
 * A place that keeps texts by key: what keyv asks of a store, and what the host asks besides. Every method may reject, and may take
 * forever; the guard before it does not. `expires` is the time in milliseconds since 1970.
 */
export interface CacheStore {
  /** What it is, for messages, without a password: `memory`, `sqlite:/data/cache.db`, `redis://cache:6379`. */
  readonly name: string
  /** Whether it holds the envelope itself, or a text of it. */
  readonly holds: 'values' | 'text'
  readonly adapter: StoreAdapter
  inspect(): Promise<StoreContents>
  /** Replaces a connection that no longer answers. */
  reset?(): void
  close(): Promise<void>
}

/** keyv's contract for a store, version 6. Without events: what goes wrong rejects the call that it went wrong in. */
export interface StoreAdapter {
  readonly capabilities: { readonly expires: true }
  get(key: string): Promise<unknown>
  getMany(keys: string[]): Promise<unknown[]>
  set(key: string, value: unknown, expires?: number): Promise<boolean>
  setMany(entries: readonly { key: string; value: unknown; expires?: number }[]): Promise<boolean[]>
  delete(key: string): Promise<boolean>
  deleteMany(keys: string[]): Promise<boolean[]>
  has(key: string): Promise<boolean>
  clear(): Promise<void>
}

/** What a store holds now. Entries that expired may still count, until the store removes them. */
export interface StoreContents {
  readonly entries: number
  /** Undefined where the store does not tell. */
  readonly bytes: number | undefined
  /** Entries by the first part of their key: `results`, `plugin`, `tag`, … */
  readonly kinds: Readonly<Record<string, number>>
}

/** The first part of a key, which says what the entry is. */
export function kindOf(key: string): string {
  const end = key.indexOf(':')
  return end < 0 ? key : key.slice(0, end)
}
