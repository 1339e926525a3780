import type { PluginEntry } from '../../config/schema/schema.ts'
import { pause } from '../../data/async.ts'
import { EMPTY_FILE } from '../../modules/reading/source-digest.ts'
import type { Activation } from '../activation.ts'
import type { Drains } from './drain.ts'
import type { Build, Slot } from './slot.ts'

export interface BuildDeps {
  readonly activate: (entry: PluginEntry, signal: AbortSignal) => Promise<Activation>
  /** How long a failed attempt waits for a newer change before it is believed: the file may have been half written. */
  readonly graceMs: number
  readonly now: () => number
  readonly drains: Drains
}

/** Begins to build the next version of a slot, once `turn` is over, in place of the attempt that is under way. */
export function buildVersion(
  slot: Slot,
  { isEdit, turn }: { readonly isEdit: boolean; readonly turn: Promise<unknown> | undefined },
  { activate, graceMs, now, drains }: BuildDeps,
): Build {
  // The last change wins: an attempt that is under way has read files that are old now.
  slot.building?.controller.abort()
  const controller = new AbortController()
  const attempt: Build = { controller, startedAt: now(), isEdit, result: undefined, done: run() }
  slot.building = attempt
  return attempt

  async function run(): Promise<void> {
    await turn
    if (slot.building !== attempt) return
    const activation = await activate(slot.entry, controller.signal)
    if (slot.building !== attempt) return drains.start(activation, 0)
    // From here on a change of what it read, or looked for, is noticed.
    slot.newest = activation
    if (activation.record.live === undefined && slot.current?.record.live) {
      await pause(graceMs * (readsEmptyFile(activation) ? EMPTY_PATIENCE : 1), controller.signal)
      if (slot.building !== attempt) return drains.start(activation, 0)
    }
    attempt.result = activation
  }
}

/** A writer that has emptied a file and is slow to fill it would have the log blame what its author never wrote. */
const EMPTY_PATIENCE = 10

function readsEmptyFile({ digests }: Activation): boolean {
  return [...digests.values()].includes(EMPTY_FILE)
}

/** Gives up the attempt that is under way; its result is freed once it is there. */
export function stopBuilding(slot: Slot): void {
  slot.building?.controller.abort()
  slot.building = undefined
}
