import type { Logger } from '@mcp-patchbay/plugin-api'
import type { PluginEntry } from '../../config/schema/schema.ts'
import { hostError } from '../../errors.ts'
import type { Activation } from '../activation.ts'
import { buildVersion, stopBuilding } from './build-version.ts'
import { createDrains, type DrainedVersion } from './drain.ts'
import type { ReleasedVersion } from './leak-detector.ts'
import { pause, standsStill } from '../../data/async.ts'
import { planPublish, type ReadersOf } from './plan.ts'
import type { PluginRecord } from '../run/plugin-record.ts'
import { logReload, reportChange, reportRemoval, type ReloadReport } from './reload-report.ts'
import { isOutdated, retire, type Slot } from './slot.ts'
import { sourcesOf, type Sources } from './sources.ts'
import { selectStale, type Change, type Stale } from './stale.ts'

/** Builds, publishes and drains versions of plugins. One for a host. */
export interface Reloader extends AsyncDisposable {
  /** The records in the order of the config, as they are published. */
  readonly records: readonly PluginRecord[]
  /**
   * Brings the plugins to what `entries` says and to what is on disk. A plugin whose entry is new or differs, or whose files are among
   * `changed`, is built beside the version that serves; then everything is published at once and the old versions drain. Resolves when
   * that is published. A plugin slower than that waits is published by itself when it is done.
   */
  apply(change: Change): Promise<void>
  /** Publishes every plugin whose running version has given up as `failed`, until it is built again. */
  retireFailed(): void
  /** What the newest versions were built from. */
  watched(): Sources
}

export interface ReloadOptions {
  readonly log: Logger
  readonly drainMs: () => number
  /** How long the first publish waits while no plugin becomes ready; Infinity for all of them. */
  readonly startPatienceMs: number
  /** The same for the publishes after it: many plugins that share a file are one generation. */
  readonly patienceMs: number
  /** How long a failed attempt waits for a newer change before it is believed: the file may have been half written. */
  readonly graceMs: number
  readonly now: () => number
  readonly activate: (entry: PluginEntry, signal: AbortSignal) => Promise<Activation>
  /** Makes the records current, in one step; gives the generation. */
  readonly publish: (records: readonly PluginRecord[]) => number
  /** No variable may be read for two things. */
  readonly readersOf?: ReadersOf
  readonly onReload?: (report: ReloadReport) => void
  readonly onDrained?: (report: DrainedVersion) => void
  /** A version is drained, or was never published: frees what the host keeps for it. */
  readonly onRelease?: (record: PluginRecord) => void
  /** A version was drained and its modules released. */
  readonly onReleased?: (version: ReleasedVersion) => void
}

