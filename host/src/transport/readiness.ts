import type { HostError } from '../errors.ts'
import type { Snapshot } from '../server/catalog/snapshot.ts'
import { fullName } from '../plugin/run/names.ts'
import type { PluginReason } from '../plugin/run/plugin-record.ts'

/** Whether traffic should come, and what is wrong although it should. */
export interface Readiness {
  readonly ready: boolean
  readonly draining: boolean
  readonly generation: number
  /** Every plugin that does not serve as it should; an active one is here when its newest version could not replace it. */
  readonly degraded: readonly DegradedPlugin[]
  /** What is in the folders of `pluginDirs` and is not served, with why. */
  readonly ignored?: readonly string[]
  /** What the config asks for and this installation cannot do. */
  readonly missing?: { readonly code: string; readonly reason: string; readonly fix: readonly string[] }
}

export interface DegradedPlugin {
  readonly plugin: string
  readonly state: string
  readonly required: boolean
  readonly code?: string
  readonly reason?: string
  /** Of an active plugin: why the newest version could not replace the one that serves, with the place in the code where there is one. */
  readonly reloadError?: PluginReason
  /** Tools, as clients would see them, that are not what mcp.lock.json pins: not listed, and a call of them gets `TOOL_UNKNOWN`. */
  readonly quarantined?: readonly string[]
  /** Tools and prompts, as clients would see them, that are not served because their schemas cannot be used. */
  readonly leftOut?: readonly string[]
}

/**
 * Not ready while draining, while something is missing that the config names, while a required plugin is not active, and when there are
 * plugins, or what may be meant as one, but none is active. A plugin that is merely degraded is named and changes nothing: the others serve.
 */
export function readiness({ generation, plugins, ignored }: Snapshot, draining: boolean, missing?: HostError): Readiness {
  const degraded = plugins
    .filter(
      ({ state, reloadError, othersQuarantined, surface }) =>
        state !== 'active' || reloadError !== undefined || othersQuarantined !== undefined || Boolean(surface?.leftOut.length),
    )
    .map(({ instance, state, entry, reason, reloadError, quarantined, surface }): DegradedPlugin => {
      const why = reason ?? reloadError
      return {
        plugin: instance,
        state,
        required: entry.required,
        ...(why && { code: why.code, reason: why.message }),
        ...(reloadError && { reloadError }),
        ...(surface?.leftOut.length && { leftOut: surface.leftOut.map(({ name }) => fullName(instance, name)) }),
        ...(quarantined && { quarantined: Array.from(quarantined, (tool) => fullName(instance, tool)) }),
      }
    })
  const active = plugins.filter(({ state }) => state === 'active')
  const isDown =
    degraded.some(({ required, state }) => required && state !== 'active') ||
    (plugins.length + ignored.length > 0 && active.length === 0)
  const reasons = ignored.map(({ message }) => message)
  return {
    ready: !draining && !isDown && missing === undefined,
    draining,
    generation,
    degraded,
    ...(reasons.length > 0 && { ignored: reasons }),
    ...(missing && { missing: { code: missing.code, reason: missing.message, fix: missing.fix } }),
  }
}
