import { readdir, realpath } from 'node:fs/promises'
import path from 'node:path'
import { hostError } from '../../errors.ts'

/** What one package folder holds, packages below its node_modules folders excepted. Paths are relative to it, separated by `/`. */
export interface PackageFiles {
  readonly files: readonly string[]
  /** Symbolic links that stay inside the folder, with the path they lead to. */
  readonly links: readonly { readonly path: string; readonly target: string }[]
  /** The folders of packages below its node_modules folders, absolute. */
  readonly nested: readonly string[]
  /** Names in its own node_modules that are links: packages that a package manager has put elsewhere. */
  readonly linked: readonly string[]
}

/**
 * Lists the package at `folder`, an absolute path without links. What it leaves out is what {@link isUncounted} says, and empty
 * folders. Throws `PIN_SYMLINK` for a link that leaves the folder, leads nowhere or leads round, `PIN_SPECIAL_FILE` for a socket,
 * pipe or device, `PIN_UNREADABLE` for what cannot be read.
 */
export async function listPackage(folder: string): Promise<PackageFiles> {
  const found = {
    files: [] as string[],
    links: [] as { path: string; target: string }[],
    nested: [] as string[],
    linked: [] as string[],
  }
  const queue = ['']
  for (const below of queue) {
    for (const entry of await readFolder(folder, below)) {
      const relative = below === '' ? entry.name : `${below}/${entry.name}`
      if (isUncounted(relative)) continue
      if (entry.name.includes('\uFFFD'))
        throw hostError('PIN_UNREADABLE', { folder, path: relative, problem: 'its name is not UTF-8' })
      if (entry.isSymbolicLink()) {
        const name = packageName(relative)
        if (name !== undefined && relative === `node_modules/${name}`) found.linked.push(name)
        else found.links.push({ path: relative, target: await followLink(folder, relative) })
      } else if (entry.isDirectory()) {
        if (packageName(relative) === undefined) queue.push(relative)
        else found.nested.push(path.join(folder, relative))
      } else if (entry.isFile()) found.files.push(relative)
      else throw hostError('PIN_SPECIAL_FILE', { folder, path: relative })
    }
  }
  return found
}

/**
 * What is no part of a plugin although it lies in its folder: `.git`, and the names that begin with a dot directly in a node_modules
 * folder (`.bin`, `.package-lock.json`, `.pnpm`, `.cache`), where package managers keep what differs from machine to machine.
 * All else counts, editor files too: Node's `require` takes any name for JavaScript.
 */
function isUncounted(relative: string): boolean {
  return /(^|\/)(\.git|node_modules\/\.[^/]*)(\/|$)/.test(relative)
}

/** `@acme/x` for `src/node_modules/@acme/x`; undefined for a path that does not end in the folder of a package. */
function packageName(relative: string): string | undefined {
  return /(?:^|\/)node_modules\/(@[^/]+\/[^/]+|[^@/][^/]*)$/.exec(relative)?.[1]
}

async function readFolder(folder: string, below: string) {
  try {
    return await readdir(path.join(folder, below), { withFileTypes: true })
  } catch (error) {
    throw hostError(
      'PIN_UNREADABLE',
      { folder, path: below || '.', problem: error instanceof Error ? error.message : String(error) },
      error,
    )
  }
}

async function followLink(folder: string, relative: string): Promise<string> {
  const refuse = (problem: string, cause?: unknown) => hostError('PIN_SYMLINK', { folder, path: relative, problem }, cause)
  const real = await realpath(path.join(folder, relative)).catch((error: NodeJS.ErrnoException) => {
    throw refuse(error.code === 'ELOOP' ? 'leads in a circle' : 'leads nowhere', error)
  })
  const target = path.relative(folder, real).split(path.sep).join('/')
  if (target === '..' || target.startsWith('../') || path.isAbsolute(target)) throw refuse('leads out of the plugin')
  if (isUncounted(target)) throw refuse('leads to files that are not pinned')
  if (target === '' || relative.startsWith(`${target}/`)) throw refuse('leads in a circle')
  return target
}
