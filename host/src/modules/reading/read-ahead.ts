import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import type { Logger } from '@mcp-patchbay/plugin-api'

/** Reads what the first requests need before they come, one piece after the other: after each of them, those who call have their turn. */
export interface ReadAhead {
  /** To be read after what was added before. A step that rejects is told of in the log: what it reads is read when it is needed. */
  readonly add: (...steps: readonly ReadStep[]) => void
  /** Whether something that was added is still to be read. */
  readonly isOver: () => boolean
  /** Resolves when all that was added is read. */
  readonly over: () => Promise<void>
}

/** A piece takes the event loop for 20 ms at most; one that has more of them gives up its turn in between. */
export type ReadStep = () => Promise<void> | void

export interface ReadAheadOptions {
  /** Not before so long after now; never when it is infinite. */
  readonly afterMs: number
  /** What is left then is not read. */
  readonly signal: AbortSignal
  readonly log: Logger
}

export function createReadAhead({ afterMs, signal, log }: ReadAheadOptions): ReadAhead {
  const waiting: ReadStep[] = []
  // It rejects when it is aborted, which is looked at before each step.
  const begun = afterMs < Infinity ? pause(afterMs, undefined, { signal, ref: false }).catch(() => {}) : undefined
  let reading: Promise<void> | undefined

  async function read(): Promise<void> {
    await begun
    for (let step = waiting.shift(); step && !signal.aborted; step = waiting.shift()) {
      try {
        await step()
      } catch (error) {
        log.warn('prepare_failed', { error })
      }
      await turn()
    }
    reading = undefined
  }

  return {
    add(...steps) {
      if (!begun) return
      waiting.push(...steps)
      reading ??= read()
    },
    isOver: () => reading === undefined,
    over: () => reading ?? Promise.resolve(),
  }
}
