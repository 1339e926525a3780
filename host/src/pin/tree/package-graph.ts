import { readFile, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { hostError } from '../../errors.ts'
import { mapBounded } from './map-bounded.ts'
import { listPackage, type PackageFiles } from './package-files.ts'

/** One package a plugin consists of: itself, or something it may import. */
export interface PackageNode extends PackageFiles {
  /** Absolute, without links. */
  readonly folder: string
  /** `name@version` by its package.json. */
  readonly label: string
  /** The folder each of its dependencies resolves to; a dependency that is not installed is absent. */
  readonly dependencies: ReadonlyMap<string, string>
}

/** The host's loader gives every plugin its own copies of these, so what lies in node_modules is never loaded. */
const providedByHost = new Set(['@mcp-patchbay/plugin-api', 'typebox'])

/**
 * The package at `folder`, the packages that lie in its node_modules, and those its package.json declares (`dependencies`,
 * `optionalDependencies`, `peerDependencies`) found as Node finds them, upward from folder to folder; and so on from each.
 * Throws the errors of {@link listPackage}, and `PIN_UNREADABLE` for a package.json that is none.
 */
export async function collectPackages(folder: string, signal?: AbortSignal): Promise<PackageNode[]> {
  const nodes = new Map<string, PackageNode>()
  for (let level = [folder]; level.length > 0;) {
    const found = await mapBounded(level, 8, async (next) => {
      signal?.throwIfAborted()
      return readPackage(next)
    })
    for (const node of found) nodes.set(node.folder, node)
    const next = found.flatMap(({ nested, dependencies }) => [...nested, ...dependencies.values()])
    level = [...new Set(next)].filter((candidate) => !nodes.has(candidate))
  }
  return [...nodes.values()]
}

async function readPackage(folder: string): Promise<PackageNode> {
  const manifest = await readManifest(folder)
  const files = await listPackage(folder)
  const declared = new Set([...manifest.dependencies, ...manifest.developmentOnly])
  for (const name of files.linked) {
    if (!declared.has(name)) {
      const problem = 'leads to a package that package.json does not declare'
      throw hostError('PIN_SYMLINK', { folder, path: `node_modules/${name}`, problem })
    }
  }
  const dependencies = new Map<string, string>()
  for (const name of manifest.dependencies) {
    const resolved = await resolveDependency(name, folder)
    if (resolved !== undefined) dependencies.set(name, resolved)
  }
  return { folder, label: manifest.label, dependencies, ...files }
}

interface Manifest {
  readonly label: string
  readonly dependencies: readonly string[]
  readonly developmentOnly: readonly string[]
}

async function readManifest(folder: string): Promise<Manifest> {
  const refuse = (problem: string, cause?: unknown) =>
    hostError('PIN_UNREADABLE', { folder, path: 'package.json', problem }, cause)
  const file = path.join(folder, 'package.json')
  const bytes = (await stat(file).catch(() => undefined))?.size ?? 0
  if (bytes > MAX_BYTES) throw refuse(`it has ${bytes} bytes, more than the ${MAX_BYTES} it may have`)
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}'
    throw refuse(error.message, error)
  })
  const json = parseObject(text.replace(/^\uFEFF/, ''))
  if (json === undefined) throw refuse('it holds no JSON object')
  const names = (key: string): string[] => Object.keys(asObject(json[key]) ?? {})
  const dependencies = ['dependencies', 'optionalDependencies', 'peerDependencies'].flatMap(names)
  if (dependencies.length > MAX_DEPENDENCIES)
    throw refuse(`it declares ${dependencies.length} dependencies, more than the ${MAX_DEPENDENCIES} it may have`)
  const odd = dependencies.find((name) => !/^(@[^/\\]+\/[^/\\.][^/\\]*|[^@/\\.][^/\\]*)$/.test(name))
  if (odd !== undefined) throw refuse(`it declares ${JSON.stringify(odd)}, which is no name of a package`)
  const { name, version } = json
  return {
    label: `${typeof name === 'string' ? name : path.basename(folder)}@${typeof version === 'string' ? version : ''}`,
    dependencies: [...new Set(dependencies)].filter((dependency) => !providedByHost.has(dependency)),
    developmentOnly: [...names('devDependencies'), ...providedByHost],
  }
}

/** Each dependency is looked for in every folder upwards: 20,000 of them, none installed, took 5 s. */
const MAX_DEPENDENCIES = 1_000
const MAX_BYTES = 1_048_576

/** Where Node finds the package `name` when a file in `folder` imports it; undefined when nowhere. */
async function resolveDependency(name: string, folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = path.dirname(at)) {
    const candidate = path.join(at, 'node_modules', name)
    if (path.basename(at) !== 'node_modules' && (await isFolder(candidate))) {
      if (await isFile(path.join(candidate, 'package.json'))) return realpath(candidate)
      throw hostError('PIN_UNREADABLE', { folder: candidate, path: 'package.json', problem: 'a dependency has to have one' })
    }
    if (at === path.dirname(at)) return undefined
  }
}

async function isFolder(candidate: string): Promise<boolean> {
  return (await stat(candidate).catch(() => undefined))?.isDirectory() ?? false
}

async function isFile(candidate: string): Promise<boolean> {
  return (await stat(candidate).catch(() => undefined))?.isFile() ?? false
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    return asObject(JSON.parse(text))
  } catch {
    return undefined
  }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : undefined
}
