import { Keyv, type KeyvSerializationAdapter } from 'keyv'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { createDoubts } from './doubts.ts'
import { createGuard, type CacheClock } from './store-guard.ts'
import type { CacheStore, StoreContents } from './store.ts'

/** A store that never fails a call: what cannot be read is a miss, what cannot be written is not kept, and nothing waits long. */
export interface GuardedStore extends AsyncDisposable {
  readonly name: string
  readonly state: 'up' | 'down'
  /** How many calls to the store failed. */
  readonly failures: number
  /** The texts of `keys`, undefined for those it has not; undefined altogether when the store could not be asked. */
  read(keys: readonly string[], waitMs?: number): Promise<readonly (string | undefined)[] | undefined>
  /** Whether it was kept for sure. */
  write(entries: readonly StoredText[], waitMs?: number): Promise<boolean>
  /** Whatever the store says, this host reads none of them until it has written them again. */
  remove(keys: readonly string[]): Promise<void>
  /** What the store holds behind `key` is older than what was to be written. */
  doubt(key: string): void
  /** For a command: waits as long as it takes. Rejects with what the store rejects with. */
  inspect(): Promise<StoreContents>
  /** As `inspect`. */
  clear(): Promise<void>
}

export interface StoredText {
  readonly key: string
  readonly text: string
  readonly ttlMs: number
}

export interface GuardedStoreOptions {
  readonly store: CacheStore
  readonly log: Logger
  readonly clock: CacheClock
  readonly deadlineMs: number
  readonly onState: (state: 'up' | 'down') => void
}

/** A store that fails is left alone after this many failures in a row, for that long. */
const FAILURES = 3
const DOWN_MS = 2_000
/** Failures are logged at most this often, with how many there were. */
const LOG_EVERY_MS = 10_000
const MAX_DOUBTS = 10_000
const CLEAR_MS = 60_000

export function createGuardedStore({ store, log, clock, deadlineMs, onState }: GuardedStoreOptions): GuardedStore {
  const guard = createGuard({
    store: store.name,
    clock,
    deadlineMs,
    failures: FAILURES,
    openMs: DOWN_MS,
    onFailure: failed,
    onChange(state) {
      onState(state)
      if (state === 'up') {
        log.info('cache_store_recovered', { store: store.name })
        void doubts.settle()
      }
    },
  })
  const keyv = openKeyv(store)
  const doubts = createDoubts({
    max: MAX_DOUBTS,
    removeFromStore: (keys) => guard.run(() => keyv.delete([...keys])),
    clearStore: () => guard.run(() => keyv.clear(), CLEAR_MS),
  })
  let failures = 0
  let loggedAt = -Infinity
  let unlogged = 0

  function failed(error: unknown): void {
    failures += 1
    if (guard.state === 'down') store.reset?.()
    unlogged += 1
    if (clock.now() - loggedAt < LOG_EVERY_MS) return
    log.warn('cache_store_failed', { store: store.name, state: guard.state, failures: unlogged, error })
    loggedAt = clock.now()
    unlogged = 0
  }

  /** Undefined when it did not work. The guard has told of it. */
  async function attempt<Result>(work: () => Promise<Result>, waitMs?: number): Promise<Result | undefined> {
    try {
      return await guard.run(work, waitMs)
    } catch {
      return undefined
    }
  }

  return {
    name: store.name,
    get state() {
      return guard.state
    },
    get failures() {
      return failures
    },
    async read(keys, waitMs = deadlineMs) {
      const from = clock.now()
      const isDoubtful = () => keys.some((key) => doubts.has(key))
      if (isDoubtful()) await doubts.settle()
      if (isDoubtful()) return undefined
      const [first] = keys
      return attempt(
        async () => (keys.length === 1 && first !== undefined ? [await keyv.get(first)] : await keyv.getMany([...keys])),
        Math.max(0, waitMs - (clock.now() - from)),
      )
    },
    async write(entries, waitMs) {
      const written = await attempt(async () => {
        const [only, ...more] = entries
        if (only && more.length === 0) return [await keyv.set(only.key, only.text, only.ttlMs)]
        return keyv.setMany(entries.map(({ key, text, ttlMs }) => ({ key, value: text, ttl: ttlMs })))
      }, waitMs)
      if (!written?.every(Boolean)) return false
      doubts.remove(entries.map(({ key }) => key))
      return true
    },
    async remove(keys) {
      if (keys.length === 0) return
      doubts.add(keys)
      await doubts.settle()
    },
    doubt: (key) => doubts.add([key]),
    inspect: () => store.inspect(),
    clear: () => store.adapter.clear(),
    [Symbol.asyncDispose]: () => store.close(),
  }
}

/** Without a listener for errors, keyv rejects the call that failed, and our stores emit none: the guard must see every failure. */
function openKeyv(store: CacheStore): Keyv<string> {
  return new Keyv<string>({
    store: store.adapter,
    // An entry says itself until when it is good, so keyv need not look into each.
    checkExpired: false,
    serialization: store.holds === 'values' ? false : asText,
  })
}

/** keyv's envelope is `{ value, expires }`; the value is a text, and the store is told `expires` besides. */
const asText: KeyvSerializationAdapter = {
  stringify: (held) => (typeof held === 'object' && held !== null && 'value' in held ? String(held.value) : ''),
  parse: <Held>(text: string) => ({ value: text }) as Held,
}
