import { readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isObject } from './json.ts'

/** npm's own rule for names, without a subpath: `@scope/../../x` is not one. */
export const PACKAGE_NAME = /^(?:@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*$/

/** A package where Node finds it. */
export interface FoundPackage {
  /** Its folder as node_modules names it; it may be a link. */
  readonly folder: string
  /** Its folder without links. */
  readonly real: string
  /** Where it would be in each folder node_modules that was looked into before. */
  readonly passed: readonly string[]
}

/**
 * Where Node finds the package `name` when a file in `folder` imports it: in the nearest folder node_modules upwards, also in one that
 * lies in a folder node_modules itself, which `import` looks into and `require` does not. Undefined when nowhere.
 */
export async function findPackage(name: string, folder: string): Promise<FoundPackage | undefined> {
  const passed: string[] = []
  for (let at = folder; ; at = dirname(at)) {
    const packages = join(at, 'node_modules')
    if (await isFolder(packages)) {
      const found = join(packages, name)
      if (await isFolder(found)) return { folder: found, real: await realpath(found), passed }
      passed.push(found)
    }
    if (at === dirname(at)) return undefined
  }
}

/** Whether a package lies where `import` finds it and `require` does not: in a node_modules within node_modules. */
export function isFoundByImportAlone({ folder }: FoundPackage, name: string): boolean {
  return basename(dirname(folder.slice(0, -name.length - 1))) === 'node_modules'
}

/** What a package.json holds; `missing` when there is none, `problem` when it cannot be read. */
export type PackageManifest =
  | { readonly content: Readonly<Record<string, unknown>> }
  | { readonly problem: string; readonly missing: boolean; readonly cause?: unknown }

/** Reads the package.json of a folder, of at most 1 MiB. */
export async function readManifest(folder: string): Promise<PackageManifest> {
  const file = join(folder, 'package.json')
  try {
    const { size } = await stat(file)
    if (size > MAX_BYTES) return { problem: `it has ${size} bytes, more than the ${MAX_BYTES} it may have`, missing: false }
    const content: unknown = JSON.parse((await readFile(file, 'utf8')).replace(/^\uFEFF/, ''))
    return isObject(content) ? { content } : { problem: 'it holds no JSON object', missing: false }
  } catch (error) {
    if (error instanceof SyntaxError) return { problem: 'it holds no JSON object', missing: false }
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    return { problem: error instanceof Error ? error.message : String(error), missing, cause: error }
  }
}

const MAX_BYTES = 1_048_576

/** The names of all that a package declares to need when it runs, as package.json has them. */
export function declaredDependencies(content: Readonly<Record<string, unknown>>): readonly string[] {
  const kinds = ['dependencies', 'optionalDependencies', 'peerDependencies'].map((kind) => content[kind])
  return [...new Set(kinds.flatMap((kind) => (isObject(kind) ? Object.keys(kind) : [])))]
}

/** Whether a declared name leads to a folder below node_modules: npm's rule of old, under which names had capitals. */
export function isDependencyName(name: string): boolean {
  return /^(?:@[^/\\]+\/[^/\\.][^/\\]*|[^@/\\.][^/\\]*)$/.test(name)
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false
}
