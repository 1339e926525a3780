import { ActiveSet, type Membership } from '../../data/active-set.ts'

/** What has a time limit. */
export interface Limited {
  /** On the clock of `performance.now()`, milliseconds. */
  readonly dueAt: number
  /** Called when its time is up. It must end then. */
  expire(): void
}

/** Ends what takes too long, with one timer for all of it: a timer for each call was a thirtieth of what a call costs. */
export class Deadlines {
  readonly #running = new ActiveSet<Limited>(() => this.#timer?.unref())
  #timer: NodeJS.Timeout | undefined
  #firesAt = Infinity

  /** Watches over it until it is released. As long as anything is watched over, the process stays. */
  add(limited: Limited): Membership {
    if (limited.dueAt < this.#firesAt) this.#arm(limited.dueAt)
    else if (this.#running.size === 0) this.#timer?.ref()
    return this.#running.add(limited)
  }

  #arm(at: number): void {
    clearTimeout(this.#timer)
    this.#firesAt = at
    // A longer one fires at once.
    this.#timer = setTimeout(this.#look, Math.min(at - performance.now(), MAX_DELAY_MS))
  }

  /** Those that left do not move the timer: it looks who is still there, and when the first of them is due. */
  readonly #look = (): void => {
    const now = performance.now()
    this.#timer = undefined
    this.#firesAt = Infinity
    let next = Infinity
    for (const limited of this.#running) {
      if (limited.dueAt <= now + EARLY_MS) limited.expire()
      else next = Math.min(next, limited.dueAt)
    }
    if (next < this.#firesAt) this.#arm(next)
  }
}

/** Node's timers count whole milliseconds, and fire a part of one too soon. */
const EARLY_MS = 1
const MAX_DELAY_MS = 2 ** 31 - 1
