import type { Logger } from '@mcp-patchbay/plugin-api'
import type { HostMetrics } from '../../observability/metrics.ts'
import type { PluginRecord } from '../run/plugin-record.ts'
import { specifierOf } from '../source/resolve-entry.ts'
import type { PlannedChange } from './plan.ts'
import { surfaceChanges, type SurfaceChanges } from './surface-changes.ts'

/** What became of one plugin in one publish. `kept`: the attempt failed and the version before goes on. */
export interface ReloadReport {
  readonly instance: string
  readonly generation: number
  readonly outcome: 'added' | 'replaced' | 'removed' | 'kept'
  /** From the change to the publish. */
  readonly ms: number
  /** How many tools, prompts and resources are others. */
  readonly changes: SurfaceChanges
  /** For `replaced` and `removed`, the generation that `before` was published with: what its drain will be reported under. */
  readonly previous: number
  readonly before: PluginRecord | undefined
  /** For `kept`, the record of the attempt that failed. */
  readonly after: PluginRecord | undefined
}

/** A report, and what the plugin failed with, whole. */
export interface Reported {
  readonly report: ReloadReport
  readonly error: unknown
}

export function reportChange(
  { outcome, before, after, startedAt, error, previous }: PlannedChange,
  { generation, now }: { readonly generation: number; readonly now: number },
): Reported {
  const { instance } = after
  const changes = surfaceChanges(before, outcome === 'kept' ? before : after)
  return { report: { instance, generation, outcome, ms: now - startedAt, changes, previous, before, after }, error }
}

export function reportRemoval(
  before: PluginRecord,
  { generation, previous }: { readonly generation: number; readonly previous: number },
): Reported {
  const { instance } = before
  const changes = surfaceChanges(before, undefined)
  return {
    report: { instance, generation, outcome: 'removed', ms: 0, changes, previous, before, after: undefined },
    error: undefined,
  }
}

/** Writes one line to the log about what became of a plugin; `error` is what it failed with, whole. */
export function logReload(
  log: Logger,
  { instance, generation, outcome, ms, changes, after }: ReloadReport,
  error: unknown,
): void {
  if (outcome === 'removed') return log.info('plugin_removed', { plugin: instance, generation })
  if (!after) return
  const why = { reason: after.reason?.message, code: after.reason?.code, at: after.reason?.at, fix: after.reason?.fix }
  if (outcome === 'kept') log.error('plugin_kept', { plugin: instance, generation, ...why, error })
  else if (after.state === 'unconfigured') log.warn('plugin_unconfigured', { plugin: instance, ...why })
  else if (error !== undefined) log.error('plugin_failed', { plugin: instance, use: specifierOf(after.entry), ...why, error })
  else
    log.info(outcome === 'added' ? 'plugin_added' : 'plugin_reloaded', {
      plugin: instance,
      generation,
      ms: Math.round(ms * 10) / 10,
      ...changes,
    })
}

/** Counts what became of one plugin; one that is removed takes its series with it. */
export function countReload(
  metrics: Pick<HostMetrics, 'reload' | 'forget'>,
  { instance, outcome, after, ms }: ReloadReport,
): void {
  if (after) metrics.reload({ plugin: instance, outcome: outcome === 'kept' ? 'failed' : 'published' }, ms)
  if (outcome === 'removed') metrics.forget(instance)
}
