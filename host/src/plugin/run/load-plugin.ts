import type { ServicePlugin } from '@mcp-patchbay/plugin-api'
import type { ModuleGraph } from '../../modules/graph.ts'
import { importPlugin } from '../source/import.ts'
import { discoverInline, runInline, type DiscoverOptions, type InlineOptions } from './inline.ts'
import type { RunningPlugin } from './running.ts'
import type { ResolvedPlugin } from '../source/resolve-entry.ts'

/** A plugin's code, loaded and not yet started: what the isolation modes have in common before there is a running plugin. */
export interface LoadedPlugin {
  /** What its module exports; of one in its own process a description, which is the same but for functions that do nothing. */
  readonly exported: unknown
  /** What it was built from, see `LoadedVersion`. */
  readonly digests: ReadonlyMap<string, string>
  /** Folders that it listed, with what was in each; those of a plugin in this process are not known. Grows. */
  readonly listed: ReadonlyMap<string, ReadonlySet<string>>
  /** How many times as long as others it may take to say what it serves: it starts a whole program for that. Default: 1. */
  readonly patience?: number
  /** What an MCP server elsewhere calls itself; known once it has said what it serves. */
  readonly serverName?: string | undefined
  /** Links among its files, and where each led. */
  readonly links: ReadonlyMap<string, string>
  isAuthConfigured(plugin: ServicePlugin, config: Readonly<Record<string, unknown>>): boolean | Promise<boolean>
  /** What it serves besides what it lists, unchecked; for a plugin with `discover`. */
  discover(options: DiscoverOptions): Promise<unknown>
  start(options: InlineOptions): Promise<RunningPlugin>
  /** Nothing of it will be started: a process need not wait for that. */
  retire(): void
  /** Frees its modules, or ends its process. Idempotent. */
  release(): void
}

export interface LoadOptions {
  readonly timeoutMs: number
  readonly label: string
  /** Receives what was read when it fails. */
  readonly digests: Map<string, string>
  readonly signal: AbortSignal | undefined
}

/** Loads a plugin into this process. Throws `PLUGIN_IMPORT` and `PIN_FILE`. */
export async function loadInline(resolved: ResolvedPlugin, graph: ModuleGraph, options: LoadOptions): Promise<LoadedPlugin> {
  const { modules, exported } = await importPlugin(resolved, { graph, ...options })
  return {
    ...loadedObject(exported),
    // A version that imports lazily has more files later.
    get digests() {
      return modules.digests
    },
    get links() {
      return modules.links
    },
    release: () => modules.release(),
  }
}

/** A plugin that an embedder hands over as an object: there is nothing to load and nothing to free. */
export function loadedObject(exported: unknown): LoadedPlugin {
  return {
    exported,
    digests: new Map(),
    listed: new Map(),
    links: new Map(),
    isAuthConfigured: (plugin, config) => plugin.isAuthConfigured(config),
    discover: (options) => discoverInline(options),
    start: (options) => runInline(options),
    retire() {},
    release() {},
  }
}
