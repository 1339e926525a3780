/** Bounds what one service can hold up: so many requests on their way, so many waiting in order, none beyond. */
export interface Bulkhead {
  /** A place, to be disposed once; undefined when even the queue is full. Rejects with the signal's reason when it aborts first. */
  enter(signal: AbortSignal): Promise<Disposable> | undefined
}

export function createBulkhead({ inFlight, queued }: { inFlight: number; queued: number }): Bulkhead {
  let taken = 0
  const waiting = new Set<() => void>()

  const place = (): Disposable => {
    let held = true
    return {
      [Symbol.dispose]() {
        if (!held) return
        held = false
        const [next] = waiting
        if (next) next()
        else taken--
      },
    }
  }
  return {
    enter(signal) {
      if (signal.aborted) return Promise.reject(signal.reason)
      if (taken < inFlight) {
        taken++
        return Promise.resolve(place())
      }
      if (waiting.size >= queued) return undefined
      return new Promise((resolve, reject) => {
        const onAbort = () => {
          waiting.delete(start)
          reject(signal.reason)
        }
        const start = () => {
          waiting.delete(start)
          signal.removeEventListener('abort', onAbort)
          resolve(place())
        }
        waiting.add(start)
        signal.addEventListener('abort', onAbort, { once: true })
      })
    },
  }
}
