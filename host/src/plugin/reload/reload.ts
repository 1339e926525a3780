import { existsSync } from 'node:fs'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { PluginEntry } from '../../config/schema/schema.ts'
import { hostError } from '../../errors.ts'
import type { Activation } from '../activation.ts'
import { createDrains, type DrainedVersion } from './drain.ts'
import type { ReleasedVersion } from './leak-detector.ts'
import { isInPackages } from '../../modules/source.ts'
import { pause, standsStill } from '../../data/pause.ts'
import { planPublish, type ReadersOf } from './plan.ts'
import type { PluginRecord } from '../run/plugin-record.ts'
import { reasonOf } from '../run/reason.ts'
import type { Link } from './follow-links.ts'
import type { WatchedGlobs } from '../source/surroundings.ts'
import { logReload, type ReloadReport } from './reload-report.ts'
import {
  createSlot,
  hasOtherConfigFiles,
  isTouched,
  readsVariable,
  sameEntry,
  sameVersion,
  slotKeys,
  type Build,
  type Slot,
} from './slot.ts'
import { surfaceChanges } from './surface-changes.ts'

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
  /** Publishes every plugin whose running version has given up as `failed`, until it is built anew. */
  retireFailed(): void
  /** What the newest versions were built from. */
  watched(): Sources
}

export interface Sources {
  readonly files: ReadonlySet<string>
  /** What values of their configs were read from. */
  readonly configFiles: ReadonlySet<string>
  /** The folders of the plugins. */
  readonly roots: ReadonlySet<string>
  /** The same folders of those that run in this process, with the name of the plugin. */
  readonly owners: ReadonlyMap<string, string>
  /** Those of plugins that failed, where any change may mend them. */
  readonly open: ReadonlySet<string>
  /** Paths that lead to plugins, or to their files, through a link. */
  readonly links: ReadonlyMap<string, Link>
  /** Folders in which a new file of code may be one of a plugin. */
  readonly folders: ReadonlySet<string>
  /** Folders in which any new file may be. */
  readonly listed: ReadonlySet<string>
  /** What plugins and entries name under `watch`. */
  readonly globs: readonly WatchedGlobs[]
}

export interface Change {
  readonly entries: readonly PluginEntry[]
  /** Real paths of files that may have changed; their contents decide. */
  readonly changed?: ReadonlySet<string>
  /** Environment variables that are set to something else: builds the plugins that read them. */
  readonly variables?: ReadonlySet<string>
  /** Builds every plugin anew, or those whose record it picks. */
  readonly all?: boolean | ((record: PluginRecord) => boolean)
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
  let slots: ReadonlyMap<string, Slot> = new Map()
  /** Slots whose entry is gone, until a publish has said so. */
  let leaving: Slot[] = []
  let records: readonly PluginRecord[] | undefined
  let closed = false
  const life = new AbortController()

