import path from 'node:path'
import { readSettings } from '../from-file.ts'
import { fault } from '../observability/faults.ts'
import { draftOf } from './edit-config.ts'
import type { Project } from './open-project.ts'
import { beginTransaction, type Transaction } from './transaction.ts'

/**
 * Does `work` on the project, whole or not at all: config, lock, package.json, npm's lock and node_modules are as before when it throws,
 * gives undefined, or the process is told to end, and after a kill as soon as the next command begins. So are the files of `more`.
 */
export async function changeProject<Result>(
  project: Project,
  work: (transaction: Transaction) => Promise<Result | undefined>,
  more: readonly string[] = [],
): Promise<Result | undefined> {
  const { configDir, settings, lockFile } = project
  const inFolder = (...names: readonly string[]) => names.map((name) => path.join(configDir, name))
  const files = [
    settings.file,
    lockFile,
    draftOf(settings.file),
    ...inFolder('package.json', 'package-lock.json', 'mcp.servers.lock.json'),
    ...more,
  ]
  const transaction = await beginTransaction(configDir, files)
  const interrupted = Promise.withResolvers<never>()
  const interrupt = (signal: NodeJS.Signals) => interrupted.reject(new Error(`Interrupted by ${signal}; nothing was changed`))
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.once(signal, interrupt)
  let result: Result | undefined
  try {
    await fault('transaction.begun')
    result = await Promise.race([work(transaction), interrupted.promise])
    if (result === undefined) await transaction.rollback()
    else await transaction.commit()
  } catch (error) {
    await transaction.rollback()
    throw error
  } finally {
    for (const signal of signals) process.off(signal, interrupt)
  }
  return result
}

/** The project with its config as it is on disk now. Throws `CONFIG_…`: so a config that does not fit is never left behind. */
export async function reopen(project: Project): Promise<Project> {
  const { file, config } = project.settings
  const settings = await readSettings({ config: file, deployment: config.deployment }, project.log)
  return { ...project, settings }
}
