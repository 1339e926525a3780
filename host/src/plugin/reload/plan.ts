import { hostError, type HostError } from '../../errors.ts'
import type { Activation } from '../activation.ts'
import type { LivePlugin } from '../run/live-plugin.ts'
import { findCollisions } from '../run/names.ts'
import type { PluginRecord } from '../run/plugin-record.ts'
import { reasonOf } from '../run/reason.ts'
import { collisionError, findSharedVariables, type EnvironmentReader } from '../settings/environment-readers.ts'
import { nameFromSpecifier } from '../source/resolve-entry.ts'
import type { Build, Slot } from './slot.ts'

/** What the next generation will be. */
export interface PublishPlan {
  readonly records: readonly PluginRecord[]
  readonly changes: readonly PlannedChange[]
  readonly superseded: readonly { readonly activation: Activation; readonly generation: number }[]
  /** Those whose version is a new one. */
  readonly published: readonly Slot[]
}

export interface PlannedChange {
  readonly outcome: 'added' | 'replaced' | 'kept'
  readonly before: PluginRecord | undefined
  readonly after: PluginRecord
  readonly startedAt: number
  /** The generation that `before` was published with; 0 without one. */
  readonly previous: number
  readonly error: unknown
}

/**
 * Moves every finished build into its slot, unless something is wrong with it and the slot has a version that serves: then that one goes
 * on, with the reason beside it. No tool disappears because of a bad edit, an edit that wants other settings, or settings that do not
 * fit; only an operator who takes a credential away hides the tools.
 */
export function planPublish(slots: readonly Slot[], readersOf: ReadersOf = () => []): PublishPlan {
  const candidates = slots.flatMap((slot) =>
    slot.building?.result ? [{ slot, build: slot.building, next: slot.building.result }] : [],
  )
  const collisions = findAllCollisions(slots, candidates, readersOf)
  const changes: PlannedChange[] = []
  const superseded: { activation: Activation; generation: number }[] = []
  const published: Slot[] = []
  for (const { slot, build, next } of candidates) {
    const collision = collisions.get(next.record)
    const before = slot.current?.record
    const fault = canServe(before) ? faultOf({ slot, build, next }) : undefined
    const error = collision ?? next.error ?? fault
    const result = collision
      ? withRecord(next, { ...failedRecord(next.record), reason: reasonOf(collision) })
      : fault
        ? withRecord(next, { ...next.record, reason: reasonOf(fault) })
        : next
    const previous = slot.generation
    slot.building = undefined
    if (canServe(before) && fateOf({ slot, build, next }, collision !== undefined) === 'keep') {
      const { reason } = result.record
      slot.current = withRecord(slot.current as Activation, { ...before, ...(reason ? { reloadError: reason } : {}) })
      changes.push({ outcome: 'kept', before, after: result.record, startedAt: build.startedAt, previous, error })
      superseded.push({ activation: next, generation: 0 })
      continue
    }
    if (collision) superseded.push({ activation: next, generation: 0 })
    if (slot.current) superseded.push({ activation: slot.current, generation: slot.generation })
    slot.current = collision ? { ...result, release() {} } : result
    changes.push({
      outcome: before ? 'replaced' : 'added',
      before,
      after: result.record,
      startedAt: build.startedAt,
      previous,
      error,
    })
    published.push(slot)
  }
  for (const slot of slots) {
    const { current, entry } = slot
    if (current && current.record.entry !== entry) slot.current = withRecord(current, { ...current.record, entry })
  }
  return {
    records: slots.map((slot) => slot.current?.record ?? loadingRecord(slot)),
    changes,
    superseded,
    published,
  }
}

interface Candidate {
  readonly slot: Slot
  readonly build: Build
  readonly next: Activation
}

/** What decides over a build that is done. */
export interface FinishedBuild {
  /** The slot has a version that serves. */
  readonly serves: boolean
  /** A name of the new version is another plugin's. */
  readonly isTaken: boolean
  /** The new version runs, but what a tenant was given is wrong. */
  readonly hasFault: boolean
  /** The new version runs. */
  readonly isLive: boolean
  /** The attempt failed, for more than the want of a credential. */
  readonly hasError: boolean
  /** Nothing but files changed. */
  readonly isEdit: boolean
}

/**
 * `publish`: the new version takes the place of the old one, also when it only says why nothing runs. `keep`: the version that serves goes
 * on, with the reason beside it. `refuse`: nothing serves, since the names are taken.
 */
