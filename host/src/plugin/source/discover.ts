import { readdirSync, realpathSync, statSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { normalizeEntry, type PluginEntry } from '../../config/schema/schema.ts'
import { isPluginPath } from './resolve-entry.ts'

/**
 * The entries of a host: those of `plugins`, then every folder and file of `pluginDirs` that no entry names already, by name. A folder
 * of `pluginDirs` that does not exist is not an error. One that exists and cannot be read has what it had. A plugin whose folder still
 * exists stays an entry while its module is away: a branch is switched, a build is running.
 */
export function discoverEntries(
  { plugins, pluginDirs }: { plugins: readonly PluginEntry[]; pluginDirs: readonly string[] },
  { configDir, log, known = new Map() }: DiscoverDeps,
): readonly PluginEntry[] {
  const named = new Set(
    plugins.flatMap(({ use }) => (typeof use === 'string' && use.startsWith('.') ? [realPath(resolve(configDir, use))] : [])),
  )
  const found = pluginDirs.flatMap((directory) => {
    const folder = resolve(configDir, directory)
    const before = known.get(folder)
    const names = list(folder, log) ?? before?.names ?? []
    const plugins = names
      .map((name) => join(folder, name))
      .filter((path) => isPluginPath(path) || (before?.plugins.has(path) && isFolder(path)))
    known.set(folder, { names, plugins: new Set(plugins) })
    return plugins
      .filter((path) => !named.has(realPath(path)))
      .map((path) => normalizeEntry(`.${sep}${relative(configDir, path)}`))
  })
  return [...plugins, ...found]
}

export interface DiscoverDeps {
  /** What paths are relative to. */
  readonly configDir: string
  readonly log: Logger
  /** What the folders had when they were last read; kept up to date. */
  readonly known?: Map<string, KnownFolder>
}

/** What a folder of `pluginDirs` had when it was last read. */
export interface KnownFolder {
  readonly names: readonly string[]
  /** The paths of those that were plugins. */
  readonly plugins: ReadonlySet<string>
}

/** Undefined when it cannot be read, for want of rights or of file descriptors: that takes no plugin away. */
function list(folder: string, log: Logger): readonly string[] | undefined {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.') && name !== 'node_modules')
      .toSorted()
  } catch (error) {
    if (isMissing(error)) return []
    log.warn('plugin_dir_unreadable', { folder, error })
    return undefined
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
