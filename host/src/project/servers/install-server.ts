import { randomBytes } from 'node:crypto'
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isObject } from '../../data/json.ts'
import { hostError } from '../../errors.ts'
import { fault } from '../../observability/faults.ts'
import { isRunning } from '../../observability/is-running.ts'
import { serverFolder, type ServerRelease } from '../../plugin/mcp-server/install/installed-server.ts'
import { createNpm, type NpmOptions } from '../npm/npm.ts'
import type { NpmPackages } from './servers-lock.ts'

export interface ServerInstall extends ServerRelease {
  readonly env: NpmOptions['env']
  /** The tree that another machine had; without it npm decides now. */
  readonly locked: NpmPackages | undefined
  readonly onChild?: NpmOptions['onChild']
  /** Called with each folder before it is created. */
  readonly onFolder?: (folder: string) => Promise<void>
}

/**
 * Installs a release into a tree of its own, exactly and without scripts, unless it is there. Its folder is there whole or not at all:
 * npm works in another one, which then takes its name. Gives what npm installed, for mcp.servers.lock.json. Throws `INSTALL_NPM`.
 */
export async function installServer(install: ServerInstall): Promise<NpmPackages> {
  const { name, version, root, env, locked, onChild, onFolder } = install
  const target = serverFolder(install)
  // Its own record lacks what is for other systems; it is better than none.
  if (await exists(target)) return locked ?? packagesIn(await readFile(join(target, NPMS_RECORD), 'utf8'), install)
  await onFolder?.(target)
  const staging = await stagingFolder(root, onFolder)
  try {
    const manifest = { private: true, dependencies: { [name]: version } }
    await writeFile(join(staging, 'package.json'), JSON.stringify(manifest))
    // The registry and its token are the project's.
    await copyFile(join(root, '.npmrc'), join(staging, '.npmrc')).catch(ignoreMissing)
    const lockFile = join(staging, 'package-lock.json')
    if (locked) await writeFile(lockFile, JSON.stringify(npmLock(manifest, locked)))
    const npm = createNpm({ folder: staging, env, ...(onChild ? { onChild } : {}) })
    // Mirrors have the same bytes: the lock holds their integrity, and not where they came from.
    const strategy = ['--install-strategy=hoisted', '--omit-lockfile-registry-resolved']
    await npm.change([...(locked ? ['ci', '--prefer-offline'] : ['install', '--package-lock']), ...strategy])
    await fault('server.installed')
    const packages = packagesIn(await readFile(lockFile, 'utf8'), install)
    // What differs between mirrors and holds secrets is no part of the tree.
    await Promise.all([lockFile, join(staging, '.npmrc')].map((file) => rm(file, { force: true })))
    await writeFile(join(staging, 'package.json'), JSON.stringify(manifest))
    await mkdir(dirname(target), { recursive: true })
    await fault('server.rename')
    await rename(staging, target)
    return packages
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

/** Removes the tree of a release. What runs from it keeps the files that it has open. */
export async function uninstallServer(release: ServerRelease): Promise<void> {
  const target = serverFolder(release)
  await rm(target, { recursive: true, force: true })
  const scope = dirname(target)
  if (release.name.startsWith('@') && (await readdir(scope).catch(() => [''])).length === 0) await rm(scope, { recursive: true })
}

/** A new folder beside the trees; what killed processes left of theirs goes. */
async function stagingFolder(root: string, onFolder: ServerInstall['onFolder']): Promise<string> {
  const servers = join(root, '.patchbay', 'servers')
  await mkdir(servers, { recursive: true })
  for (const left of await readdir(servers)) {
    const [, pid] = /^\.installing-(\d+)-[0-9a-f]{8}$/.exec(left) ?? []
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(servers, left), { recursive: true, force: true })
  }
  const staging = join(servers, `.installing-${process.pid}-${randomBytes(4).toString('hex')}`)
  await onFolder?.(staging)
  await mkdir(staging)
  return staging
}

const NPMS_RECORD = 'node_modules/.package-lock.json'

function npmLock(manifest: object, packages: NpmPackages): object {
  return { lockfileVersion: 3, requires: true, packages: { '': manifest, ...packages } }
}

/** npm's record of a tree, without the folder itself. */
function packagesIn(text: string, { name, version }: ServerRelease): NpmPackages {
  const lock: unknown = JSON.parse(text)
  const all = isObject(lock) && isObject(lock['packages']) ? lock['packages'] : {}
  const packages = Object.entries(all).flatMap(([at, entry]) => (at !== '' && isObject(entry) ? [[at, entry] as const] : []))
  const own = packages.find(([at]) => at === `node_modules/${name}`)?.[1]
  if (own?.['version'] !== version)
    throw hostError('INSTALL_NPM', {
      command: `npm install ${name}@${version}`,
      problem: `it installed ${JSON.stringify(own?.['version'])}`,
    })
  return Object.fromEntries(packages)
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
}
