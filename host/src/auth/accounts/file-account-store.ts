import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../../data/replace-file.ts'
import type { AccountKey } from './account.ts'
import { TURN_MS, type AccountStore } from './account-store.ts'

/** One file for each account, which only its owner can read, whatever the umask. The folder is made with the first one. */
export function createFileAccountStore(dir: string): AccountStore {
  const fileOf = ({ person, account }: AccountKey) => join(dir, `${person}.${account}.jwe`)
  const prepare = async () => {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    // A umask can only take away, and an older folder may have more.
    await chmod(dir, 0o700)
  }

  return {
    read: async (key) => readIfThere(fileOf(key)),
    async write(key, text) {
      await prepare()
      await replaceFile(fileOf(key), text, { what: 'account', mode: 0o600 })
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
    await rm(file, { force: true })
  }
  return false
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
