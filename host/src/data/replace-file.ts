import { randomBytes } from 'node:crypto'
import { open, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { fault } from '../observability/faults.ts'
import { isRunning } from '../observability/is-running.ts'

export interface ReplaceOptions {
  /** What the file is, for the names of the fault points: `lock` has `lock.open`, `lock.write` and so on. */
  readonly what: string
  /** Whatever the umask says. Default: the mode that the file has. */
  readonly mode?: number
}

/**
 * Replaces the content of `file`. A reader, or a crash at any moment, finds the old content or the new, whole. Keeps a symbolic link to
 * it. When it rejects, the old file stands and no temporary one is left.
 */
export async function replaceFile(file: string, text: string, { what, mode }: ReplaceOptions): Promise<void> {
  const at = (step: string) => fault(`${what}.${step}`)
  const real = await realpath(file).catch(() => path.resolve(file))
  await removeTemporaries(real)
  const temporary = temporaryFor(real)
  try {
    await writeDurably(temporary, text, mode ?? (await modeOf(real)), at)
    await at('rename')
    await rename(temporary, real)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await at('sync-folder')
  await syncFolder(path.dirname(real))
}

/** A name beside `file` for what will take its place; {@link removeTemporaries} finds it again. */
export function temporaryFor(file: string): string {
  return path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`)
}

/** Takes away what killed processes have left of `file`; only they leave anything. */
export async function removeTemporaries(file: string): Promise<void> {
  const folder = path.dirname(file)
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(`.${path.basename(file)}.`)) continue
    const [, pid] = /\.(\d+)\.[0-9a-f]{12}\.tmp$/.exec(name) ?? []
    if (pid !== undefined && !isRunning(Number(pid))) await rm(path.join(folder, name), { force: true })
  }
}

type Step = (step: string) => Promise<void> | undefined

async function writeDurably(file: string, text: string, mode: number | undefined, at: Step): Promise<void> {
  await at('open')
  // Narrow from the first moment: it may hold what others must not read.
  await using handle = await open(file, 'wx', mode)
  if (mode !== undefined) await handle.chmod(mode)
  await at('write')
  await handle.writeFile(text)
  await at('sync')
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
