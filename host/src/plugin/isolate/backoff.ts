/** When a process that died may be started again. */
export interface Backoff {
  /** Notes an exit; gives how long to wait, in milliseconds, or undefined when it has died too often. */
  exited(): number | undefined
  /** How long to wait when it could not even be started, for want of what may be free again soon: that is not its fault. */
  lacked(): number
}

const FIRST_MS = 100
const LONGEST_MS = 30_000
const LONGEST_LACK_MS = 5_000
/** After so many exits within so long, it is not started again by itself. */
const MAX_EXITS = 5
const WINDOW_MS = 60_000

/** Twice as long with every exit in the last minute, a fifth more or less: processes that died together should not start together. */
export function createBackoff({ now, random }: { readonly now: () => number; readonly random: () => number }): Backoff {
  let exits: number[] = []
  let lacks = 0
  const spread = () => 0.8 + 0.4 * random()
  return {
    lacked: () => Math.min(FIRST_MS * 2 ** Math.min(lacks++, 20), LONGEST_LACK_MS) * spread(),
    exited() {
      lacks = 0
      const at = now()
      exits = [...exits.filter((earlier) => at - earlier < WINDOW_MS), at]
      if (exits.length >= MAX_EXITS) return undefined
      return Math.min(FIRST_MS * 2 ** (exits.length - 1), LONGEST_MS) * spread()
    },
  }
}
