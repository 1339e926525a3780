import type { Cache, Logger } from '@mcp-patchbay/plugin-api'
import { hostError } from '../errors.ts'
import { hashParts, readEntry, writeEntry } from './stored-value.ts'
import type { CacheClock } from './stores/store-guard.ts'
import type { GuardedStore } from './stores/guarded-store.ts'
import type { Flights } from './single-flight.ts'

/** What came of one look into the cache. `joined`: another caller was loading the same. */
export type CacheOutcome = 'hit' | 'miss' | 'stale' | 'joined'

/** A plugin's `Cache`, and what the host needs besides. */
export interface Namespace extends Cache {
  /**
   * What the cache has for `key`, else what `load` gives, which runs once however many ask at the same time; the others get copies.
   * Rejects with what `load` rejected with, and with what `signal` aborts with.
   */
  remember<Value>(key: string, options: RememberOptions<Value>, load: () => Promise<Value>): Promise<Remembered<Value>>
}

export interface RememberOptions<Value> {
  readonly ttlMs: number
  /** For how long after `ttlMs` the old value is given while a new one is loaded. */
  readonly staleMs?: number
  /** Made by `HostCache.tag`. Dropping one of them drops the entry. */
  readonly tags?: readonly string[]
  /** Whether a loaded value is worth keeping. */
  readonly keep?: (value: Value) => boolean
  /** Whether `load` failed for a reason of its caller's: then a caller that had joined loads it itself. */
  readonly isOwnFailure?: (error: unknown) => boolean
  readonly signal?: AbortSignal
}

export interface Remembered<Value> {
  readonly value: Value
  readonly outcome: CacheOutcome
}

export interface NamespaceDeps {
  readonly store: GuardedStore
  readonly flights: Flights<string, Landed>
  readonly clock: CacheClock
  readonly log: Logger
  /** The most that one call of a method waits for the store, all in all. */
  readonly patienceMs: number
  readonly maxKeyLength: number
  readonly maxValueBytes: number
  readonly count: (kind: string, outcome: CacheOutcome) => void
}

/** What a flight brings: a value that its leader loaded, or a text that every caller parses for itself. */
export interface Landed {
  readonly outcome: CacheOutcome
  readonly value: unknown
  /** Undefined where the value is not JSON. */
  readonly json: string | undefined
}

const MAX_TTL_MS = 30 * 24 * 3_600_000
/** The clocks of hosts that share a store may differ by so much. */
const MOST_SKEW_MS = 60_000
/** A tag that is gone makes its entries misses, so it may go at any time. */
const TAG_TTL_MS = 7 * 24 * 3_600_000

