import type { PluginEntry } from '../config/schema.ts'
import { describeError } from '../errors.ts'
import type { ModuleGraph } from '../modules/graph.ts'
import type { ObservedInstall, ObservedSurface } from '../pin/compare.ts'
import { filesByLocation, type Tree } from '../pin/tree.ts'
import { createPluginGraph } from '../service/plugin-graph.ts'
import { checkPlugin } from '../service/check.ts'
import { discoverEntries } from '../service/discover.ts'
import { importPlugin } from '../service/import.ts'
import { observePlugin, observeSurface, withDeclared } from '../service/observe.ts'
import { compareRead } from '../service/pins.ts'
import { nameFromSpecifier, resolvePlugin, specifierOf } from '../service/resolve.ts'
import { readSurface, type PluginSurface } from '../service/surface.ts'
import type { Project } from './open-project.ts'

/** All that a lock says of a plugin, as it is on disk now. It was imported for that, and not started. */
export interface InspectedPlugin {
  readonly name: string
  readonly entry: PluginEntry
  readonly install: ObservedInstall
  readonly observed: ObservedSurface
  readonly surface: PluginSurface
  readonly tree: Tree
  /** Files it imports that neither it nor its declared dependencies hold: a frozen deployment would not load them. */
  readonly uncovered: readonly string[]
}

export interface Inspection {
  readonly plugins: readonly InspectedPlugin[]
  readonly failed: readonly { readonly plugin: string; readonly problem: string }[]
}

/** Looks at every plugin of the config. A plugin that an embedder hands over as an object has nothing to pin. */
export async function inspectProject(project: Project): Promise<Inspection> {
  const { config } = project.settings
  const plugins: InspectedPlugin[] = []
  const failed: { plugin: string; problem: string }[] = []
  for (const entry of discoverEntries(config, project.configDir, project.log)) {
    if (typeof entry.use !== 'string') continue
    try {
      plugins.push(await inspectPlugin(entry, project))
    } catch (error) {
      failed.push({ plugin: entry.as ?? nameFromSpecifier(entry.use), problem: describeError(error) })
    }
  }
  return { plugins, failed }
}

/** Looks at one plugin. Throws what activating it would throw, up to its start. */
export async function inspectPlugin(
  entry: PluginEntry,
  { configDir, settings, log }: Pick<Project, 'configDir' | 'settings' | 'log'>,
): Promise<InspectedPlugin> {
  const read = new Set<string>()
  using graph = createPluginGraph(log, ({ file }) => void read.add(file))
  const label = entry.as ?? nameFromSpecifier(specifierOf(entry))
  const resolved = resolvePlugin({ use: specifierOf(entry), version: entry.version, instance: label }, configDir)
  const { install, tree } = await observePlugin(entry, resolved, { label, configDir })
  const surface = await importSurface({ graph, entry, label, tree, resolved, timeoutMs: settings.config.limits.loadTimeoutMs })
  const capabilities = await withDeclared(install.capabilities, surface, { label, configDir })
  const covered = filesByLocation(tree)
  return {
    name: entry.as ?? surface.name,
    entry,
    install: { ...install, capabilities },
    observed: observeSurface(surface),
    surface,
    tree,
    uncovered: [...read].filter((file) => !covered.has(file)),
  }
}

interface Importing {
  readonly graph: ModuleGraph
  readonly entry: PluginEntry
  readonly label: string
  readonly tree: Tree
  readonly resolved: Parameters<typeof importPlugin>[0]
  readonly timeoutMs: number
}

async function importSurface({ graph, entry, label, tree, resolved, timeoutMs }: Importing): Promise<PluginSurface> {
  const { modules, exported } = await importPlugin(resolved, { graph, timeoutMs, label })
  try {
    // What is recorded is what was looked at.
    compareRead(tree, modules.digests)
    return readSurface(checkPlugin(exported, entry.as, label))
  } finally {
    modules.release()
  }
}
