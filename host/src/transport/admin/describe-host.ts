import packageJson from '../../../package.json' with { type: 'json' }
import { specifierOf } from '../../plugin/source/resolve-entry.ts'
import type { Caller } from '../../server/catalog/caller.ts'
import { listHost, type HostListing } from '../../server/catalog/operator/listing.ts'
import { explainReach, type ReachedExplanation } from '../../server/catalog/reach.ts'
import type { SnapshotTool } from '../../server/catalog/snapshot.ts'
import { viewOf, type View } from '../../server/catalog/view.ts'
import { refusal, type RefusalCode } from '../../server/catalog/visibility.ts'
import type { AdminHost, AdminProject } from './types.ts'

/** What a host is, and what can be done with it here. */
export interface HostStatus {
  readonly version: string
  readonly generation: number
  readonly deployment: string
  readonly frozen: boolean
  readonly readOnly: boolean
  readonly draining: boolean
  /** Where MCP clients connect; null for a host on stdio alone. */
  readonly url: string | null
  /** The config file; null for a host that was made without one. */
  readonly config: string | null
  readonly watching: boolean
}

export function describeStatus(
  { registry, config, isDraining }: Pick<AdminHost, 'registry' | 'config' | 'isDraining'>,
  { project, url }: { readonly project: AdminProject | undefined; readonly url: string | undefined },
): HostStatus {
  const { deployment, frozen, readOnly } = config()
  return {
    version: packageJson.version,
    generation: registry.current.generation,
    deployment,
    frozen,
    readOnly,
    draining: isDraining(),
    url: url ?? null,
    config: project?.file ?? null,
    watching: project?.isWatching ?? false,
  }
}

/** What `patchbay list --json` prints, as `caller` sees it. */
export function describePlugins(
  { registry, warnings, lockProblem }: Pick<AdminHost, 'registry' | 'warnings' | 'lockProblem'>,
  caller: Caller,
): HostListing {
  return { ...listHost(registry.current, caller), warnings: warnings(), lockProblem: lockProblem() }
}

/** One tool in a list: without its schemas, which are many times the rest. */
export interface ToolBrief {
  readonly name: string
  readonly title: string | null
  readonly description: string
  /** Null for the host's own, such as `tools_search`. */
  readonly plugin: string | null
  readonly access: 'read' | 'write'
  readonly approval: boolean
  readonly tags: readonly string[]
  readonly visible: boolean
  readonly hiddenBy: RefusalCode | null
  /** False for one that is only found by `tools_search`. */
  readonly listed: boolean
}

/** Every tool, visible to `caller` or hidden from it. The host's own come first, as in the list. */
export function describeTools({ registry }: Pick<AdminHost, 'registry'>, caller: Caller): readonly ToolBrief[] {
  const snapshot = registry.current
  const view = viewOf(snapshot, caller)
  const listed = new Set(view.tools.map(({ name }) => name))
  const brief = (tool: SnapshotTool, plugin: string | null): ToolBrief => {
    const { title, description } = tool.wire
    const hiddenBy = plugin === null ? null : (refusal(tool, caller, snapshot.policy) ?? null)
    return {
      name: tool.name,
      title: typeof title === 'string' ? title : null,
      description,
      plugin,
      access: tool.access,
      approval: tool.needsApproval,
      tags: tool.tags,
      visible: hiddenBy === null,
      hiddenBy,
      listed: listed.has(tool.name),
    }
  }
  return [
    ...Array.from(view.search?.tools.values() ?? [], (tool) => brief(tool, null)),
    ...Array.from(snapshot.tools.values(), (tool) => brief(tool, tool.plugin.instance)),
  ]
}

/** One tool whole, and why `caller` sees it or does not. */
export interface ToolDetail {
  /** As clients are listed it; null for one that does not exist. */
  readonly definition: object | null
  readonly plugin: { readonly name: string; readonly use: string; readonly version: string | null } | null
  readonly explanation: ReachedExplanation
}

export function describeTool({ registry }: Pick<AdminHost, 'registry'>, name: string, caller: Caller): ToolDetail {
  const snapshot = registry.current
  const tool = snapshot.tools.get(name) ?? viewOf(snapshot, caller).search?.tools.get(name)
  const own = snapshot.tools.get(name)?.plugin
  return {
    definition: tool?.wire ?? null,
    plugin: own ? { name: own.instance, use: specifierOf(own.entry), version: own.version ?? null } : null,
    explanation: explainReach(snapshot, name, caller),
  }
}

/** What `caller` is listed besides tools, as clients are listed it. */
export interface Offers extends Pick<View, 'prompts' | 'resources' | 'templates'> {
  readonly generation: number
}

export function describeOffers({ registry }: Pick<AdminHost, 'registry'>, caller: Caller): Offers {
  const { generation } = registry.current
  const { prompts, resources, templates } = viewOf(registry.current, caller)
  return { generation, prompts, resources, templates }
}
