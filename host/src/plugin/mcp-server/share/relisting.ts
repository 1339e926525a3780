import { pause } from '../../../data/async.ts'

export interface RelistingOptions {
  readonly signal: AbortSignal
  readonly relist: () => Promise<void>
  readonly onFailed: (error: unknown) => void
}

/** How long a server is given to say all of its changes, and how long it rests between two lists, in milliseconds. */
const SETTLE_MS = 50
const REST_MS = 1_000

/** Reads the lists again when a server says that they changed: a storm of notifications is one or two readings. */
export function createRelisting({ signal, relist, onFailed }: RelistingOptions): { ask(): void } {
  let isAsked = false
  let isRunning = false

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

  return {
    ask() {
      isAsked = true
      if (!isRunning) void run()
    },
  }
}