/** The entries of one identity. `kind` is for the eyes of people: it begins every key and labels what is counted. */
export function createNamespace(kind: string, identity: readonly string[], deps: NamespaceDeps): Namespace {
  const { store, flights, clock, log, count } = deps
  const prefix = `${kind}:${hashParts(identity)}:`

  function keyOf(key: unknown): string {
    if (typeof key !== 'string') throw hostError('CACHE_KEY', { problem: `is a ${typeof key} and no text` })
    if (key.length > deps.maxKeyLength)
      throw hostError('CACHE_KEY', { problem: `has ${key.length} characters, and ${deps.maxKeyLength} is the most` })
    return prefix + hashParts([key])
  }

  async function get<Value>(key: string): Promise<Value | undefined> {
    const [text] = (await store.read([keyOf(key)])) ?? []
    const entry = readEntry(text)
    const isThere = entry !== undefined && clock.now() < entry.head.freshUntil
    count(kind, isThere ? 'hit' : 'miss')
    return isThere ? (entry.value as Value) : undefined
  }

  async function set(key: string, value: unknown, { ttlMs }: { ttlMs: number }): Promise<void> {
    const full = keyOf(key)
    const lifetime = checkedTtl(ttlMs)
    const json = toJson(value)
    if (json === undefined) throw hostError('CACHE_VALUE', { problem: 'is nothing that JSON can hold' })
    if (lifetime === 0) return store.remove([full])
    const isKept = isSmall(json) && (await store.write([entryText(full, json, { lifetime, staleMs: 0, versions: [] })]))
    if (!isKept) store.doubt(full)
  }

  function entryText(
    key: string,
    json: string,
    { lifetime, staleMs, versions }: { lifetime: number; staleMs: number; versions: readonly string[] },
  ) {
    const now = clock.now()
    const head = { freshUntil: now + lifetime, goneAt: now + lifetime + staleMs, versions }
    return { key, text: writeEntry(head, json), ttlMs: lifetime + staleMs }
  }

  function isSmall(json: string): boolean {
    // A character is at most three bytes.
    const isFitting = json.length * 3 <= deps.maxValueBytes || Buffer.byteLength(json) <= deps.maxValueBytes
    if (!isFitting) log.debug('cache_value_too_large', { kind, characters: json.length, maxBytes: deps.maxValueBytes })
    return isFitting
  }

  /** Whether a value may still be used. One that would live longer than `mostMs` was written before the machine's clock was set back. */
  function isWithin(until: number, mostMs: number): boolean {
    const leftMs = until - clock.now()
    return leftMs > 0 && leftMs <= mostMs + MOST_SKEW_MS
  }

  async function remember<Value>(
    key: string,
    options: RememberOptions<Value>,
    load: () => Promise<Value>,
  ): Promise<Remembered<Value>> {
    const full = keyOf(key)
    const { ttlMs, staleMs = 0, tags = [], keep = () => true, signal } = options
    const lifetime = checkedTtl(ttlMs)
    for (;;) {
      let isLeader = false
      const landing = flights.join(full, (isLeft) => ((isLeader = true), lookUp({ orStale: true, isLeft })), tags)
      try {
        const landed = await (isLeader ? landing : orAborted(landing, signal))
        if (landed.outcome === 'stale') refresh()
        const outcome = isLeader || landed.outcome === 'hit' || landed.outcome === 'stale' ? landed.outcome : 'joined'
        count(kind, outcome)
        return { value: (isLeader ? landed.value : copyOf(landed)) as Value, outcome }
      } catch (error) {
        if (isLeader || signal?.aborted || !options.isOwnFailure?.(error)) throw error
      }
    }

    /** In the background, and for those who are given the old value meanwhile. */
    function refresh(): void {
      flights
        .join(`again ${full}`, (isLeft) => lookUp({ orStale: false, isLeft }), tags)
        .catch((error: unknown) => log.debug('cache_refresh_failed', { kind, error }))
    }

    async function lookUp({ orStale, isLeft }: { orStale: boolean; isLeft: () => boolean }): Promise<Landed> {
      const patience = createPatience()
      const texts = await store.read([full, ...tags], patience.leftMs())
      const entry = readEntry(texts?.[0])
      const versions = texts?.slice(1)
      if (entry && versions && isSame(entry.head.versions, versions)) {
        const { value, json, head } = entry
        if (isWithin(head.freshUntil, lifetime)) return { outcome: 'hit', value, json }
        if (orStale && isWithin(head.goneAt, lifetime + staleMs)) return { outcome: 'stale', value, json }
      }
      const current = await versionsOf(tags, versions, patience)
      const value = await patience.paused(load)
      const json = toJson(value)
      // A value whose tags were dropped while it loaded is outdated, and would replace the newer value.
      if (current && !isLeft() && json !== undefined && lifetime > 0 && keep(value) && isSmall(json)) {
        const writing = store.write(
          [entryText(full, json, { lifetime, staleMs, versions: current })],
          patience.leftMs() || undefined,
        )
        if (patience.leftMs() > 0) await writing
      }
      return { outcome: 'miss', value, json }
    }
  }

  /** The versions of `tags` before a load, new ones for those that have none; undefined when they are not known for sure. */
  async function versionsOf(
    tags: readonly string[],
    known: readonly (string | undefined)[] | undefined,
    patience: Patience,
  ): Promise<readonly string[] | undefined> {
    if (!known) return undefined
    const versions = tags.map((_, index) => known[index] ?? crypto.randomUUID())
    const made = tags.flatMap((key, index) =>
      known[index] === undefined ? [{ key, text: versions[index] ?? '', ttlMs: TAG_TTL_MS }] : [],
    )
    if (made.length === 0) return versions
    const leftMs = patience.leftMs()
    return leftMs > 0 && (await store.write(made, leftMs)) ? versions : undefined
  }

  /** Counts down what one call may wait for the store, but for the time that loading takes. */
  function createPatience(): Patience {
    let until = clock.now() + deps.patienceMs
    return {
      leftMs: () => Math.max(0, until - clock.now()),
      async paused(work) {
        const from = clock.now()
        const result = await work()
        until += clock.now() - from
        return result
      },
    }
  }

  return {
    get,
    set,
    remember,
    delete: (key) => store.remove([keyOf(key)]),
    wrap: async (key, options, load) => (await remember(key, options, load)).value,
  }
}

interface Patience {
  leftMs(): number
  paused<Result>(work: () => Promise<Result>): Promise<Result>
}

function checkedTtl(ttlMs: unknown): number {
  if (typeof ttlMs !== 'number' || !(ttlMs >= 0)) throw hostError('CACHE_VALUE', { problem: `has a ttlMs of ${String(ttlMs)}` })
  return Math.min(Math.ceil(ttlMs), MAX_TTL_MS)
}

/** Undefined for a value that JSON cannot represent. */
function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined // a BigInt, or an object that holds itself
  }
}

/** No two callers share an object: one could change it. */
function copyOf({ value, json }: Landed): unknown {
  return json === undefined ? value : JSON.parse(json)
}

function isSame(a: readonly string[], b: readonly (string | undefined)[]): boolean {
  return a.length === b.length && a.every((version, index) => version === b[index])
}

/** What `work` gives, unless the one who waits for it goes first; the work goes on for the others. */
async function orAborted<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (!signal) return work
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
