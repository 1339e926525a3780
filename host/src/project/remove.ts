import { packageOf } from '../config/plugin/openapi-entry.ts'
import { isPackage } from '../config/schema/schema.ts'
import { resolveConfig } from '../config/file/resolve-config.ts'
import { fault } from '../observability/faults.ts'
import { forgetApproved } from '../pin/verdict/approved.ts'
import { emptyLock, withPlugin, type Lock } from '../pin/lock/lock.ts'
import { readLock } from '../pin/lock/read-lock.ts'
import { writeLock } from '../pin/lock/write-lock.ts'
import { changeProject, reopen } from './change.ts'
import { editPlugins } from './edit-config.ts'
import { dependencies, projectNpm } from './npm-install.ts'
import type { Project } from './open-project.ts'
import { uninstallServer } from './servers/install-server.ts'
import { forgetTrees } from './servers/install-servers.ts'
import { findEntry } from './update.ts'

/** What was taken away. */
export interface Removal {
  readonly name: string
  readonly use: string
  /** Whether its package, or the tree of an MCP server, was uninstalled: not where something else uses it. */
  readonly uninstalled: boolean
}

/** Takes a plugin out of config and lock, in every deployment, and uninstalls its package; or leaves everything as it was. */
export async function removePlugin(project: Project, name: string): Promise<Removal | undefined> {
  const { entry, index } = await findEntry(project, name)
  let trees: Awaited<ReturnType<typeof forgetTrees>> = []
  const removal = await changeProject(project, async (transaction) => {
    await editPlugins(project, { kind: 'remove', index })
    const next = await reopen(project)
    checkDeployments(next)
    const lock = (await readLock(project.lockFile)) ?? emptyLock
    if (lock !== emptyLock) await writeLock(project.lockFile, without(lock, name))
    const uninstalled =
      isPackage(entry.use) && !isUsed(next, entry.use) && Object.hasOwn(await dependencies(project.configDir), entry.use)
    if (uninstalled) await projectNpm(project, (pid) => transaction.child(pid)).change(['uninstall', entry.use])
    await fault('install.uninstalled')
    for (const deployment of Object.keys(lock.deployments))
      await forgetApproved({ configDir: project.configDir, deployment, name })
    trees = await forgetTrees(next)
    return { name, use: entry.use, uninstalled: uninstalled || trees.length > 0 }
  })
  // Where it is interrupted, a tree is left that nothing names.
  if (removal) for (const tree of trees) await uninstallServer({ ...tree, root: project.configDir })
  return removal
}

/** A deployment that changes an entry which is gone is refused now, not when it is started. */
function checkDeployments({ settings: { given, env, source } }: Project): void {
  for (const deployment of Object.keys(given.deployments ?? {})) resolveConfig(given, { deployment, env, source })
}

function isUsed({ settings: { given } }: Project, use: string): boolean {
  const deployed = Object.values(given.deployments ?? {}).flatMap(({ plugins = [] }) => plugins)
  return [...(given.plugins ?? []), ...deployed].some((entry) => packageOf(typeof entry === 'string' ? entry : entry.use) === use)
}

function without(lock: Lock, name: string): Lock {
  return Object.keys(lock.deployments).reduce((left, deployment) => withPlugin(left, deployment, name, undefined), lock)
}
