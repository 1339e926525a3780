import { sep } from 'node:path'
import type { PluginEntry } from '../config/schema.ts'
import type { Activation } from './activate.ts'
import { specifierOf } from './resolve.ts'

/** One entry of the config over time: what serves, and what is being built to replace it. */
export interface Slot {
  entry: PluginEntry
  /** What is published; undefined before the first attempt is done. */
  current: Activation | undefined
  /** The generation that `current` was published with. */
  generation: number
  /** The newest attempt, also when it failed: a change of one of its files is reason to try again. */
  newest: Activation | undefined
  building: Build | undefined
}

/** One attempt to build the next version. */
export interface Build {
  readonly controller: AbortController
  readonly startedAt: number
  /** Never rejects: a failure is a result. */
  readonly done: Promise<void>
  result: Activation | undefined
}

export function createSlot(entry: PluginEntry): Slot {
  return { entry, current: undefined, generation: 0, newest: undefined, building: undefined }
}

/** What makes an entry the same one in two configs: its name, or its specifier; the second with the same gets a number. */
export function slotKeys(entries: readonly PluginEntry[]): readonly string[] {
  const seen = new Map<string, number>()
  return entries.map((entry) => {
    const key = entry.as ?? specifierOf(entry)
    const count = (seen.get(key) ?? 0) + 1
    seen.set(key, count)
    return count === 1 ? key : `${key}#${count}`
  })
}

/** Whether both entries run the same version in the same way. Filters and overrides do not count: they are the snapshot's. */
export function sameVersion(a: PluginEntry, b: PluginEntry): boolean {
  if (a === b) return true
  const essence = ({ as, version, integrity, config, isolation, capabilities, http, readOnly }: PluginEntry) =>
    JSON.stringify([as, version, integrity, config, isolation, capabilities, http, readOnly])
  return a.use === b.use && essence(a) === essence(b)
}

/** Whether one of the changed files is of this plugin; for one that failed, any file in its folder may be what it misses. */
export function isTouched({ newest }: Slot, changed: ReadonlySet<string>): boolean {
  if (!newest) return false
  const { files, root, record } = newest
  const failed = record.state === 'failed'
  return [...changed].some(
    (path) => files.has(path) || (failed && root !== undefined && (path === root || path.startsWith(`${root}${sep}`))),
  )
}
