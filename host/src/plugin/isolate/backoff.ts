/** When a process that died may be started again. */
export interface Backoff {
  /** Notes an exit; gives how long to wait, in milliseconds, or undefined when it has died too often. */
  exited(): number | undefined
}

const FIRST_MS = 100
const LONGEST_MS = 30_000
/** So many exits within so long, and nobody tries again by himself. */
const MAX_EXITS = 5
const WINDOW_MS = 60_000

/** Twice as long with every exit in the last minute, a fifth more or less: processes that died together should not start together. */
export function createBackoff({ now, random }: { readonly now: () => number; readonly random: () => number }): Backoff {
  let exits: number[] = []
  return {
    exited() {
      const at = now()
      exits = [...exits.filter((earlier) => at - earlier < WINDOW_MS), at]
      if (exits.length >= MAX_EXITS) return undefined
      return Math.min(FIRST_MS * 2 ** (exits.length - 1), LONGEST_MS) * (0.8 + 0.4 * random())
    },
  }
}
