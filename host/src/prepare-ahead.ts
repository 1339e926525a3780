import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'

export interface PrepareOptions {
  /** After the start has listed; never when it is infinite. */
  readonly afterMs: number
  readonly signal: AbortSignal
  /** None may reject. */
  readonly steps: readonly (() => Promise<void> | void)[]
}

/** Reads what the first calls need before they come, one piece after the other: between two of them those who call have their turn. */
export async function prepareAhead({ afterMs, signal, steps }: PrepareOptions): Promise<void> {
  if (afterMs === Infinity) return
  await pause(afterMs, undefined, { signal, ref: false }).catch(() => {}) // aborted: looked at below
  for (const step of steps) {
    if (signal.aborted) return
    await step()
    await turn()
  }
}
