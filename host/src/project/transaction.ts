import { randomBytes } from 'node:crypto'
import {
  appendFile,
  copyFile,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises'
import path from 'node:path'
import type { Static } from 'typebox'
import { removeTemporaries, temporaryFor } from '../data/replace-file.ts'
import { fits } from '../data/typebox-value.ts'
import { hostError } from '../errors.ts'
import { fault } from '../observability/faults.ts'
import { isRunning } from '../observability/is-running.ts'
import { linkTree } from './npm/link-tree.ts'
import { stopProcess } from './npm/processes.ts'
import { Type } from '../data/type.ts'

/** A change of a project that happens whole or not at all, also when the process is killed in the middle. */
export interface Transaction {
  /** Notes a child process that changes the project: an undo of the change stops it first. */
  child(pid: number): Promise<void>
  /** Notes a folder that the change is about to make below `.patchbay`: undoing the change removes it. */
  creates(folder: string): Promise<void>
  /** Makes the change final. */
  commit(): Promise<void>
  /** Puts everything back. */
  rollback(): Promise<void>
}

/**
 * Begins a change of `files`, of node_modules and of the approved texts in `configDir`: keeps what they are now under `.patchbay`.
 * Nothing else may change them until it ends. Throws `INSTALL_BUSY` while another process changes the project.
 */
export async function beginTransaction(configDir: string, files: readonly string[]): Promise<Transaction> {
  await undoInterrupted(configDir)
  const folder = path.join(configDir, '.patchbay', 'transaction')
  const staging = path.join(configDir, '.patchbay', `begin-${process.pid}-${randomBytes(4).toString('hex')}`)
  await mkdir(staging, { recursive: true })
  try {
    await fault('transaction.keep')
    const kept = await Promise.all(files.map((file, index) => keepFile(file, path.join(staging, String(index)))))
    const folders = await Promise.all(
      FOLDERS.map((name) => keepFolder(path.join(configDir, name), path.join(staging, keptName(name)))),
    )
    const journal: Journal = { pid: process.pid, files: kept, folders }
    await writeFile(path.join(staging, 'journal.json'), JSON.stringify(journal), { flush: true })
    await fault('transaction.begin')
    // From here on the next command finds the journal and undoes the change.
    await rename(staging, folder)
  } catch (error) {
    await rm(staging, { recursive: true, force: true })
    const taken = error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST')
    throw taken ? hostError('INSTALL_BUSY', { folder, pid: 0 }, error) : error
  }
  return {
    child: (pid) => writeFile(path.join(folder, 'child'), String(pid)),
    creates: (made) => appendFile(path.join(folder, 'created'), `${made}\n`),
    async commit() {
      await fault('transaction.commit')
      await end(configDir)
    },
    async rollback() {
      await stopChild(folder)
      await restore(configDir)
      await end(configDir)
    },
  }
}

/** Undoes a change whose process was killed; whether there was one. Throws `INSTALL_BUSY` when that process still runs. */
export async function undoInterrupted(configDir: string): Promise<boolean> {
  const folder = path.join(configDir, '.patchbay')
  await removeLeftovers(folder)
  const journal = await readJournal(path.join(folder, 'transaction'))
  if (!journal) return false
  // In a container the next process may well have the same number.
  if (journal.pid !== process.pid && isRunning(journal.pid))
    throw hostError('INSTALL_BUSY', { folder: path.join(folder, 'transaction'), pid: journal.pid })
  await stopChild(path.join(folder, 'transaction'))
  await restore(configDir)
  await end(configDir)
  return true
}

/** The one step that ends a change: without its folder there is nothing to undo. */
async function end(configDir: string): Promise<void> {
  const folder = path.join(configDir, '.patchbay')
  const done = path.join(folder, `done-${process.pid}-${randomBytes(4).toString('hex')}`)
  await rename(path.join(folder, 'transaction'), done)
  await fault('transaction.ended')
  await rm(done, { recursive: true, force: true })
  // Not empty where text of approved plugins is kept.
  await rmdir(folder).catch(() => {})
}

/** Every step can be done twice: this, too, may be killed. */
async function restore(configDir: string): Promise<void> {
  const folder = path.join(configDir, '.patchbay', 'transaction')
  const journal = await readJournal(folder)
  if (!journal) return
  await fault('transaction.restore')
  for (const [index, { file, existed }] of journal.files.entries()) {
    await removeTemporaries(file)
    if (existed) await putBack(path.join(folder, String(index)), file)
    else await rm(file, { force: true })
  }
  for (const kept of journal.folders) await restoreFolder(kept, folder)
  await removeCreated(folder)
  await fault('transaction.restored')
}

/** Removes the folders that the change made, and those above them that held nothing else. */
async function removeCreated(transaction: string): Promise<void> {
  const text = await readFile(path.join(transaction, 'created'), 'utf8').catch(() => '')
  for (const made of text.split('\n').filter((line) => line !== '')) {
    await rm(made, { recursive: true, force: true })
    let above = path.dirname(made)
    while (above !== path.dirname(transaction) && above !== path.dirname(above) && (await isRemoved(above)))
      above = path.dirname(above)
  }
}

async function isRemoved(emptied: string): Promise<boolean> {
  return rmdir(emptied).then(
    () => true,
    () => false,
  )
}

/** What was moved back already is no longer among what was kept. */
async function restoreFolder({ folder: live, existed }: Journal['folders'][number], transaction: string): Promise<void> {
  const kept = path.join(transaction, keptName(live))
  if (!existed) return rm(live, { recursive: true, force: true })
  if (!(await exists(kept))) return undefined
  await rename(live, path.join(transaction, `discarded-${randomBytes(4).toString('hex')}`)).catch(ignoreMissing)
  await fault('transaction.swap')
  return rename(kept, live)
}

/** What changes besides single files: what is installed, and the text of what was approved. */
const FOLDERS = ['node_modules', path.join('.patchbay', 'approved')]

const keptName = (folder: string) => path.basename(folder)

interface KeptFile {
  readonly file: string
  readonly existed: boolean
}

async function keepFile(file: string, copy: string): Promise<KeptFile> {
  // Behind a link, so that putting it back keeps the link.
  const real = await realpath(file).catch(() => file)
  if (!(await exists(real))) return { file: real, existed: false }
  await copyWithTimes(real, copy)
  return { file: real, existed: true }
}

async function putBack(copy: string, file: string): Promise<void> {
  const temporary = temporaryFor(file)
  await copyWithTimes(copy, temporary)
  await rename(temporary, file)
}

async function copyWithTimes(from: string, to: string): Promise<void> {
  await copyFile(from, to)
  const { atime, mtime } = await stat(from)
  await utimes(to, atime, mtime)
}

async function keepFolder(folder: string, copy: string): Promise<Journal['folders'][number]> {
  const existed = await exists(folder)
  if (existed) await linkTree(folder, copy)
  return { folder, existed }
}

const journalSchema = Type.Object({
  pid: Type.Integer(),
  files: Type.Array(Type.Object({ file: Type.String(), existed: Type.Boolean() })),
  folders: Type.Array(Type.Object({ folder: Type.String(), existed: Type.Boolean() })),
})

type Journal = Static<typeof journalSchema>

async function readJournal(folder: string): Promise<Journal | undefined> {
  try {
    const journal: unknown = JSON.parse(await readFile(path.join(folder, 'journal.json'), 'utf8'))
    return fits(journalSchema, journal) ? journal : undefined
  } catch (error) {
    ignoreMissing(error)
    return undefined
  }
}

/** A child that outlives the command would go on changing what is being put back. */
async function stopChild(folder: string): Promise<void> {
  const pid = Number(await readFile(path.join(folder, 'child'), 'utf8').catch(() => ''))
  if (pid > 0) await stopProcess(pid, 'npm')
}

/** What a process that was killed before it began, or after it ended, has left. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, pid] = /^(?:begin|done)-(\d+)-[0-9a-f]{8}$/.exec(name) ?? []
    if (pid !== undefined && !isRunning(Number(pid))) await rm(path.join(folder, name), { recursive: true, force: true })
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
}
