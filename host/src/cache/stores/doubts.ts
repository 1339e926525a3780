/**
 * Keys whose removal or replacement the store did not confirm. What it holds there is older than what this host knows, so it is not
 * read until the removal got through.
 */
export interface Doubts {
  /** Whether what the store holds for `key` may be out of date. */
  has(key: string): boolean
  add(keys: readonly string[]): void
  /** The store confirmed a newer value, or that there is none. */
  remove(keys: readonly string[]): void
  /** Tries to remove from the store what is in doubt, if something is and no other attempt is under way. Never rejects. */
  settle(): Promise<void>
}

export interface DoubtsOptions {
  /** Beyond that many, everything is in doubt, and the store is cleared. */
  readonly max: number
  readonly removeFromStore: (keys: readonly string[]) => Promise<unknown>
  readonly clearStore: () => Promise<unknown>
}

export function createDoubts({ max, removeFromStore, clearStore }: DoubtsOptions): Doubts {
  /** When each came into doubt; one that did so again while it was being removed stays. */
  const since = new Map<string, number>()
  let everythingSince: number | undefined
  let time = 0
  let settling: Promise<void> | undefined

  async function settle(): Promise<void> {
    const tried = new Map(since)
    const everything = everythingSince
    try {
      await (everything === undefined ? removeFromStore([...tried.keys()]) : clearStore())
    } catch {
      return // still in doubt
    }
    for (const [key, at] of tried) if (since.get(key) === at) since.delete(key)
    if (everythingSince === everything) everythingSince = undefined
  }

  return {
    has: (key) => everythingSince !== undefined || since.has(key),
    add(keys) {
      time += 1
      for (const key of keys) since.set(key, time)
      if (since.size <= max) return
      everythingSince = time
      since.clear()
    },
    remove(keys) {
      for (const key of keys) since.delete(key)
    },
    settle() {
      if (since.size > 0 || everythingSince !== undefined) settling ??= settle().finally(() => (settling = undefined))
      return settling ?? Promise.resolve()
    },
  }
}
