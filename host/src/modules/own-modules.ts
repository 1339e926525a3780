import { existsSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import packageJson from '../../package.json' with { type: 'json' }

const packageUrl = new URL('.', import.meta.resolve('mcp-patchbay/package.json')).href

/** `src` as it stands, or `bundle`, where the same modules stand in few files. */
const folder = import.meta.url.slice(packageUrl.length).split('/', 1)[0] ?? ''

/** The folder of the code that runs, and what belongs to it. */
export const ownFolder = fileURLToPath(new URL(folder, packageUrl))

/** Whether packages of this repository are to be read as they stand in their `src`. */
export function isCheckout(): boolean {
  return folder === 'src' || (folder === 'bundle' && existsSync(new URL('src', packageUrl)))
}

/** The URL of a module of the host, named by its path below `src` without an ending: for another process, or for generated code. */
export function ownModule(path: string): string {
  return new URL(`${folder}/${path}${extname(import.meta.url)}`, packageUrl).href
}

/** The URL of what plugins get for `specifier`: this host's own copy. */
export function sharedModule(specifier: string): string {
  return folder === 'bundle' ? ownModule(`shared/${specifier}`) : import.meta.resolve(specifier)
}

/** Which host this is, to compare replicas and what was released with what runs. */
export interface OwnBuild {
  readonly version: string
  /** The first 16 digits of the SHA-256 of the bundle, the same wherever one commit was built; `source` for a checkout that runs as it stands. */
  readonly build: string
  readonly node: string
}

/** Of the code that runs; `folder` is where that is. */
export function ownBuild(folder: string = ownFolder): OwnBuild {
  return { version: packageJson.version, build: buildOf(folder), node: process.version }
}

/** Written beside the bundle when it was made. */
function buildOf(folder: string): string {
  try {
    return readFileSync(join(folder, 'build.txt'), 'utf8').trim()
  } catch {
    return 'source'
  }
}
