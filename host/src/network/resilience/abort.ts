/** A controller that also aborts when one of `signals` does. Disposing it takes its listeners off them: some live as long as the host. */
export interface LinkedAbort extends Disposable {
  readonly signal: AbortSignal
  abort(reason: unknown): void
}

export function linkAbort(...signals: readonly (AbortSignal | undefined)[]): LinkedAbort {
  const controller = new AbortController()
  const unlink = signals.flatMap((signal) => {
    if (!signal) return []
    const onAbort = () => controller.abort(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    return () => signal.removeEventListener('abort', onAbort)
  })
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    [Symbol.dispose]: () => unlink.forEach((off) => off()),
  }
}

/** What `work` gives, or the signal's reason if that comes first. A result that comes too late goes to `discard`. */
export function orAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal,
  discard: (late: Result) => void = () => {},
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      work.then(discard, () => {}) // the caller has gone; its failure is that of the abort
      reject(signal.reason)
    }
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
