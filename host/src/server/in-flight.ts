/** The calls that are running now, over whatever transport: who closes the host waits for them, and ends those that take too long. */
export class InFlight {
  readonly #running = new Set<AbortController>()
  #waiting: (() => void)[] = []

  get size(): number {
    return this.#running.size
  }

  /** Counts a call until `end`. Its signal aborts with the client's own, `outer`, or with the reason of {@link cancelAll}. */
  begin(outer: AbortSignal): RunningCall {
    const controller = new AbortController()
    const follow = () => controller.abort(outer.reason)
    if (outer.aborted) follow()
    else outer.addEventListener('abort', follow, { once: true })
    this.#running.add(controller)
    return {
      signal: controller.signal,
      end: () => {
        outer.removeEventListener('abort', follow)
        this.#running.delete(controller)
        if (this.#running.size === 0) this.#settle()
      },
    }
  }

  /** Resolves when nothing runs. What begins meanwhile is waited for too. */
  idle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Aborts every running call; its answer tells the client `reason`. */
  cancelAll(reason: Error): void {
    for (const controller of this.#running) controller.abort(reason)
  }

  #settle(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

export interface RunningCall {
  readonly signal: AbortSignal
  /** Call it once, when the answer is there. */
  end(): void
}
