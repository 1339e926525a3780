import { readdirSync, realpathSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { normalizeEntry, type PluginEntry } from '../config/schema.ts'
import { isPluginPath } from './resolve.ts'

/**
 * The entries of a host: those of `plugins`, then every folder and file of `pluginDirs` that no entry names already, by name. A folder
 * of `pluginDirs` that is not there is no error: somebody will make it.
 */
export function discoverEntries(
  { plugins, pluginDirs }: { plugins: readonly PluginEntry[]; pluginDirs: readonly string[] },
  configDir: string,
  log: Logger,
): readonly PluginEntry[] {
  const named = new Set(
    plugins.flatMap(({ use }) => (typeof use === 'string' && use.startsWith('.') ? [realPath(resolve(configDir, use))] : [])),
  )
  const found = pluginDirs.flatMap((directory) => {
    const folder = resolve(configDir, directory)
    return list(folder, log)
      .map((name) => join(folder, name))
      .filter((path) => isPluginPath(path) && !named.has(realPath(path)))
      .map((path) => normalizeEntry(`.${sep}${relative(configDir, path)}`))
  })
  return [...plugins, ...found]
}

function list(folder: string, log: Logger): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.') && name !== 'node_modules')
      .toSorted()
  } catch (error) {
    if (!isMissing(error)) log.warn('plugin_dir_unreadable', { folder, error })
    return []
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
