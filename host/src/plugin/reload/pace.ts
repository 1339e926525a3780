export interface PaceOptions {
  /** After one event, for another one. */
  readonly debounceMs?: number
  /** Instead, for one file that follows right after another: an assistant edits file after file, or a checkout begins. */
  readonly runMs?: number
  /** Instead, for several files: a checkout, a save-all. */
  readonly quietMs?: number
  /** Instead, while a file is gone or a folder appears: editors delete and write again, and copies take a while. */
  readonly goneMs?: number
}

/** How long to wait for more before what changed is taken over as one set. */
export interface Pace {
  waitMs(set: { readonly files: number; readonly isIncomplete: boolean }, now: number): number
  /** A set was taken over. */
  taken(now: number): void
}

/** Sets that follow each other faster than this are one run. People save more slowly. */
const RUN_MS = 250
/** As many sets within that time are a storm. */
const STORM = { sets: 10, withinMs: 1_000 }

/** Times are milliseconds of one clock. Short waits until saves really storm: then each set is waited for longer than the one before. */
export function createPace({ debounceMs = 10, runMs = 25, quietMs = 50, goneMs = 120 }: PaceOptions = {}): Pace {
  let recent: readonly number[] = []
  return {
    waitMs({ files, isIncomplete }, now) {
      if (isIncomplete) return goneMs
      const excess = recent.filter((at) => now - at < STORM.withinMs).length - STORM.sets
      if (excess >= 0) return quietMs * 2 ** (excess + 1)
      if (files > 1) return quietMs
      return now - (recent.at(-1) ?? -Infinity) < RUN_MS ? runMs : debounceMs
    },
    taken(now) {
      recent = [...recent.slice(-STORM.sets - 3), now]
    },
  }
}