export function createReloader(options: ReloadOptions): Reloader {
  const { log, now } = options
  const drains = createDrains({
    log,
    drainMs: options.drainMs,
    reason: (plugin, drainMs) => hostError('PLUGIN_RELOADED', { plugin, drainMs }),
    ...(options.onDrained ? { onDrained: options.onDrained } : {}),
    ...(options.onRelease ? { onRelease: options.onRelease } : {}),
    ...(options.onReleased ? { onReleased: options.onReleased } : {}),
  })
  const building = { activate: options.activate, graceMs: options.graceMs, now, drains }
  let slots: ReadonlyMap<string, Slot> = new Map()
  /** Slots whose entry is gone, until a publish has said so. */
  let leaving: Slot[] = []
  let records: readonly PluginRecord[] | undefined
  let closed = false
  const life = new AbortController()

  /** Publishes every build that is done, and what was removed, as one generation. */
  function commit(): void {
    const plan = planPublish([...slots.values()], options.readersOf)
    const removed = leaving
    leaving = []
    const next = plan.records
    const isSame = records?.length === next.length && next.every((record, index) => record === records?.[index])
    if (isSame && removed.length === 0) return
    const isFirst = records === undefined
    records = Object.freeze(next)
    const generation = options.publish(records)
    const reports = [
      ...plan.changes.map((change) => reportChange(change, { generation, now: now() })),
      ...removed.flatMap(({ current, generation: previous }) =>
        current ? [reportRemoval(current.record, { generation, previous })] : [],
      ),
    ]
    for (const { report, error } of reports) {
      if (!isFirst || error !== undefined || report.after?.state === 'unconfigured') logReload(log, report, error)
      options.onReload?.(report)
    }
    for (const { activation, generation: old } of plan.superseded) drains.start(activation, old)
    for (const { current, generation: old } of removed) if (current) drains.start(current, old)
    for (const slot of plan.published) slot.generation = generation
  }

  /** Builds and publishes these together; the slow ones when each is done. */
  async function rebuild(stale: readonly Stale[], round = 0): Promise<void> {
    const builds: { readonly slot: Slot; readonly done: Promise<void> }[] = []
    let turn: Promise<unknown> | undefined
    for (const { slot, isEdit } of stale) {
      const { done } = buildVersion(slot, { isEdit, turn }, building)
      builds.push({ slot, done })
      // What is ready first does not wait for the last, and what hangs does not hold up the rest for long.
      if (records && stale.length > MANY)
        turn = Promise.resolve(turn).then(() => Promise.race([done, pause(TURN_MS, life.signal)]))
    }
    const patienceMs = records ? options.patienceMs : options.startPatienceMs
    const isSlow = await standsStill(
      builds.map(({ done }) => done),
      patienceMs,
    )
    if (closed) return
    commit()
    if (!isSlow)
      return rebuildOutdated(
        builds.map(({ slot }) => slot),
        round,
      )
    let late: Slot[] = []
    const commitLate = (): void => {
      const slots = late
      late = []
      if (closed) return
      commit()
      void rebuildOutdated(slots, round)
    }
    for (const { slot, done } of builds)
      void done.then(() => {
        if (late.push(slot) === 1) setImmediate(commitLate)
      })
  }

  /**
   * A file that changed while it was being built made its event too early: what was built is compared with the disk once more. In a
   * storm that would go round without a rest, so each round waits longer, and finds built what the watcher has noticed meanwhile.
   */
  async function rebuildOutdated(built: readonly Slot[], round: number): Promise<void> {
    const isStale = (slot: Slot) => isOutdated(slot) && isServed(slot)
    if (!built.some(isStale)) return
    if (round > 0) await pause(options.graceMs * 2 ** Math.min(round - 1, 2), life.signal)
    const outdated = built.filter(isStale)
    if (!closed && outdated.length > 0)
      await rebuild(
        outdated.map((slot) => ({ slot, isEdit: true })),
        round + 1,
      )
  }

  const isServed = (slot: Slot) => [...slots.values()].includes(slot)

  return {
    get records() {
      return records ?? []
    },
    async apply(change) {
      if (closed) return
      const { next, stale } = selectStale(slots, change)
      for (const [key, slot] of slots) {
        if (next.has(key)) continue
        stopBuilding(slot)
        leaving.push(slot)
      }
      slots = next
      await rebuild(stale)
    },
    retireFailed() {
      if (closed) return
      for (const slot of slots.values()) {
        const failed = retire(slot)
        if (!failed) continue
        const { activation, error } = failed
        drains.start(activation, slot.generation)
        log.error('plugin_failed', { plugin: activation.record.instance, error })
      }
      commit()
    },
    watched: () => sourcesOf([...slots.values()].flatMap((slot) => slot.newest ?? [])),
    async [Symbol.asyncDispose]() {
      closed = true
      life.abort()
      const all = [...slots.values(), ...leaving]
      const builds = all.flatMap(({ building }) => building ?? [])
      for (const slot of all) {
        stopBuilding(slot)
        if (slot.current) drains.start(slot.current, slot.generation)
      }
      // What was being built is disposed as well, once it is there.
      await Promise.all(builds.map(({ done }) => done))
      await drains.finished()
    },
  }
}

/** More plugins than this at once are built in turn, each at latest so long after the one before. */
const MANY = 4
const TURN_MS = 50
