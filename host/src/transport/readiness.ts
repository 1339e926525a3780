import type { Snapshot } from '../server/snapshot.ts'
import type { PluginReason } from '../service/plugin-record.ts'

/** Whether traffic should come, and what is wrong although it should. */
export interface Readiness {
  readonly ready: boolean
  readonly draining: boolean
  readonly generation: number
  /** Every plugin that does not serve as it should; an active one is here when its newest version could not replace it. */
  readonly degraded: readonly DegradedPlugin[]
}

export interface DegradedPlugin {
  readonly plugin: string
  readonly state: string
  readonly required: boolean
  readonly code?: string
  readonly reason?: string
  /** Of an active plugin: why the newest version could not replace the one that serves, with the place in the code where there is one. */
  readonly reloadError?: PluginReason
}

/**
 * Not ready while draining, while a required plugin is not active, and when there are plugins but none is active. A plugin that is
 * merely degraded is named and changes nothing: the others serve.
 */
export function readiness({ generation, plugins }: Snapshot, draining: boolean): Readiness {
  const degraded = plugins
    .filter(({ state, reloadError }) => state !== 'active' || reloadError !== undefined)
    .map(({ instance, state, entry, reason, reloadError }): DegradedPlugin => {
      const why = reason ?? reloadError
      return {
        plugin: instance,
        state,
        required: entry.required,
        ...(why && { code: why.code, reason: why.message }),
        ...(reloadError && { reloadError }),
      }
    })
  const active = plugins.filter(({ state }) => state === 'active')
  const isDown =
    degraded.some(({ required, state }) => required && state !== 'active') || (plugins.length > 0 && active.length === 0)
  return { ready: !draining && !isDown, draining, generation, degraded }
}
