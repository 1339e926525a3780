import { serverOf } from '../../config/schema/server/server-specifier.ts'
import { formatDiff, showInvisible } from '../../pin/difference/format-diff.ts'
import { changeDigest } from '../../project/change-digest.ts'
import type { InspectedPlugin } from '../../project/inspect.ts'
import type { PluginChange } from '../../project/project-pins.ts'

/** What changed, for a person who has to approve it. */
export function changeLines(changes: readonly PluginChange[]): readonly string[] {
  return changes.flatMap(({ name, change, differences, plugin }) => {
    if (change === 'removed') return [name, '  - no longer in the config', '']
    if (change === 'changed') return formatDiff(name, differences).split('\n')
    return plugin ? [name, '  + not pinned yet', ...pluginLines(plugin).map((line) => `  ${line}`), ''] : []
  })
}

/** What a plugin is and shows, and what it may reach. Nothing in it is cut, and nothing is hidden by the terminal. */
export function pluginLines({ entry, install, observed, surface, tree }: InspectedPlugin): readonly string[] {
  const { use, version, integrity, capabilities: granted } = install
  const { hosts, env, fs, credentials, native } = granted
  const asks = [
    ...hosts.map((host) => `hosts: ${host}`),
    ...env.map((name) => `env: ${name}`),
    ...fs.read.map((path) => `fs.read: ${path}`),
    ...fs.write.map((path) => `fs.write: ${path}`),
    ...(credentials === 'raw' ? ['credentials: raw'] : []),
    ...(native ? ['native: true'] : []),
  ]
  return [
    `${use}${version === undefined ? '' : ` ${version}`}${integrity === undefined ? '' : ` ${integrity}`}`,
    ...(tree.files.length === 0
      ? []
      : [`tree ${tree.digest}, ${tree.files.length === 1 ? '1 file' : `${tree.files.length} files`}`]),
    ...(serverOf(entry.use) && asks.length === 0
      ? []
      : [`may ${asks.length === 0 ? 'reach nothing beyond its own service' : asks.map(showInvisible).join(', ')}`]),
    ...surface.tools.map(
      ({ name, access, wire }) =>
        `tool ${name} (${access}): ${showInvisible(wire.description)} ${observed.tools[name]?.digest ?? ''}`,
    ),
    ...surface.resources.map(({ name, uri }) => `resource ${name}: ${showInvisible(uri)}`),
    ...surface.prompts.map(({ name }) => `prompt ${name}`),
  ]
}

/** What is not wrong yet and will be when the deployment is frozen. */
export function uncoveredLines(plugins: readonly InspectedPlugin[]): readonly string[] {
  return plugins.flatMap(({ name, uncovered }) =>
    uncovered.map((file) => `warning: ${name} imports ${file}, which no lock covers; a frozen deployment will not load it`),
  )
}

/** The same for programs. `digest` is what `approve --seen` takes. */
export function changeJson({ name, change, differences, plugin }: PluginChange): object {
  return { name, change, differences, ...(plugin && { digest: changeDigest(plugin), plugin: pluginJson(plugin) }) }
}

/** A plugin without its code and its tree's files, for programs. */
export function pluginJson({ name, install, observed, surface, uncovered }: InspectedPlugin): object {
  return {
    name,
    ...install,
    apiVersion: observed.apiVersion,
    surface: observed.surface,
    tools: surface.tools.map(({ name: tool, access, wire }) => ({ name: tool, ...observed.tools[tool], access, ...wire })),
    uncovered,
  }
}
