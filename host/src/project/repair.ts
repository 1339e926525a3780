import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findConfig } from '../config/file/find.ts'
import { HostError } from '../errors.ts'

/**
 * Undoes what a command that was killed had begun in the project of a config; whether there was such a thing. A change that is still under
 * way is left alone: whoever wants to change something too hears of it there.
 */
export async function repairProject(config: string | undefined): Promise<boolean> {
  try {
    const { file } = await findConfig(process.cwd(), config)
    // Every command asks, and hardly ever is there anything.
    if (!existsSync(join(dirname(file), '.patchbay'))) return false
    const { undoInterrupted } = await import('./transaction.ts')
    return await undoInterrupted(dirname(file))
  } catch (error) {
    // Without a config there is no project; the command itself says so if it needs one.
    if (error instanceof HostError) return false
    throw error
  }
}
