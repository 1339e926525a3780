import { randomBytes } from 'node:crypto'
import { chmod, link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../../../data/replace-file.ts'
import type { AccountKey } from '../account.ts'
import { TURN_MS, type AccountStore } from './account-store.ts'

/** One file for each account, which only its owner can read, whatever the umask. The folder is made with the first one. */
export function createFileAccountStore(dir: string): AccountStore {
  const fileOf = ({ person, account }: AccountKey) => join(dir, `${person}.${account}.jwe`)
  const prepare = async () => {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    // A umask can only take away, and an older folder may have more.
    await chmod(dir, 0o700)
  }

  const write = async (key: AccountKey, text: string) => {
    await prepare()
    await replaceFile(fileOf(key), text, { what: 'account', mode: 0o600 })
  }

  return {
    read: async (key) => readIfThere(fileOf(key)),
    write,
    async replace(key, before, text) {
      // Two steps: the process that changes an account has the turn for it, unless that took longer than a turn lasts.
      if ((await readIfThere(fileOf(key))) !== before) return false
      await write(key, text)
      return true
    },
    async remove(key) {
      const file = fileOf(key)
      const isThere = (await readIfThere(file)) !== undefined
      await rm(file, { force: true })
      return isThere
    },
    async list(person) {
      const names = await readdir(dir).catch((error: unknown) => (isMissing(error) ? [] : Promise.reject(error)))
      const own = names.flatMap((name) => {
        const [of, account, end, ...rest] = name.split('.')
        return of === person && account && end === 'jwe' && rest.length === 0 ? [{ name, account }] : []
      })
      const texts = await Promise.all(own.map(({ name }) => readIfThere(join(dir, name))))
      return own.flatMap(({ account }, index) => {
        const text = texts[index]
        return text === undefined ? [] : [{ account, text }]
      })
    },
    async inTurn(key, work) {
      await prepare()
      const file = `${fileOf(key)}.turn`
      const mark = randomBytes(12).toString('hex')
      if (!(await take(file, mark))) return undefined
      try {
        return { result: await work() }
      } finally {
        if ((await readIfThere(file)) === mark) await rm(file, { force: true })
      }
    },
  }
}

/** Whoever makes the file has the turn. One that is too old is of a host that ended in its turn. */
async function take(file: string, mark: string): Promise<boolean> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      await using handle = await open(file, 'wx', 0o600)
      await handle.writeFile(mark)
      return true
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    const found = await stat(file).catch(() => undefined)
    if (found && Date.now() - found.mtimeMs < TURN_MS) return false
    if (found) await removeStale(file, mark)
  }
  return false
}

/** Two hosts that both find it too old must not take away what the first of them then made. */
async function removeStale(file: string, mark: string): Promise<void> {
  const aside = `${file}.${mark}`
  await rename(file, aside).catch(ignoreMissing)
  const moved = await stat(aside).catch(() => undefined)
  if (moved && Date.now() - moved.mtimeMs < TURN_MS) await link(aside, file).catch(() => {}) // a third one has it by now
  await rm(aside, { force: true })
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
