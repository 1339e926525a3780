import { constants, open } from 'node:fs/promises'
import { compileCheck } from '../../data/schema/compile-check.ts'
import { faultsOf } from '../../data/typebox-value.ts'
import { HostError, hostError } from '../../errors.ts'
import { childPath } from '../../data/canonical-json.ts'
import { parseJsonText, pointerParts, type JsonText, type Position } from '../../data/json-text.ts'
import { lockfileVersion, lockSchema, normalLock, type Lock } from './lock.ts'

/** Larger than any honest lock: 10,000 tools take about 1.5 MB. */
const maxBytes = 8 * 1024 * 1024
/** How deep a lock may nest. */
const MAX_DEPTH = 32

/**
 * Reads mcp.lock.json. Undefined when there is no such file. Throws `LOCK_UNREADABLE` for a file that cannot be read, `LOCK_TOO_LARGE`
 * above 8 MiB without reading it, `LOCK_INVALID` with line and column for a torn, ambiguous or wrong one, and `LOCK_TOO_NEW` for one
 * that a newer Patchbay wrote.
 */
export async function readLock(path: string): Promise<Lock | undefined> {
  const text = await readText(path)
  return text === undefined ? undefined : parseLock(text, path)
}

/** Reads the text of a lock. `path` is for the errors, which are those of {@link readLock}. */
export function parseLock(text: string, path: string): Lock {
  const invalid = (position: Position, problem: string) => hostError('LOCK_INVALID', { path, ...position, problem })
  if (text.trim() === '') throw invalid({ line: 1, column: 1 }, 'the file is empty')
  const source = parseJsonText(text, { maxDepth: MAX_DEPTH })
  if (!source.ok)
    throw invalid(source.position, /^(<{7}|>{7})/m.test(text) ? 'a merge conflict was left in the file' : source.problem)
  const found = versionOf(source)
  if (found > lockfileVersion) throw hostError('LOCK_TOO_NEW', { path, found, understood: lockfileVersion })
  if (isLock(source.value)) return normalLock(source.value)
  const { pointer, problem } = firstFault(source)
  throw invalid(source.positionOf(pointer), problem)
}

const isLock = compileCheck(lockSchema)

/** The version of a lock of any shape: a newer one may have another than ours. */
function versionOf({ value }: JsonText): number {
  const found = typeof value === 'object' && value !== null && 'lockfileVersion' in value ? value.lockfileVersion : undefined
  return typeof found === 'number' ? found : 0
}

function firstFault({ value }: JsonText): { pointer: string; problem: string } {
  const [error] = faultsOf(lockSchema, value)
  const pointer = error?.instancePath ?? ''
  const where = pointer === '' ? 'the lock' : pointerParts(pointer).reduce(childPath, '$').slice('$.'.length)
  // A key outside the schema is reported as a part whose schema is `false`.
  return { pointer, problem: `${where} ${error?.keyword === 'boolean' ? 'does not belong here' : error?.message}` }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    // Non-blocking, or opening a named pipe would wait for its writer.
    await using file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    const stats = await file.stat()
    if (!stats.isFile()) throw hostError('LOCK_UNREADABLE', { path, problem: 'it is not a regular file' })
    if (stats.size > maxBytes) throw hostError('LOCK_TOO_LARGE', { path, bytes: stats.size, limit: maxBytes })
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.readFile())
  } catch (error) {
    if (error instanceof HostError || !(error instanceof Error)) throw error
    const code = 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return undefined
    const problem = code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is not UTF-8 text' : error.message
    throw hostError('LOCK_UNREADABLE', { path, problem }, error)
  }
}
