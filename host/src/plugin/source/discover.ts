import { readdirSync, realpathSync, statSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { normalizeEntry, type PluginEntry } from '../../config/schema/schema.ts'
import { hostError, type HostError } from '../../errors.ts'
import { isPluginPath } from './resolve-entry.ts'
import { whyIgnored } from './why-ignored.ts'

/**
 * The entries of a host: those of `plugins`, then every folder and file of `pluginDirs` that no entry names already, by name. A folder
 * of `pluginDirs` that does not exist is not an error. One that exists and cannot be read has what it had. A plugin whose folder still
 * exists stays an entry while its module is away: a branch is switched, a build is running.
 */
export function discoverEntries(
  { plugins, pluginDirs }: { plugins: readonly PluginEntry[]; pluginDirs: readonly string[] },
  { configDir, log, known = new Map(), ignored }: DiscoverDeps,
): readonly PluginEntry[] {
  const named = new Set(
    plugins.flatMap(({ use }) => (typeof use === 'string' && use.startsWith('.') ? [realPath(resolve(configDir, use))] : [])),
  )
  const found = pluginDirs.flatMap((directory) => {
    const folder = resolve(configDir, directory)
    const before = known.get(folder)
    const names = list(folder, log) ?? before?.names ?? []
    const isPlugin = (path: string) => isPluginPath(path) || (before?.plugins.has(path) === true && isFolder(path))
    const [plugins, others] = split(
      names.map((name) => join(folder, name)),
      isPlugin,
    )
    if (ignored) {
      if (names.length === 0 && !isFolder(folder)) ignored.push(hostError('PLUGIN_DIR_MISSING', { folder: directory }))
      for (const path of others) {
        const why = named.has(realPath(path)) ? undefined : whyIgnored(path, labelOf(path, configDir))
        if (why) ignored.push(why)
      }
    }
    known.set(folder, { names, plugins: new Set(plugins) })
    return plugins.filter((path) => !named.has(realPath(path))).map((path) => normalizeEntry(labelOf(path, configDir)))
  })
  return [...plugins, ...found]
}

export interface DiscoverDeps {
  /** What paths are relative to. */
  readonly configDir: string
  readonly log: Logger
  /** What the folders had when they were last read; kept up to date. */
  readonly known?: Map<string, KnownFolder>
  /** Receives what is in those folders and is not a plugin although it may be meant as one, and the folders that do not exist. */
  readonly ignored?: HostError[]
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
      .filter((name) => !/^\.|^node_modules$|^__\w+__$/.test(name))
      .toSorted()
  } catch (error) {
    if (isMissing(error)) return []
    log.warn('plugin_dir_unreadable', { folder, error })
    return undefined
  }
}

function labelOf(path: string, configDir: string): string {
  return `.${sep}${relative(configDir, path)}`
}

function split(paths: readonly string[], fits: (path: string) => boolean): readonly [readonly string[], readonly string[]] {
  return [paths.filter(fits), paths.filter((path) => !fits(path))]
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
