import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Static } from 'typebox'
import { check } from '../../../config/schema/check-value.ts'
import { formatPath } from '../../../config/schema/fault.ts'
import { replaceFile } from '../../../data/replace-file.ts'
import { HostError, hostError } from '../../../errors.ts'
import { KEY_ID } from './api-key.ts'
import { Type } from '../../../data/type.ts'

/** One key in the file; the key itself is in none. */
export type StoredKey = Static<typeof storedKey>

/** The keys of the file; none when there is no file. Throws `AUTH_KEYS_FILE`. */
export async function readKeyFile(file: string): Promise<readonly StoredKey[]> {
  const fail = (problem: string, cause?: unknown) => hostError('AUTH_KEYS_FILE', { file, problem }, cause)
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw fail(error.message, error)
  })
  if (text === undefined) return []
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw fail(`it is not JSON (${error instanceof Error ? error.message : String(error)})`, error)
  }
  if (!isKeyFile(value)) {
    const [fault] = check(keyFile, value)
    throw fail(fault ? `${formatPath(fault.path) || 'the file'}: ${fault.problem}` : 'it holds no keys')
  }
  const ids = value.keys.map(({ id }) => id)
  const twice = ids.find((id, index) => ids.indexOf(id) < index)
  if (twice !== undefined) throw fail(`it has the key "${twice}" twice`)
  return value.keys
}

/**
 * Replaces the keys of `file` by what `change` makes of them, in a file that only its owner can read. Makes the folder if there is
 * none. Throws `AUTH_KEYS_FILE`, `AUTH_KEYS_BUSY` while another process changes it, and what `change` throws; then no key is changed.
 */
export async function changeKeyFile(file: string, change: (keys: readonly StoredKey[]) => readonly StoredKey[]): Promise<void> {
  const lock = `${file}.lock`
  await using stack = new AsyncDisposableStack()
  try {
    await mkdir(dirname(file), { recursive: true })
    await (await open(lock, 'wx')).close()
    stack.defer(() => rm(lock, { force: true }))
    const keys = change(await readKeyFile(file))
    await replaceFile(file, `${JSON.stringify({ keysVersion: 1, keys }, null, 2)}\n`, { what: 'keys', mode: 0o600 })
  } catch (error) {
    if (error instanceof HostError) throw error
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
      throw hostError('AUTH_KEYS_BUSY', { file, lock }, error)
    throw hostError('AUTH_KEYS_FILE', { file, problem: error instanceof Error ? error.message : String(error) }, error)
  }
}

const instant = Type.String({ format: 'date-time', title: 'an ISO 8601 date and time' })

const storedKey = Type.Object(
  {
    id: Type.String({ pattern: KEY_ID.source, title: 'at most 40 characters of a to z, 0 to 9 and -' }),
    hash: Type.String({ pattern: '^[0-9a-f]{64}$', title: '64 hexadecimal digits, the SHA-256 of the key' }),
    scopes: Type.Array(Type.String()),
    tenant: Type.Optional(Type.String({ minLength: 1 })),
    createdAt: Type.Optional(instant),
    notAfter: Type.Optional(instant),
    /** A revoked key keeps its record, so that no other key gets its id. */
    revokedAt: Type.Optional(instant),
  },
  { additionalProperties: false },
)

const keyFile = Type.Object({ keysVersion: Type.Literal(1), keys: Type.Array(storedKey) }, { additionalProperties: false })

function isKeyFile(value: unknown): value is Static<typeof keyFile> {
  return check(keyFile, value).length === 0
}
