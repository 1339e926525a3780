import type { CallRequest } from '../../run/running.ts'

type Options = Parameters<CallRequest['progress']>[1]

/** The progress of one call, passed on no faster than a client can use it. */
export interface PacedProgress {
  tell(progress: number, options: Options): void
  /** What has not been told by then never is: progress behind the answer is against the protocol. */
  end(): void
}

const PACE_MS = 250

/** The first step at once, then the last one of every `paceMs`. */
export function pacedProgress(send: CallRequest['progress'], now: () => number, paceMs = PACE_MS): PacedProgress {
  let nextAt = -Infinity
  let waiting: { readonly progress: number; readonly options: Options } | undefined
  let timer: NodeJS.Timeout | undefined
  const pass = (progress: number, options: Options) => {
    nextAt = now() + paceMs
    send(progress, options)
  }
  return {
    tell(progress, options) {
      if (!timer && now() >= nextAt) return pass(progress, options)
      waiting = { progress, options }
      timer ??= setTimeout(() => {
        timer = undefined
        if (waiting) pass(waiting.progress, waiting.options)
        waiting = undefined
      }, nextAt - now())
    },
    end: () => clearTimeout(timer),
  }
}
