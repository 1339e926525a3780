import type { Logger } from '@mcp-patchbay/plugin-api'
import type { PluginEntry } from '../config/schema.ts'
import { hostError } from '../errors.ts'
import type { Activation } from './activate.ts'
import { createDrains, type DrainedVersion } from './drain.ts'
import { planPublish } from './plan.ts'
import type { PluginRecord } from './plugin-record.ts'
import { specifierOf } from './resolve.ts'
import { createSlot, isTouched, sameVersion, slotKeys, type Build, type Slot } from './slot.ts'

/** Builds, publishes and drains versions of plugins. One for a host. */
export interface Reloader extends AsyncDisposable {
  /** The records in the order of the config, as they are published. */
  readonly records: readonly PluginRecord[]
  /**
   * Brings the plugins to what `entries` says and to what is on disk. A plugin whose entry is new or differs, or whose files are among
   * `changed`, is built beside the version that serves; then everything is published at once and the old versions drain. Resolves when
   * that is published. A plugin slower than `patienceMs` is published by itself when it is done.
   */
  apply(change: Change): Promise<void>
  /** What the newest versions were built from. */
  watched(): Sources
}

export interface Sources {
  readonly files: ReadonlySet<string>
  /** The folders of the plugins. */
  readonly roots: ReadonlySet<string>
  /** Those of plugins that failed, where any change may mend them. */
  readonly open: ReadonlySet<string>
}

export interface Change {
  readonly entries: readonly PluginEntry[]
  /** Real paths of files that may have changed; their contents decide. */
  readonly changed?: ReadonlySet<string>
  /** Builds every plugin anew: the environment changed. */
  readonly all?: boolean
}

export interface ReloadOptions {
  readonly log: Logger
  readonly drainMs: () => number
  /** How long a publish waits for the slowest plugin of a change. */
  readonly patienceMs: number
  /** How long a failed attempt waits for a newer change before it is believed: the file may have been half written. */
  readonly graceMs: number
  readonly now: () => number
  readonly activate: (entry: PluginEntry, signal: AbortSignal) => Promise<Activation>
  /** Makes the records current, in one step; gives the generation. */
  readonly publish: (records: readonly PluginRecord[]) => number
  readonly onReload?: (report: ReloadReport) => void
  readonly onDrained?: (report: DrainedVersion) => void
}

/** What became of one plugin in one publish. `kept`: the attempt failed and the version before goes on. */
export interface ReloadReport {
  readonly instance: string
  readonly generation: number
  readonly outcome: 'added' | 'replaced' | 'removed' | 'kept'
  /** From the change to the publish. */
  readonly ms: number
  readonly before: PluginRecord | undefined
  /** For `kept`, the record of the attempt that failed. */
  readonly after: PluginRecord | undefined
}

export function createReloader(options: ReloadOptions): Reloader {
  const { log, now } = options
  const drains = createDrains({
    log,
    drainMs: options.drainMs,
    reason: (plugin, drainMs) => hostError('PLUGIN_RELOADED', { plugin, drainMs }),
    ...(options.onDrained ? { onDrained: options.onDrained } : {}),
  })
  let slots: ReadonlyMap<string, Slot> = new Map()
  let records: readonly PluginRecord[] | undefined
  let closed = false

  function build(slot: Slot, mayBeHalfWritten: boolean): Build {
    // The last change wins: an attempt that is under way has read files that are old now.
    slot.building?.controller.abort()
    const controller = new AbortController()
    const attempt: Build = { controller, startedAt: now(), result: undefined, done: run() }
    slot.building = attempt
    return attempt

    async function run(): Promise<void> {
      const activation = await options.activate(slot.entry, controller.signal)
      if (activation.record.state === 'failed' && mayBeHalfWritten && slot.current?.record.live)
        await pause(options.graceMs, controller.signal)
      if (slot.building !== attempt) return drains.start(activation, 0)
      attempt.result = activation
      slot.newest = activation
    }
  }

  /** Publishes every build that is done, and what was removed, as one generation. */
  function commit(removed: readonly Slot[]): void {
    const plan = planPublish([...slots.values()])
    const next = plan.records
    const isSame = records?.length === next.length && next.every((record, index) => record === records?.[index])
    if (isSame) return
    records = Object.freeze(next)
    const generation = options.publish(records)
    for (const { outcome, before, after, startedAt, error } of plan.changes) {
      if (error !== undefined)
        log.error('plugin_failed', {
          plugin: after.instance,
          use: specifierOf(after.entry),
          reason: after.reason?.message,
          code: after.reason?.code,
          error,
        })
      options.onReload?.({ instance: after.instance, generation, outcome, ms: now() - startedAt, before, after })
    }
    for (const { current } of removed)
      if (current)
        options.onReload?.({
          instance: current.record.instance,
          generation,
          outcome: 'removed',
          ms: 0,
          before: current.record,
          after: undefined,
        })
    for (const { activation, generation: old } of plan.superseded) drains.start(activation, old)
    for (const { current, generation: old } of removed) if (current) drains.start(current, old)
    for (const slot of plan.published) slot.generation = generation
  }

  return {
    get records() {
      return records ?? []
    },
    async apply({ entries, changed = new Set(), all = false }) {
      if (closed) return
      const keys = slotKeys(entries)
      const next = new Map<string, Slot>()
      const builds: Build[] = []
      entries.forEach((entry, index) => {
        const key = keys[index] ?? ''
        const slot = slots.get(key) ?? createSlot(entry)
        const isNew = !slot.newest && !slot.building
        const isStale = isNew || all || isTouched(slot, changed) || !sameVersion(slot.entry, entry)
        slot.entry = entry
        next.set(key, slot)
        if (isStale) builds.push(build(slot, changed.size > 0))
      })
      const removed = [...slots].flatMap(([key, slot]) => (next.has(key) ? [] : [slot]))
      for (const slot of removed) {
        slot.building?.controller.abort()
        slot.building = undefined
      }
      slots = next
      const isSlow = await takesLonger(Promise.all(builds.map(({ done }) => done)), options.patienceMs)
      if (closed) return
      commit(removed)
      if (isSlow) for (const { done } of builds) void done.then(() => closed || commit([]))
    },
    watched() {
      const newest = [...slots.values()].flatMap((slot) => slot.newest ?? [])
      const rootsOf = (activations: readonly Activation[]) => new Set(activations.flatMap(({ root }) => root ?? []))
      return {
        files: new Set(newest.flatMap(({ digests }) => [...digests.keys()])),
        roots: rootsOf(newest),
        open: rootsOf(newest.filter(({ record }) => record.state === 'failed')),
      }
    },
    async [Symbol.asyncDispose]() {
      closed = true
      for (const slot of slots.values()) {
        slot.building?.controller.abort()
        slot.building = undefined
        if (slot.current) drains.start(slot.current, slot.generation)
      }
      await drains.finished()
    },
  }
}

async function takesLonger(work: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<true>()
  const timer = setTimeout(() => resolve(true), ms)
  try {
    return await Promise.race([work.then(() => false), promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Waits, or less long when `signal` aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (signal.aborted) resolve()
  const timer = setTimeout(resolve, ms)
  signal.addEventListener('abort', () => resolve(), { once: true })
  return promise.finally(() => clearTimeout(timer))
}
