import { existsSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

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
