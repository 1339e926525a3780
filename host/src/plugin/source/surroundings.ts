import { globSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, extname, join, matchesGlob, relative, sep } from 'node:path'
import { digestOf } from '../../modules/reading/source-digest.ts'
import { isInPackages } from '../../modules/source.ts'

/** What a version depends on besides the files that it read. */
export interface Surroundings {
  /** Where each path led: the path of the entry, and the paths of links that its files import. Empty for a path that did not exist. */
  readonly links: ReadonlyMap<string, string>
  /** The contents of its folders: a plugin may read a folder and import what it finds. */
  readonly folders: ReadonlyMap<string, ReadonlySet<string>>
  /** The same of folders that it is known to have listed: there any new file counts. */
  readonly listed: ReadonlyMap<string, ReadonlySet<string>>
  /** The patterns that the plugin and its entry give under `watch`. */
  readonly globs: WatchedGlobs | undefined
}

/** Patterns, relative to a folder. */
export interface WatchedGlobs {
  readonly root: string
  readonly patterns: readonly string[]
}

export const NO_SURROUNDINGS: Surroundings = Object.freeze({
  links: new Map(),
  folders: new Map(),
  listed: new Map(),
  globs: undefined,
})

/** Far more files than a plugin names under `watch`: each is read at every reload. */
const MAX_WATCHED = 2_000

/** Where the path leads: a folder may become a link. */
export function linkTo(path: string): ReadonlyMap<string, string> {
  return new Map([[path, realPathOf(path)]])
}

/** The folders below `root` that these files are in, each with the names in it. A plugin of one file has none: its folder is not its own. */
export function listFolders(files: Iterable<string>, root: string): ReadonlyMap<string, ReadonlySet<string>> {
  const folders = new Map<string, ReadonlySet<string>>()
  for (const file of files) {
    const folder = dirname(file)
    if (folders.has(folder) || !`${folder}${sep}`.startsWith(`${root}${sep}`) || isInPackages(`${folder}${sep}`)) continue
    const names = namesIn(folder)
    if (names) folders.set(folder, names)
  }
  return folders
}

/** The files that the patterns name now, with the digest of each. */
export function readWatched({ root, patterns }: WatchedGlobs): ReadonlyMap<string, string> {
  const found = globSync([...patterns], { cwd: root, exclude: (name) => basename(name) === 'node_modules' })
  const files = found.map((path) => join(root, path)).filter((path) => isBelow(path, root) && isFile(path))
  return new Map(files.slice(0, MAX_WATCHED).map((path) => [path, digestOf(path)]))
}

/** Whether something is at `path` that was not when the version was built, or is now elsewhere. */
export function isSurrounding(path: string, { links, folders, listed, globs }: Surroundings): boolean {
  const led = links.get(path)
  if (led !== undefined) return realPathOf(path) !== led
  if (!isFile(path)) return false
  const [folder, name] = [dirname(path), basename(path)]
  if (isCode(path) && folders.get(folder)?.has(name) === false) return true
  if (!isLeftByEditor(name) && listed.get(folder)?.has(name) === false) return true
  return globs !== undefined && isWatched(path, globs)
}

/** Whether a file is named by the patterns of `watch`. */
export function isWatched(path: string, { root, patterns }: WatchedGlobs): boolean {
  const inside = isBelow(path, root) ? relative(root, path) : undefined
  return inside !== undefined && patterns.some((pattern) => matchesGlob(inside, pattern.replace(/^\.\//, '')))
}

/** Code that a plugin may find beside its own: not what editors put there for a while, and not tests. */
export function isCode(path: string): boolean {
  const name = basename(path)
  return CODE.has(extname(name)) && !isLeftByEditor(name) && !/\.(?:test|spec|d)\.[cm]?[jt]s$/.test(name)
}

/** Names that editors use for a while: `.index.ts.swp`, `#index.ts#`, `index.ts~`, `4913`. */
export function isLeftByEditor(name: string): boolean {
  return /^[.#]|~$|\.(?:swp|swx|tmp|bak)$|___jb_|^\d+$/.test(name)
}

const CODE = new Set(['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json'])

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(`${folder}${sep}`)
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

export function namesIn(folder: string): ReadonlySet<string> | undefined {
  try {
    return new Set(readdirSync(folder))
  } catch {
    return undefined // it is gone again
  }
}

/** Empty for what does not exist. */
export function realPathOf(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    return ''
  }
}
