import { randomBytes } from 'node:crypto'
import { open, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { HostError, hostError } from '../errors.ts'
import { fault } from '../observability/faults.ts'
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
    await replace(await realpath(file).catch(() => path.resolve(file)), text)
  } catch (error) {
    throw error instanceof HostError
      ? error
      : hostError('LOCK_WRITE_FAILED', { path: file, problem: error instanceof Error ? error.message : String(error) }, error)
  }
}

async function replace(file: string, text: string): Promise<void> {
  await removeLeftovers(file)
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    await writeDurably(temporary, text, await modeOf(file))
    await fault('lock.rename')
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await fault('lock.sync-folder')
  await syncFolder(path.dirname(file))
}

async function writeDurably(file: string, text: string, mode: number | undefined): Promise<void> {
  await fault('lock.open')
  await using handle = await open(file, 'wx')
  if (mode !== undefined) await handle.chmod(mode)
  await fault('lock.write')
  await handle.writeFile(text)
  await fault('lock.sync')
  await handle.sync()
}

async function modeOf(file: string): Promise<number | undefined> {
  const stats = await stat(file).catch(() => undefined)
  return stats === undefined ? undefined : stats.mode & 0o7777
}

/** Makes the rename itself survive a power cut. File systems that cannot sync a folder, and Windows, order it themselves. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  await using handle = await open(folder, 'r')
  await handle.sync().catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EINVAL' && error.code !== 'ENOTSUP') throw error
  })
}

/** Only a killed process leaves its temporary file; the next writer takes it away. */
async function removeLeftovers(file: string): Promise<void> {
  const folder = path.dirname(file)
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`.${path.basename(file)}.`)) continue
    const [, pid] = /\.(\d+)\.[0-9a-f]{12}\.tmp$/.exec(name) ?? []
    if (pid !== undefined && !isRunning(Number(pid))) await rm(path.join(folder, name), { force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // EPERM: it runs, as another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
