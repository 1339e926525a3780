import path from 'node:path'
import { isObject } from '../../data/json.ts'
import { declaredDependencies, findPackage, isDependencyName, isFoundByImportAlone, readManifest } from '../../data/package.ts'
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
  const manifest = await manifestOf(folder)
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

async function manifestOf(folder: string): Promise<Manifest> {
  const refuse = (problem: string, cause?: unknown) =>
    hostError('PIN_UNREADABLE', { folder, path: 'package.json', problem }, cause)
  const read = await readManifest(folder)
  if ('problem' in read && !read.missing) throw refuse(read.problem, read.cause)
  const content = 'content' in read ? read.content : {}
  const dependencies = declaredDependencies(content)
  if (dependencies.length > MAX_DEPENDENCIES)
    throw refuse(`it declares ${dependencies.length} dependencies, more than the ${MAX_DEPENDENCIES} it may have`)
  const odd = dependencies.find((name) => !isDependencyName(name))
  if (odd !== undefined) throw refuse(`it declares ${JSON.stringify(odd)}, which is no name of a package`)
  const { name, version, devDependencies } = content
  return {
    label: `${typeof name === 'string' ? name : path.basename(folder)}@${typeof version === 'string' ? version : ''}`,
    dependencies: dependencies.filter((dependency) => !providedByHost.has(dependency)),
    developmentOnly: [...(isObject(devDependencies) ? Object.keys(devDependencies) : []), ...providedByHost],
  }
}

/** Each dependency is looked for in every folder upwards: 20,000 of them, none installed, took 5 s. */
const MAX_DEPENDENCIES = 1_000

/** The folder of the package `name` for a file in `folder`; undefined when it is not installed. */
async function resolveDependency(name: string, folder: string): Promise<string | undefined> {
  const found = await findPackage(name, folder)
  if (!found) return undefined
  const refuse = (problem: string) => hostError('PIN_UNREADABLE', { folder: found.folder, path: 'package.json', problem })
  if (isFoundByImportAlone(found, name))
    throw refuse('import finds this package in a node_modules within node_modules, and require another one')
  const manifest = await readManifest(found.real)
  if ('problem' in manifest && manifest.missing) throw refuse('a dependency has to have one')
  return found.real
}
