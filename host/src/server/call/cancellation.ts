/**
 * What ends something early, and why: an AbortSignal at the price of an object. A controller and a listener on it cost a call more
 * than its validation does, and most calls end by themselves; so there is a signal only for who asks for one.
 */
export class Cancellation {
  #isCancelled = false
  #reason: unknown
  #listener: ((reason: unknown) => void) | undefined
  #controller: AbortController | undefined

  get isCancelled(): boolean {
    return this.#isCancelled
  }

  get reason(): unknown {
    return this.#reason
  }

  /** Aborts with the reason of {@link cancel}. Always the same one. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#isCancelled) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** The first reason counts. */
  cancel(reason: unknown): void {
    if (this.#isCancelled) return
    this.#isCancelled = true
    this.#reason = reason
    this.#listener?.(reason)
    this.#controller?.abort(reason)
  }

  /** What to do when it is cancelled, at once if it is: one listener, the last one set. Undefined takes it away. */
  onCancel(listener: ((reason: unknown) => void) | undefined): void {
    this.#listener = listener
    if (this.#isCancelled) listener?.(this.#reason)
  }
}

/** Follows a signal until disposed: some live longer than what they cancel. */
export function follow(signal: AbortSignal, cancellation: Cancellation): Disposable {
  const onAbort = () => cancellation.cancel(signal.reason)
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', onAbort) }
}
