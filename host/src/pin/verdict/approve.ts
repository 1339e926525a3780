import type { ObservedInstall, ObservedSurface } from '../difference/compare.ts'
import type { LockedPlugin } from '../lock/lock.ts'
import { combineSurface } from '../surface.ts'

/** What the lock says once a person approves the plugin whole, as it was observed. */
export function lockEntry({ source: _source, ...install }: ObservedInstall, surface: ObservedSurface): LockedPlugin {
  const { apiVersion, tools, surface: digest } = surface
  return { ...install, apiVersion, surface: digest, tools }
}

/**
 * What the lock says once a person approves one tool as it was observed, or its absence. All other pins stay. Resources and prompts
 * that had changed as well stay unapproved.
 */
export function approveTool(locked: LockedPlugin, surface: ObservedSurface, tool: string): LockedPlugin {
  const { [tool]: _former, ...kept } = locked.tools
  const { [tool]: now } = surface.tools
  const tools = now === undefined ? kept : { ...kept, [tool]: now }
  const othersApproved = combineSurface(locked.tools, surface.others) === locked.surface
  return { ...locked, tools, surface: othersApproved ? combineSurface(tools, surface.others) : locked.surface }
}
