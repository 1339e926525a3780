import { dirname, join, resolve } from 'node:path'
import { declaredDependencies, findPackage, isDependencyName, readManifest } from '../../data/package.ts'
import { ownFolder } from '../../modules/own-modules.ts'
import type { Capabilities } from '../../pin/capabilities.ts'
import type { ResolvedPlugin } from '../source/resolve-entry.ts'

/** What a plugin's process may reach of the machine. */
export interface Grants {
  /** Files and folders, absolute; a folder with all below it. */
  readonly reads: readonly string[]
  readonly writes: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** May load compiled addons, which the permission model does not see: then nothing here holds. */
  readonly native: boolean
}

export interface GrantOptions {
  readonly capabilities: Capabilities
  /** What paths in `capabilities` are relative to. */
  readonly configDir: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The plugin's own folder, its dependencies, the host's own code that runs in the process, and what the config grants. */
export async function grantsOf({ root }: ResolvedPlugin, { capabilities, configDir, env }: GrantOptions): Promise<Grants> {
  const absolute = (paths: readonly string[]) => paths.map((path) => resolve(configDir, path))
  const granted = capabilities.env.flatMap((name): [string, string][] => {
    const value = env[name]
    return value === undefined ? [] : [[name, value]]
  })
  return {
    reads: [...(await hostFiles()), root, ...(await dependenciesOf(root)), ...absolute(capabilities.fs.read)],
    writes: absolute(capabilities.fs.write),
    env: Object.fromEntries(granted),
    native: capabilities.native,
  }
}

/** What child.ts imports: the folder of the host's code and the packages it needs there. */
const HOST_PACKAGES = ['@mcp-patchbay/plugin-api', 'typebox', 'lru-cache', 'cjs-module-lexer']

let known: Promise<readonly string[]> | undefined

function hostFiles(): Promise<readonly string[]> {
  return (known ??= findHostFiles())
}

async function findHostFiles(): Promise<readonly string[]> {
  const packages = await Promise.all(HOST_PACKAGES.map((name) => placesOf(name, ownFolder)))
  return [ownFolder, join(dirname(ownFolder), 'package.json'), ...packages.flat()]
}

/**
 * The folders of everything the package at `root` declares that it needs, and that those need, wherever Node finds them: each as it is
 * named in node_modules, and where that leads.
 */
async function dependenciesOf(root: string): Promise<readonly string[]> {
  const folders = new Set<string>()
  const queue = [root]
  for (const folder of queue) {
    const found = await Promise.all((await declaredBy(folder)).map((name) => placesOf(name, folder)))
    for (const places of found) {
      for (const path of places) folders.add(path)
      const real = places.at(-1)
      if (real !== undefined && !queue.includes(real)) queue.push(real)
    }
  }
  return [...folders]
}

async function declaredBy(folder: string): Promise<readonly string[]> {
  const manifest = await readManifest(folder)
  // A plugin of one file has none, and one that is broken fails where it is imported.
  return 'content' in manifest ? declaredDependencies(manifest.content).filter(isDependencyName) : []
}

/**
 * Where Node finds a package for a file in `folder`: its real folder, and its name in each node_modules that is looked into on the way
 * there. `require` asks all of those, and takes a refusal for an answer.
 */
async function placesOf(name: string, folder: string): Promise<readonly string[]> {
  const found = await findPackage(name, folder)
  // The flag takes what is not there for a file, of which nothing can be below.
  return found ? [...found.passed.map((path) => join(path, '*')), found.folder, found.real] : []
}
