import { realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hostError } from '../../../errors.ts'
import type { Digest } from '../../../pin/digest.ts'
import { npmIntegrity } from '../../../pin/tree/npm-integrity.ts'
import { digestTree, type Tree } from '../../../pin/tree/tree.ts'
import { readManifest } from '../../source/plugin-manifest.ts'
import { serverEntryFile } from './server-entry-file.ts'

/** An npm MCP server that is installed, with every byte of it digested. All paths are real paths. */
export interface InstalledServer {
  /** Holds the server and all it depends on, and nothing else. What it may read without a grant. */
  readonly folder: string
  /** The JavaScript file to start with Node. */
  readonly entryFile: string
  readonly version: string
  /** As npm recorded it for the package itself; undefined where the registry gave none. */
  readonly integrity: string | undefined
  /** `tree.digest`: over every file in `folder`, packages that no package.json declares included. */
  readonly treeDigest: Digest
  readonly tree: Tree
}

/** Which server, and the folder of the config that it is installed for. */
export interface ServerRelease {
  readonly name: string
  /** Exact. */
  readonly version: string
  readonly root: string
}

/** Where a server is installed: a tree of its own for each version, never the project's node_modules. */
export function serverFolder({ name, version, root }: ServerRelease): string {
  return join(root, '.patchbay', 'servers', ...`${name}@${version}`.split('/'))
}

/** An npm MCP server that is installed, as far as package.json says. */
export type FoundServer = Omit<InstalledServer, 'treeDigest' | 'tree'>

/**
 * Finds an installed server and digests its tree, to be compared with the lock before it is started. Takes 150 ms for 4,000 files. Throws
 * `SERVER_NOT_INSTALLED`, `SERVER_COMMAND` for a package without a JavaScript command, and `PIN_…` for what cannot be digested.
 */
export async function resolveInstalledServer(release: ServerRelease, signal?: AbortSignal): Promise<InstalledServer> {
  const found = await findInstalledServer(release)
  const tree = await digestTree(found.folder, signal)
  return { ...found, treeDigest: tree.digest, tree }
}

/** Finds an installed server, and reads no more of it than that takes. Throws `SERVER_NOT_INSTALLED` and `SERVER_COMMAND`. */
export async function findInstalledServer(release: ServerRelease): Promise<FoundServer> {
  const { name, version } = release
  const place = serverFolder(release)
  const missing = (problem: string, cause?: unknown) =>
    hostError('SERVER_NOT_INSTALLED', { name, version, folder: place, problem }, cause)
  const folder = await realpath(place).catch((error: unknown) => {
    throw missing('the folder does not exist', error)
  })
  const packageFolder = join(folder, 'node_modules', name)
  if (!(await isFolder(packageFolder))) throw missing('the folder does not hold the package')
  const found = readManifest(packageFolder)['version']
  if (found !== version) throw missing(`the folder holds version ${JSON.stringify(found)}`)
  const entryFile = await serverEntryFile(packageFolder, { name, version })
  return { folder, entryFile, version, integrity: await npmIntegrity(packageFolder) }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
}
