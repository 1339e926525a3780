/** Sees when a process was called last, and ends it when that is long ago. */
export interface IdleWatch extends Disposable {
  /** A call is in the process. Returns nothing: its end is `left`. */
  entered(): void
  left(): void
  /** A process is in service: it may be idle from now on. */
  began(): void
}

export interface IdleOptions {
  /** Read whenever it matters: limits change without a restart. 0: never. */
  readonly idleMs: () => number
  readonly now: () => number
  /** No call was in the process for `idleMs`. Called once, until `began` is. */
  readonly onIdle: () => void
}

/** One timer that looks again when the last call is not so long ago: one for each call would cost as much as its place in the channel. */
export function createIdleWatch({ idleMs, now, onIdle }: IdleOptions): IdleWatch {
  let inside = 0
  let lastAt = 0
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    timer = undefined
    const ms = idleMs()
    if (ms === 0) return wait(LOOK_AGAIN_MS)
    const left = inside > 0 ? ms : lastAt + ms - now()
    if (left > 0) return wait(left)
    onIdle()
  }

  function wait(ms: number): void {
    timer ??= setTimeout(look, Math.min(ms, MAX_DELAY_MS)).unref()
  }

  return {
    began() {
      lastAt = now()
      wait(idleMs() || LOOK_AGAIN_MS)
    },
    entered: () => void inside++,
    left() {
      inside--
      lastAt = now()
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  }
}

/** Whether the limit is another one by now. */
const LOOK_AGAIN_MS = 60_000
const MAX_DELAY_MS = 2 ** 31 - 1
