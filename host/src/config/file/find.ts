import { existsSync, statSync } from 'node:fs'
import { dirname, extname, join, resolve } from 'node:path'
import type { Loader } from 'cosmiconfig'
import { isObject } from '../../data/json.ts'
import { hostError } from '../../errors.ts'
import { homeFolder } from '../../observability/home-folder.ts'
import { readTextFile } from '../plugin/text-file.ts'
import type { ConfigSource } from './types.ts'

export interface FoundConfig extends ConfigSource {
  readonly warnings: readonly string[]
}

/** How a config is read: by running it, or as data. */
export const CONFIG_KINDS: Readonly<Record<string, 'code' | 'json' | 'yaml'>> = Object.freeze({
  '.ts': 'code',
  '.mts': 'code',
  '.js': 'code',
  '.mjs': 'code',
  '.json': 'json',
  '.yaml': 'yaml',
  '.yml': 'yaml',
})

const NAMES = Object.keys(CONFIG_KINDS).map((extension) => `mcp.config${extension}`)

/**
 * The config file that `file` names, or the first one found from `cwd` upwards to the home folder or the root. Throws
 * `CONFIG_NOT_FOUND`, and `CONFIG_FAILED` for one that cannot be read: the next one up would be another config.
 */
export async function findConfig(cwd: string, file?: string): Promise<FoundConfig> {
  if (file !== undefined) return { ...readSource(resolve(cwd, file)), warnings: [] }
  const looked: string[] = []
  for (const folder of foldersUp(resolve(cwd))) {
    looked.push(folder)
    const present = NAMES.map((name) => join(folder, name)).filter((path) => existsSync(path))
    const [first, ...others] = present
    if (first === undefined) continue
    const warnings = others.map((path) => `${path} is not read: ${first} goes before it`)
    // Refuses first what the search would wait for, as a pipe, read however large it is, or pass over, as what it may not read.
    const readable = readSource(first)
    // For a user without a home the search does not run.
    return { ...(homeFolder() === undefined ? readable : await search(folder)), warnings }
  }
  throw hostError('CONFIG_NOT_FOUND', { looked, names: NAMES })
}

/**
 * Searches one folder. Its own loaders would import the file in this thread, where an edit is never seen again, a top-level await that
 * rejects is reported as something else and a missing default export as a missing file: ours only keep the text.
 */
const keepText: Loader = (_path, text) => ({ text })
async function search(folder: string): Promise<ConfigSource> {
  // Not at the top: one of its packages asks for the home folder when it is imported, and throws where there is none.
  const { cosmiconfig } = await import('cosmiconfig')
  const explorer = cosmiconfig('mcp', {
    searchPlaces: NAMES,
    loaders: Object.fromEntries(Object.keys(CONFIG_KINDS).map((extension) => [extension, keepText])),
    searchStrategy: 'none',
    cache: false,
    ignoreEmptySearchPlaces: false,
  })
  const found = await explorer.search(folder)
  if (!found) throw hostError('CONFIG_NOT_FOUND', { looked: [folder], names: NAMES })
  return { file: found.filepath, text: isObject(found.config) ? String(found.config['text']) : '' }
}

function readSource(file: string): ConfigSource {
  const read = readTextFile(file)
  if ('problem' in read) {
    if (read.missing)
      throw hostError('CONFIG_NOT_FOUND', { looked: [dirname(file)], names: [file.slice(dirname(file).length + 1)] })
    throw hostError('CONFIG_FAILED', { file, problem: read.problem })
  }
  if (CONFIG_KINDS[extname(file)] === undefined)
    throw hostError('CONFIG_FAILED', {
      file,
      problem: `${extname(file) || 'a name without extension'} is no kind of config`,
      fix: [`Give it one of the extensions ${Object.keys(CONFIG_KINDS).join(', ')}`],
    })
  return { file, text: read.text }
}

function* foldersUp(folder: string): Generator<string> {
  const last = homeFolder()
  for (let current = folder; ; current = dirname(current)) {
    if (isFolder(current)) yield current
    if (current === last || dirname(current) === current) return
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
