import { existsSync } from 'node:fs'
import { serverOf } from '../../config/schema/server/server-specifier.ts'
import { discoverEntries } from '../../plugin/source/discover.ts'
import { resolveInstalledServer, serverFolder } from '../../plugin/mcp-server/install/installed-server.ts'
import { changeProject } from '../change.ts'
import { acceptedRisks, projectNpm, settledRelease, type Consent } from '../npm-install.ts'
import type { Project } from '../open-project.ts'
import type { Transaction } from '../transaction.ts'
import { installServer, uninstallServer } from './install-server.ts'
import { readServersLock, writeServersLock, type ServersLock } from './servers-lock.ts'

/** One npm server of the config, installed now or before. */
export interface ServerInstallation {
  readonly name: string
  readonly version: string
  readonly folder: string
  /** `present`: it was there. `lock`: as mcp.servers.lock.json has it. `registry`: it was in no lock, so npm chose its packages now. */
  readonly by: 'present' | 'lock' | 'registry'
}

/**
 * Installs every npm server that the deployment names and that is not there, as mcp.servers.lock.json has it; what that does not have is
 * added to it. All of them or none. Throws `INSTALL_…`, `LOCK_…`, and `SERVER_COMMAND` for a package that is no server.
 */
export async function installServers(
  project: Project,
  { consent, now }: { readonly consent: Consent; readonly now: number },
): Promise<readonly ServerInstallation[]> {
  const root = project.configDir
  const releases = releasesOf(project)
  const lock = await readServersLock(root)
  const found = releases.map((release) => {
    const folder = serverFolder({ ...release, root })
    const isLocked = lockedPackages(lock, release) !== undefined
    const by = !isLocked ? 'registry' : existsSync(folder) ? 'present' : 'lock'
    return { ...release, folder, by } as const
  })
  const missing = found.filter(({ by }) => by !== 'present')
  if (missing.length === 0) return found
  await changeProject(project, async (transaction) => {
    for (const { by, ...release } of missing) {
      if (by === 'registry')
        await settledRelease(`${release.name}@${release.version}`, { npm: projectNpm(project), consent, now })
      await addTree(project, release, transaction)
      const { tree } = await resolveInstalledServer({ ...release, root })
      if (by === 'registry') await acceptedRisks(tree, release.name, consent)
    }
    return missing
  })
  return found
}

/** Installs one release as part of a change, and notes its packages in mcp.servers.lock.json. Gives whether it was in no lock before. */
export async function addTree(
  { configDir: root, settings }: Project,
  { name, version }: { readonly name: string; readonly version: string },
  transaction: Transaction,
): Promise<boolean> {
  const lock = await readServersLock(root)
  const locked = lockedPackages(lock, { name, version })
  const packages = await installServer({
    name,
    version,
    root,
    env: settings.env,
    locked,
    onChild: (pid) => transaction.child(pid),
    onFolder: (folder) => transaction.creates(folder),
  })
  if (!locked) await writeServersLock(root, { ...lock, [`${name}@${version}`]: packages })
  return !locked
}

/** Removes a release that nothing uses any more. */
export async function removeTree(
  { configDir: root }: Project,
  { name, version }: { readonly name: string; readonly version: string },
): Promise<void> {
  await uninstallServer({ name, version, root })
  const { [`${name}@${version}`]: _removed, ...others } = await readServersLock(root)
  await writeServersLock(root, others)
}

/** Takes what no deployment names any more out of mcp.servers.lock.json. Gives what was in it. */
export async function forgetTrees({ configDir, settings: { given } }: Project): Promise<readonly ServerName[]> {
  const deployed = Object.values(given.deployments ?? {}).flatMap(({ plugins = [] }) => plugins)
  const lists = [...(given.plugins ?? []), ...deployed].map((entry) => (typeof entry === 'string' ? { use: entry } : entry))
  // A deployment may say another version of an entry, by its name alone.
  const versions = new Set(lists.map((entry) => entry.version))
  const names = new Set(lists.flatMap(({ use }) => npmName(use) ?? []))
  const lock = await readServersLock(configDir)
  const unused = Object.keys(lock)
    .map((key) => ({ name: key.slice(0, key.lastIndexOf('@')), version: key.slice(key.lastIndexOf('@') + 1) }))
    .filter(({ name, version }) => !names.has(name) || !versions.has(version))
  if (unused.length > 0) {
    const gone = new Set(unused.map(({ name, version }) => `${name}@${version}`))
    await writeServersLock(configDir, Object.fromEntries(Object.entries(lock).filter(([key]) => !gone.has(key))))
  }
  return unused
}

interface ServerName {
  readonly name: string
  readonly version: string
}

function npmName(use: string | undefined): string | undefined {
  const server = serverOf(use)
  return server?.kind === 'npm' ? server.name : undefined
}

function lockedPackages(lock: ServersLock, { name, version }: { readonly name: string; readonly version: string }) {
  const key = `${name}@${version}`
  return Object.hasOwn(lock, key) ? lock[key] : undefined
}

/** Each once, in order of the config. */
function releasesOf(project: Project): readonly { readonly name: string; readonly version: string }[] {
  const releases = discoverEntries(project.settings.config, project).flatMap(({ use, version }) => {
    const server = serverOf(use)
    return server?.kind === 'npm' && version !== undefined ? [[`${server.name}@${version}`, { name: server.name, version }]] : []
  }) as readonly (readonly [string, { readonly name: string; readonly version: string }])[]
  return [...new Map(releases).values()]
}
