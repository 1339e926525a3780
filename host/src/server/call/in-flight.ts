import { ActiveSet, type Membership } from '../../data/active-set.ts'
import type { Cancellation } from './cancellation.ts'

/** The calls that are running now, over whatever transport: who closes the host waits for them, and ends those that take too long. */
export class InFlight {
  readonly #running = new ActiveSet<Cancellation>(() => this.#settle())
  #waiting: (() => void)[] = []

  get size(): number {
    return this.#running.size
  }

  /** Counts a call until it is released: when the answer is there. */
  begin(call: Cancellation): Membership {
    return this.#running.add(call)
  }

  /** Resolves when nothing runs. What begins meanwhile is waited for too. */
  idle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Cancels every running call; its answer tells the client `reason`. */
  cancelAll(reason: Error): void {
    for (const call of this.#running) call.cancel(reason)
  }

  #settle(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
