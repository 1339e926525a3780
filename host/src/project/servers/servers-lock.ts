import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Static } from 'typebox'
import { replaceFile } from '../../data/replace-file.ts'
import { Type } from '../../data/type.ts'
import { fits } from '../../data/typebox-value.ts'
import { hostError } from '../../errors.ts'

/**
 * Beside mcp.lock.json, and committed with it: which packages make up the tree of each npm server, by npm's own record. With it another
 * machine installs the same tree, which mcp.lock.json has the digest of.
 */
export function serversLockPath(configDir: string): string {
  return join(configDir, 'mcp.servers.lock.json')
}

const packagesSchema = Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()))
const serversLockSchema = Type.Object(
  { lockfileVersion: Type.Literal(1), servers: Type.Record(Type.String(), packagesSchema) },
  { additionalProperties: false },
)

/** The `packages` of npm's package-lock.json, by where each lies. */
export type NpmPackages = Static<typeof packagesSchema>

/** The packages of each server, by `name@version`. */
export type ServersLock = Readonly<Record<string, NpmPackages>>

/** Empty where there is no such file. Throws `LOCK_INVALID` and `LOCK_UNREADABLE`. */
export async function readServersLock(configDir: string): Promise<ServersLock> {
  const path = serversLockPath(configDir)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw hostError('LOCK_UNREADABLE', { path, problem: error instanceof Error ? error.message : String(error) }, error)
  }
  const invalid = (problem: string, cause?: unknown) => hostError('LOCK_INVALID', { path, line: 1, column: 1, problem }, cause)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error), error)
  }
  if (!fits(serversLockSchema, value)) throw invalid('it is not a list of servers that this version of Patchbay wrote')
  return value.servers
}

/** Replaces the whole file, in order of name; without servers there is none. */
export async function writeServersLock(configDir: string, lock: ServersLock): Promise<void> {
  const path = serversLockPath(configDir)
  if (Object.keys(lock).length === 0) return rm(path, { force: true })
  const servers = Object.fromEntries(Object.entries(lock).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  await replaceFile(path, `${JSON.stringify({ lockfileVersion: 1, servers }, null, 1)}\n`, { what: 'servers-lock' })
}
