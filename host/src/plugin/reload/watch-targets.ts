import { basename, dirname, sep } from 'node:path'
import { isInPackages } from '../../modules/source.ts'
import type { Link } from './follow-links.ts'
import { isCode, isLeftByEditor, isWatched, type WatchedGlobs } from '../source/surroundings.ts'

/** What is to be watched now: it changes with every reload. */
export interface WatchTargets {
  /** Files whose content matters, by real path. They need not exist. */
  readonly files: ReadonlySet<string>
  /** Files that values are read from, such as mounted secrets, by absolute path. */
  readonly configFiles: ReadonlySet<string>
  /** Folders of plugins. */
  readonly roots: ReadonlySet<string>
  /** Those of them in which any file may matter: the plugin failed, and something new may be what it misses. */
  readonly open: ReadonlySet<string>
  /** Paths that lead through a link, whose target may become another. */
  readonly links: ReadonlyMap<string, Link>
  /** Folders in which a new file of code matters: the plugin may read the folder and import what it finds. */
  readonly folders: ReadonlySet<string>
  /** Folders that plugins are known to list: any new file there matters. */
  readonly listed: ReadonlySet<string>
  /** What plugins and entries name under `watch`. */
  readonly globs: readonly WatchedGlobs[]
  /** Folders of `pluginDirs`: what appears in them or goes is a change. */
  readonly pluginDirs: ReadonlyMap<string, Link>
}

/** Whole folders of plugins; everything else file by file, since the folder of the config holds the whole project. */
export function pathsOf({ files, roots, pluginDirs }: WatchTargets): ReadonlySet<string> {
  const all = new Set([...roots, ...pluginDirs.keys()])
  const folders = new Set([...all].filter((folder) => !holderOf(dirname(folder), all) || isInPackages(folder)))
  const single = [...files].filter((file) => !holderOf(file, folders) || isInPackages(file))
  return new Set([...folders, ...single])
}

/** Whether something happens in a folder of `pluginDirs` outside every known plugin, or a plugin as a whole comes or goes. */
export function isDiscovery(
  { event, path, real }: { readonly event: string; readonly path: string; readonly real: string },
  { pluginDirs, roots }: WatchTargets,
): boolean {
  if (!holderOf(path, pluginDirs) && !holderOf(real, pluginDirs)) return false
  const owner = holderOf(real, roots)
  return owner === undefined || (real === owner && event !== 'change')
}

/** Whether an event of this file may be a change of some plugin. */
export function isRelevant(
  event: string,
  { path, real }: { readonly path: string; readonly real: string },
  { files, open, folders, listed, globs }: WatchTargets,
): boolean {
  if (files.has(real) || holderOf(real, open) !== undefined || holderOf(path, open) !== undefined) return true
  if (event === 'change') return false
  const folder = dirname(real)
  if ((folders.has(folder) && isCode(real)) || (listed.has(folder) && !isLeftByEditor(basename(real)))) return true
  return globs.some((of) => isWatched(real, of))
}

/** Nothing below these matters, unless a loaded file is there: those are watched one by one. */
export function isIgnored(path: string, { files, roots }: WatchTargets): boolean {
  if (!/[\\/](?:node_modules|\.git|coverage)(?:[\\/]|$)/.test(path)) return false
  if (files.has(path)) return false
  const root = holderOf(path, roots)
  return root === undefined || !isInPackages(root) || isInPackages(path.slice(root.length))
}

export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}${sep}`)
}

/** Which of the folders the path is, or is below of: the nearest. */
export function holderOf(path: string, folders: Pick<ReadonlySet<string>, 'has' | 'size'>): string | undefined {
  if (folders.size === 0) return undefined
  for (let at = path; ; at = dirname(at)) {
    if (folders.has(at)) return at
    if (at === dirname(at)) return undefined
  }
}
