import type { PluginEntry } from '../../config/schema/schema.ts'
import type { PluginRecord } from '../run/plugin-record.ts'
import { createSlot, hasOtherConfigFiles, isTouched, readsVariable, sameEntry, sameVersion, slotKeys, type Slot } from './slot.ts'

export interface Change {
  readonly entries: readonly PluginEntry[]
  /** Real paths of files that may have changed; their contents decide. */
  readonly changed?: ReadonlySet<string>
  /** Environment variables that are set to something else: builds the plugins that read them. */
  readonly variables?: ReadonlySet<string>
  /** Builds every plugin again, or those whose record it picks. */
  readonly all?: boolean | ((record: PluginRecord) => boolean)
}

/** A slot whose plugin is to be built. */
export interface Stale {
  readonly slot: Slot
  /** Nothing but files changed. */
  readonly isEdit: boolean
}

/** The slots of a change by their keys, those that were there kept, and which of them are to be built. Gives each its entry. */
export function selectStale(
  slots: ReadonlyMap<string, Slot>,
  { entries, changed = new Set(), variables = new Set(), all = false }: Change,
): { readonly next: ReadonlyMap<string, Slot>; readonly stale: readonly Stale[] } {
  const keys = slotKeys(entries)
  const next = new Map<string, Slot>()
  const stale: Stale[] = []
  entries.forEach((entry, index) => {
    const key = keys[index] ?? ''
    const slot = slots.get(key) ?? createSlot(entry)
    const isNew = !slot.newest && !slot.building
    const isReset =
      isNew ||
      isPicked(slot, all) ||
      !sameVersion(slot.entry, entry) ||
      readsVariable(slot, variables) ||
      hasOtherConfigFiles(slot)
    if (!sameEntry(slot.entry, entry)) slot.entry = entry
    next.set(key, slot)
    if (isReset || isTouched(slot, changed)) stale.push({ slot, isEdit: !isReset })
  })
  return { next, stale }
}

function isPicked({ newest }: Slot, all: NonNullable<Change['all']>): boolean {
  return typeof all === 'boolean' ? all : newest !== undefined && all(newest.record)
}
