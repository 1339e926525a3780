/** Lets so many plugins be started at a time. */
export interface StartGate {
  /** Does `work` when it is its turn; `isCalled`: a call waits for it, so before those that none waits for. */
  pass<Result>(work: () => Promise<Result>, isCalled: boolean): Promise<Result>
}

export interface StartGateOptions {
  /** How many there are at a time: what each of them needs is a core. */
  readonly atOnce: number
  /** Longer than that, in milliseconds, none has its place: it waits for something else, or never ends. */
  readonly heldMs: number
}

/**
 * A hundred processes that start at once share the cores with the host, which then answers nothing for seconds, and none of them is ready
 * before nearly all are. One after the other the first is ready at once.
 */
export function createStartGate({ atOnce, heldMs }: StartGateOptions): StartGate {
  let inside = 0
  const waiting: (() => void)[] = []

  function enter(isCalled: boolean): Promise<void> {
    if (inside < atOnce) {
      inside++
      return Promise.resolve()
    }
    return new Promise((resolve) => void (isCalled ? waiting.unshift(resolve) : waiting.push(resolve)))
  }

  /** The place goes to the next one. */
  function leave(): void {
    const next = waiting.shift()
    if (next) next()
    else inside--
  }

  return {
    async pass(work, isCalled) {
      await enter(isCalled)
      let isInside = true
      const leaveOnce = () => {
        if (isInside) leave()
        isInside = false
      }
      const timer = setTimeout(leaveOnce, heldMs)
      try {
        return await work()
      } finally {
        clearTimeout(timer)
        leaveOnce()
      }
    },
  }
}
