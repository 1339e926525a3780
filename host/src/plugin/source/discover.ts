import { readdirSync, realpathSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { normalizeEntry, type PluginEntry } from '../../config/schema/schema.ts'
import { isPluginPath } from './resolve-entry.ts'

/**
 * The entries of a host: those of `plugins`, then every folder and file of `pluginDirs` that no entry names already, by name. A folder
 * of `pluginDirs` that is not there is no error: somebody will make it. One that is there and cannot be read has what it had.
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
    const names = list(folder, log) ?? known.get(folder) ?? []
    known.set(folder, names)
    return names
      .map((name) => join(folder, name))
      .filter((path) => isPluginPath(path) && !named.has(realPath(path)))
      .map((path) => normalizeEntry(`.${sep}${relative(configDir, path)}`))
  })
  return [...plugins, ...found]
}

export interface DiscoverDeps {
  /** What paths are relative to. */
  readonly configDir: string
  readonly log: Logger
  /** What the folders had when they were last read; kept up to date. */
  readonly known?: Map<string, readonly string[]>
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