export function decideBuild({
  serves,
  isTaken,
  hasFault,
  isLive,
  hasError,
  isEdit,
}: FinishedBuild): 'publish' | 'keep' | 'refuse' {
  if (isTaken) return serves ? 'keep' : 'refuse'
  const isWorse = hasFault || (!isLive && (hasError || isEdit))
  return serves && isWorse ? 'keep' : 'publish'
}

/** It runs, and is not what should take the place of a version that serves: with an edit, a tool of that lost the schema it was served by. */
function faultOf({ slot, build, next }: Candidate): HostError | undefined {
  const { surface, instance } = next.record
  const before = slot.current?.record.surface
  if (next.fault || !build.isEdit || !surface || !before) return next.fault
  const faults = surface.leftOut.flatMap((one) => {
    const served = { tool: before.tools, prompt: before.prompts, resource: before.resources }[one.kind]
    return served.some(({ name }) => name === one.name) ? one.faults : []
  })
  return faults.length > 0 ? hostError('PLUGIN_CONTRACT', { plugin: instance, faults }) : undefined
}

function fateOf({ slot, build, next }: Candidate, isTaken: boolean): ReturnType<typeof decideBuild> {
  return decideBuild({
    serves: canServe(slot.current?.record),
    isTaken,
    hasFault: faultOf({ slot, build, next }) !== undefined,
    isLive: next.record.live !== undefined,
    hasError: next.error !== undefined,
    isEdit: build.isEdit,
  })
}

function canServe(record: PluginRecord | undefined): record is PluginRecord & { live: LivePlugin } {
  return record?.live !== undefined && record.live.running.isBroken !== true
}

/** A refused candidate leaves its old version in place, whose names then stand against the others: again until nothing changes. */
function findAllCollisions(
  slots: readonly Slot[],
  candidates: readonly Candidate[],
  readersOf: ReadersOf,
): ReadonlyMap<PluginRecord, Error> {
  const refused = new Map<PluginRecord, Error>()
  for (;;) {
    const open = candidates.filter(
      (candidate) =>
        candidate.next.record.state !== 'failed' && fateOf(candidate, false) !== 'keep' && !refused.has(candidate.next.record),
    )
    const replaced = new Set(open.map(({ slot }) => slot))
    const serving = slots.flatMap((slot) => (!replaced.has(slot) && slot.current ? [slot.current.record] : []))
    const next = open.map((candidate) => candidate.next.record)
    const found = findCollisions(serving, next)
    if (found.size > 0) {
      for (const [record, error] of found) refused.set(record, error)
      continue
    }
    const shared = sharedVariables(serving, next, readersOf)
    if (shared.size === 0) return refused
    for (const [record, error] of shared) refused.set(record, error)
  }
}

/** Which variables are read for a plugin; without one, for the host itself. */
export type ReadersOf = (record: PluginRecord | undefined) => readonly EnvironmentReader[]

/** Every candidate that reads a variable which something else reads too: whose secret it holds is not guessed, so neither gets it. */
function sharedVariables(
  serving: readonly PluginRecord[],
  candidates: readonly PluginRecord[],
  readersOf: ReadersOf,
): ReadonlyMap<PluginRecord, Error> {
  const shared = findSharedVariables([undefined, ...serving, ...candidates].flatMap(readersOf))
  if (shared.length === 0) return new Map()
  return new Map(
    candidates.flatMap((record) => {
      const own = new Set(readersOf(record).map(({ variable, reader }) => `${variable} ${reader}`))
      const error = collisionError(
        shared.filter(({ variable, readers }) => readers.some(({ reader }) => own.has(`${variable} ${reader}`))),
      )
      return error ? [[record, error] as const] : []
    }),
  )
}

function withRecord(activation: Activation, record: PluginRecord): Activation {
  return { ...activation, record }
}

/** What is left of a record whose version will not serve. */
function failedRecord({ instance, entry, version }: PluginRecord): PluginRecord {
  return { instance, entry, state: 'failed', ...(version === undefined ? {} : { version }) }
}

const loadingRecords = new WeakMap<Slot, PluginRecord>()

/** The same object each time, so that a publish with nothing new is seen as such. */
function loadingRecord(slot: Slot): PluginRecord {
  const known = loadingRecords.get(slot)
  if (known && known.entry === slot.entry) return known
  const { as, use } = slot.entry
  const record: PluginRecord = {
    instance: as ?? (typeof use === 'string' ? nameFromSpecifier(use) : use.name),
    entry: slot.entry,
    state: 'loading',
  }
  loadingRecords.set(slot, record)
  return record
}
