/** Counts amounts against a limit, in windows of time that follow each other. */
export interface WindowLimit {
  /** Counts `amount`, 1 by default. False when the current window has more than the limit with it. */
  take(amount?: number): boolean
  /** Notes in the current window that `times` were dropped elsewhere. */
  drop(times?: number): void
  /** Begins the next window when it is time. `take` does it itself. */
  roll(): void
}

export interface WindowLimitOptions {
  readonly limit: number
  /** Default: one second. */
  readonly windowMs?: number
  readonly now: () => number
  /** Called when a window begins, with how often `take` gave false, or something was dropped elsewhere, in the one before. */
  readonly onNext?: (dropped: number) => void
}

/** A window begins with the first amount after the one before has ended, so nothing runs while nothing is counted. */
export function createWindowLimit({ limit, windowMs = 1_000, now, onNext }: WindowLimitOptions): WindowLimit {
  let startedAt = -Infinity
  let used = 0
  let dropped = 0

  function roll(): void {
    const at = now()
    // The clock of the machine may be set back.
    if (at - startedAt < windowMs && at >= startedAt) return
    const before = dropped
    startedAt = at
    used = 0
    dropped = 0
    onNext?.(before)
  }

  return {
    take(amount = 1) {
      roll()
      used += amount
      const isWithin = used <= limit
      if (!isWithin) dropped++
      return isWithin
    },
    drop(times = 1) {
      dropped += times
    },
    roll,
  }
}
