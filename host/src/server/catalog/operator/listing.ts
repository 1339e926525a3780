import type { Caller } from '../caller.ts'
import { viewOf } from '../view.ts'
import { refusal, type RefusalCode } from '../visibility.ts'
import type { Snapshot, SnapshotTool } from '../snapshot.ts'
import type { PluginState } from '../../../observability/plugin-states.ts'
import { stateOf, type PluginReason } from '../../../plugin/run/plugin-record.ts'
import { serverRights, shownIsolation, type ShownIsolation } from '../../../plugin/mcp-server/server-rights.ts'
import { surfaceWarnings, type SurfaceWarning } from '../../../plugin/run/surface-warnings.ts'
import { specifierOf } from '../../../plugin/source/resolve-entry.ts'

/** What `patchbay list --json` prints. */
export interface HostListing {
  readonly generation: number
  readonly plugins: readonly PluginListing[]
  /** What the config says and probably does not mean. */
  readonly warnings: readonly string[]
  /** What is in the folders of `pluginDirs` and is not served, with why. */
  readonly ignored: readonly PluginReason[]
  /** Why mcp.lock.json is not used: it is torn, too new or unreadable. Null where it is used, and where there is none. */
  readonly lockProblem: PluginReason | null
}

export interface PluginListing {
  readonly name: string
  readonly use: string
  readonly version: string | null
  readonly isolation: ShownIsolation
  /** Of an MCP server that runs here, what it can do on this machine. */
  readonly rights: readonly string[]
  readonly state: PluginState
  /** What mcp.lock.json says of it: the same, nothing, or something else. */
  readonly pinned: 'pinned' | 'unpinned' | 'changed'
  readonly reason: PluginReason | null
  /** Why the version on disk is not the one that serves. */
  readonly reloadError: PluginReason | null
  readonly tools: readonly ToolListing[]
  /** What is left out of it because its schema cannot be used, and what some clients will drop. */
  readonly warnings: readonly SurfaceWarning[]
}

export interface ToolListing {
  readonly name: string
  readonly access: 'read' | 'write'
  /** A person says yes to each call. */
  readonly approval: boolean
  readonly visible: boolean
  readonly hiddenBy: RefusalCode | null
  /** Whether the list has it; what is visible and not listed is found by `tools_search`. */
  readonly listed: boolean
  /** What the definition costs a model, estimated at four characters a token. */
  readonly tokens: number
}

/** Every plugin and tool of a snapshot, with what `caller` sees of it. */
export function listHost(snapshot: Snapshot, caller: Caller): Omit<HostListing, 'warnings' | 'lockProblem'> {
  const listed = new Set(viewOf(snapshot, caller).tools.map(({ name }) => name))
  const byPlugin = Map.groupBy(snapshot.tools.values(), ({ plugin }) => plugin)
  return {
    generation: snapshot.generation,
    ignored: snapshot.ignored,
    plugins: snapshot.plugins.map((plugin) => ({
      name: plugin.instance,
      use: specifierOf(plugin.entry),
      version: plugin.version ?? null,
      isolation: shownIsolation(plugin.entry),
      rights: serverRights(plugin.entry),
      ...stateOf(plugin),
      pinned: plugin.pinned ?? 'unpinned',
      reason: plugin.reason ?? null,
      reloadError: plugin.reloadError ?? null,
      tools: (byPlugin.get(plugin) ?? []).map((tool) => listTool(tool, { snapshot, caller, listed })),
      warnings: plugin.surface ? surfaceWarnings(plugin.surface, plugin.instance) : [],
    })),
  }
}

/** What the lock keeps from being served, a line each: plugins that it refuses or holds back, and tools whose definition it does not have. */
export function notAsPinned({ plugins }: Pick<HostListing, 'plugins'>): readonly string[] {
  return plugins.flatMap(({ name, reason, state, tools }) => {
    const isRefused = state === 'quarantined' || (reason !== null && reason.code.startsWith('PIN_'))
    if (isRefused) return [`${name}: ${reason?.message ?? state}`]
    return tools
      .filter(({ hiddenBy }) => hiddenBy === 'quarantined')
      .map((tool) => `${tool.name}: its definition is not the approved one`)
  })
}

function listTool(
  tool: SnapshotTool,
  { snapshot, caller, listed }: { snapshot: Snapshot; caller: Caller; listed: ReadonlySet<string> },
): ToolListing {
  const hiddenBy = refusal(tool, caller, snapshot.policy) ?? null
  return {
    name: tool.name,
    access: tool.access,
    approval: tool.needsApproval,
    visible: hiddenBy === null,
    hiddenBy,
    listed: listed.has(tool.name),
    tokens: Math.ceil(JSON.stringify(tool.wire).length / 4),
  }
}
