import { pause } from '../../../data/async.ts'

export interface RelistingOptions {
  readonly signal: AbortSignal
  readonly relist: () => Promise<void>
  readonly onFailed: (error: unknown) => void
}

export interface Relisting {
  /** The server says that something changed. */
  ask(): void
  /** The server says nothing when something changes: its lists are read from time to time. */
  lookAgain(): void
}

/** How long a server is given to say all of its changes, and how long it rests between two lists, in milliseconds. */
const SETTLE_MS = 50
const REST_MS = 1_000
const FIRST_LOOK_MS = 5 * 60_000
const LAST_LOOK_MS = 60 * 60_000

/** Reads the lists again when a server says that they changed: a storm of notifications is one or two readings. */
export function createRelisting({ signal, relist, onFailed }: RelistingOptions): Relisting {
  let isAsked = false
  let isRunning = false
  let timer: NodeJS.Timeout | undefined

  async function run(): Promise<void> {
    isRunning = true
    await pause(SETTLE_MS, signal)
    while (isAsked && !signal.aborted) {
      isAsked = false
      await relist().catch(onFailed)
      if (isAsked) await pause(REST_MS, signal)
    }
    isRunning = false
  }

  function ask(): void {
    isAsked = true
    if (!isRunning) void run()
  }

  function lookAfter(ms: number): void {
    clearTimeout(timer)
    timer = setTimeout(() => {
      if (signal.aborted) return
      ask()
      lookAfter(Math.min(ms * 2, LAST_LOOK_MS))
    }, ms).unref()
  }

  return {
    ask,
    lookAgain: () => lookAfter(FIRST_LOOK_MS),
  }
}
