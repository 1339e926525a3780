import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findConfig } from '../config/file/find.ts'
import { HostError } from '../errors.ts'

/**
 * Undoes what a command that was killed had begun in the project of a config. Gives what people should know of it, if anything. A change
 * that is still under way is not touched: a command that also wants to change something reports it. So is a folder that this user may not
 * read: a host needs nothing of it.
 */
export async function repairProject(config: string | undefined): Promise<string | undefined> {
  let folder = ''
  try {
    const { file } = await findConfig(process.cwd(), config)
    // Every command asks, and hardly ever is there anything.
    folder = join(dirname(file), '.patchbay')
    if (!existsSync(folder)) return undefined
    const { undoInterrupted } = await import('./transaction.ts')
    return (await undoInterrupted(dirname(file))) ? REPAIRED : undefined
  } catch (error) {
    // Without a config there is no project; the command itself says so if it needs one.
    if (error instanceof HostError) return undefined
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
      return `${folder} cannot be used by this user (${code}): if a command that changed the project was interrupted, it is not undone`
    throw error
  }
}

const REPAIRED = 'A command that changed this project was interrupted; everything is as it was before'
