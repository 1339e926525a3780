import { replaceFile } from '../../data/replace-file.ts'
import { HostError, hostError } from '../../errors.ts'
import { formatLock, type Lock } from './lock.ts'
import { parseLock } from './read-lock.ts'

/**
 * Replaces mcp.lock.json at `file` by `lock`. A reader, or a crash at any moment, finds the old content or the new, whole. Keeps the
 * file's mode, and a symbolic link to it. Throws `LOCK_INVALID` for a lock that {@link readLock} would refuse, and `LOCK_WRITE_FAILED`
 * when the disk does not take it; then the old file stands and no temporary file is left.
 */
export async function writeLock(file: string, lock: Lock): Promise<void> {
  const text = formatLock(lock)
  parseLock(text, file)
  try {
    await replaceFile(file, text, { what: 'lock' })
  } catch (error) {
    throw error instanceof HostError
      ? error
      : hostError('LOCK_WRITE_FAILED', { path: file, problem: error instanceof Error ? error.message : String(error) }, error)
  }
}