  function build(slot: Slot, { isEdit, turn }: { isEdit: boolean; turn?: Promise<unknown> | undefined }): Build {
    // The last change wins: an attempt that is under way has read files that are old now.
    slot.building?.controller.abort()
    const controller = new AbortController()
    const attempt: Build = { controller, startedAt: now(), isEdit, result: undefined, done: run() }
    slot.building = attempt
    return attempt

    async function run(): Promise<void> {
      await turn
      if (slot.building !== attempt) return
      const activation = await options.activate(slot.entry, controller.signal)
      if (slot.building !== attempt) return drains.start(activation, 0)
      // From here on a change of what it read, or looked for, is noticed.
      slot.newest = activation
      if (activation.record.live === undefined && slot.current?.record.live) {
        await pause(options.graceMs, controller.signal)
        if (slot.building !== attempt) return drains.start(activation, 0)
      }
      attempt.result = activation
    }
  }

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
      ...plan.changes.map(({ outcome, before, after, startedAt, error, previous }): [ReloadReport, unknown] => [
        {
          instance: after.instance,
          generation,
          outcome,
          previous,
          before,
          after,
          ...measured(startedAt, before, after, outcome),
        },
        error,
      ]),
      ...removed.flatMap(({ current, generation: previous }): [ReloadReport, unknown][] => {
        if (!current) return []
        const { record: before } = current
        const changes = surfaceChanges(before, undefined)
        return [
          [
            { instance: before.instance, generation, outcome: 'removed', ms: 0, changes, previous, before, after: undefined },
            undefined,
          ],
        ]
      }),
    ]
    for (const [report, error] of reports) {
      if (!isFirst || error !== undefined || report.after?.state === 'unconfigured') logReload(log, report, error)
      options.onReload?.(report)
    }
    for (const { activation, generation: old } of plan.superseded) drains.start(activation, old)
    for (const { current, generation: old } of removed) if (current) drains.start(current, old)
    for (const slot of plan.published) slot.generation = generation
  }

  /** Builds and publishes these together; the slow ones when each is done. */
  async function rebuild(stale: readonly { readonly slot: Slot; readonly isEdit: boolean }[], round = 0): Promise<void> {
    const builds: { readonly slot: Slot; readonly done: Promise<void> }[] = []
    let turn: Promise<unknown> | undefined
    for (const { slot, isEdit } of stale) {
      const { done } = build(slot, { isEdit, turn })
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
    const isOutdated = (slot: Slot) =>
      !slot.building &&
      slot.newest !== undefined &&
      !hasGone(slot.newest) &&
      (isTouched(slot, ownFiles(slot.newest)) || hasOtherConfigFiles(slot)) &&
      isServed(slot)
    if (!built.some(isOutdated)) return
    if (round > 0) await pause(options.graceMs * 2 ** Math.min(round - 1, 2), life.signal)
    const outdated = built.filter(isOutdated)
    if (!closed && outdated.length > 0)
      await rebuild(
        outdated.map((slot) => ({ slot, isEdit: true })),
        round + 1,
      )
  }

  const isServed = (slot: Slot) => [...slots.values()].includes(slot)

  function measured(startedAt: number, before: PluginRecord | undefined, after: PluginRecord, outcome: string) {
    return { ms: now() - startedAt, changes: surfaceChanges(before, outcome === 'kept' ? before : after) }
  }

  return {
    get records() {
      return records ?? []
    },
    async apply({ entries, changed = new Set(), variables = new Set(), all = false }) {
      if (closed) return
      const keys = slotKeys(entries)
      const next = new Map<string, Slot>()
      const stale: { slot: Slot; isEdit: boolean }[] = []
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
      for (const [key, slot] of slots) {
        if (next.has(key)) continue
        slot.building?.controller.abort()
        slot.building = undefined
        leaving.push(slot)
      }
      slots = next
      await rebuild(stale)
    },
    retireFailed() {
      if (closed) return
      for (const slot of slots.values()) {
        const error = slot.current?.record.live?.running.failure
        if (!slot.current || !error) continue
        const failed = failedActivation(slot.current, error)
        drains.start(slot.current, slot.generation)
        if (slot.newest === slot.current) slot.newest = failed
        slot.current = failed
        log.error('plugin_failed', { plugin: failed.record.instance, error })
      }
      commit()
    },
    watched() {
      const newest = [...slots.values()].flatMap((slot) => slot.newest ?? [])
      const rootsOf = (activations: readonly Activation[]) => new Set(activations.flatMap(({ root }) => root ?? []))
      return {
        files: new Set(newest.flatMap(({ digests }) => [...digests.keys()])),
        configFiles: new Set(newest.flatMap(({ configFiles }) => [...configFiles.keys()])),
        roots: rootsOf(newest),
        owners: new Map(
          newest.flatMap(({ root, record }) =>
            root !== undefined && record.entry.isolation === 'inline' ? [[root, record.instance] as const] : [],
          ),
        ),
        open: rootsOf(newest.filter(({ record }) => record.state === 'failed')),
        links: new Map(
          newest.flatMap((of) => Array.from(of.surroundings.links, ([path, led]): [string, Link] => [path, { led, of }])),
        ),
        folders: new Set(newest.flatMap(({ surroundings }) => [...surroundings.folders.keys()])),
        listed: new Set(newest.flatMap(({ surroundings }) => [...surroundings.listed.keys()])),
        globs: newest.flatMap(({ surroundings }) => surroundings.globs ?? []),
      }
    },
    async [Symbol.asyncDispose]() {
      closed = true
      life.abort()
      const all = [...slots.values(), ...leaving]
      const builds = all.flatMap(({ building }) => building ?? [])
      for (const slot of all) {
        slot.building?.controller.abort()
        slot.building = undefined
        if (slot.current) drains.start(slot.current, slot.generation)
      }
      // What was being built is disposed as well, once it is there.
      await Promise.all(builds.map(({ done }) => done))
      await drains.finished()
    },
  }
}

/** What people edit, without the packages that it brings: to read thousands of files again would take longer than the reload. */
function ownFiles({ digests, root = '' }: Activation): ReadonlySet<string> {
  return new Set([...digests.keys()].filter((file) => !isInPackages(file.startsWith(root) ? file.slice(root.length) : file)))
}

/** A plugin that went as a whole is the watcher's to tell: it may be removed, or away for a while. */
function hasGone({ root }: Activation): boolean {
  return root !== undefined && !existsSync(root)
}

/** More plugins than this at once are built in turn, each at latest so long after the one before. */
const MANY = 4
const TURN_MS = 50

/** What is left of a version that serves nobody any more. */
function failedActivation({ record, digests, configFiles, root, surroundings }: Activation, error: Error): Activation {
  const { instance, entry, version } = record
  return {
    record: { instance, entry, state: 'failed', reason: reasonOf(error), ...(version === undefined ? {} : { version }) },
    digests: new Map(digests),
    configFiles,
    root,
    surroundings,
    error,
    traces: [],
    release() {},
  }
}

function isPicked({ newest }: Slot, all: NonNullable<Change['all']>): boolean {
  return typeof all === 'boolean' ? all : newest !== undefined && all(newest.record)
}
