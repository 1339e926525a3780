import { hostError } from '../../errors.ts'

/** Time as the cache sees it; tests pass their own. */
export interface CacheClock {
  /** Milliseconds since 1970. */
  now(): number
  /** Runs `run` once after `ms`, unless the returned function is called before. */
  schedule(ms: number, run: () => void): () => void
}

export interface GuardOptions {
  /** As messages name it, without a password. */
  readonly store: string
  readonly clock: CacheClock
  /** The longest any call waits for the store. */
  readonly deadlineMs: number
  /** Failures in a row after which the store is left alone. */
  readonly failures: number
  /** For how long; then one call tries again. */
  readonly openMs: number
  readonly onFailure: (error: unknown) => void
  /** Tells of a change after it happened. */
  readonly onChange: (state: 'up' | 'down') => void
}

/** Stands before every call to a store, so that a store that is slow, broken or gone costs a bounded wait and then none. */
export interface Guard {
  /** Rejects with what `work` rejected with, with `CACHE_TIMEOUT` after `waitMs`, and at once with `CACHE_DOWN` while the store is left alone. */
  run<Result>(work: () => Promise<Result>, waitMs?: number): Promise<Result>
  readonly state: 'up' | 'down'
}

export function createGuard({ store, clock, deadlineMs, failures, openMs, onFailure, onChange }: GuardOptions): Guard {
  let failed = 0
  let downUntil: number | undefined
  let probing = false

  function settle(isSuccess: boolean, isProbe: boolean): void {
    if (isProbe) probing = false
    else if (downUntil !== undefined) return // began before the store went down: too old to tell
    if (isSuccess) {
      failed = 0
      if (!isProbe) return
      downUntil = undefined
      return onChange('up')
    }
    failed += 1
    if (!isProbe && failed < failures) return
    downUntil = clock.now() + openMs
    if (!isProbe) onChange('down')
  }

  return {
    async run(work, waitMs = deadlineMs) {
      const isProbe = downUntil !== undefined
      if (downUntil !== undefined) {
        // The clock of the machine may be set back meanwhile.
        downUntil = Math.min(downUntil, clock.now() + openMs)
        if (probing || clock.now() < downUntil) throw hostError('CACHE_DOWN', { store })
        probing = true
      }
      const { promise: late, reject } = Promise.withResolvers<never>()
      const cancel = clock.schedule(waitMs, () => reject(hostError('CACHE_TIMEOUT', { store, ms: waitMs })))
      try {
        const result = await Promise.race([work(), late])
        settle(true, isProbe)
        return result
      } catch (error) {
        settle(false, isProbe)
        onFailure(error)
        throw error
      } finally {
        cancel()
      }
    },
    get state() {
      return downUntil === undefined ? 'up' : 'down'
    },
  }
}

/** The real time. What waits in the sockets comes first: a process that was busy for long must not take its store for slow. */
export const cacheClock: CacheClock = Object.freeze({
  now: () => Date.now(),
  schedule(ms: number, run: () => void) {
    let immediate: NodeJS.Immediate | undefined
    const timer = setTimeout(() => (immediate = setImmediate(run)), ms)
    return () => {
      clearTimeout(timer)
      clearImmediate(immediate)
    }
  },
})
