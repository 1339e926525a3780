import { constants } from 'node:fs'
import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../../data/json.ts'
import { replaceFile } from '../../data/replace-file.ts'
import { hostError } from '../../errors.ts'
import type { Project } from '../open-project.ts'
import { MCP_CLIENTS, type Entry, type McpClient } from './mcp-clients.ts'
import { serversIn, withServer } from './server-table.ts'

export interface ClientInstallOptions {
  readonly client: McpClient
  /** The name of the entry. Default: the one that the file has for this config already, else `patchbay`. */
  readonly as: string | undefined
  /** What the entry is to hold. */
  readonly entry: Entry
  /** Replace an entry of that name that is another server's. */
  readonly replace: boolean
  /** Into the file of the project in place of the person's own. */
  readonly inProject: boolean
  readonly now: Date
}

export interface ClientInstallation {
  readonly file: string
  readonly name: string
  readonly entry: Entry
  /** False where the file has exactly this entry. */
  readonly isChanged: boolean
  /** What the file was, whole; null where there was none, or nothing was changed. */
  readonly backup: string | null
}

/**
 * Writes the host into the file of an MCP client, whole or not at all. Whatever else is in the file stays as it is, and what the entry has
 * besides the way to the host: variables, time limits. Throws `CLIENT_FILE` and `CLIENT_TAKEN`; nothing is changed then.
 */
export async function installClient(project: Project, options: ClientInstallOptions): Promise<ClientInstallation> {
  const { client, now } = options
  const file = clientFile(project, options)
  const text = await readIfThere(file)
  const { name, entry, before } = planned(project, text ?? '', { ...options, file })
  const same = { file, name, entry, isChanged: false, backup: null }
  if (before !== undefined && isDeepStrictEqual(before, entry)) return same
  const edited = withServer(text ?? '', client, name, entry)
  if (edited === undefined) throw hostError('CLIENT_FILE', { file, problem: 'there is no place in it that can be edited safely' })
  try {
    await mkdir(dirname(file), { recursive: true })
    const backup = text === undefined ? null : `${file}.${now.toISOString().replaceAll(':', '-')}.bak`
    if (backup !== null) await copyFile(file, backup, constants.COPYFILE_EXCL)
    await replaceFile(file, edited, { what: 'client' })
    return { ...same, isChanged: true, backup }
  } catch (error) {
    throw hostError('CLIENT_FILE', { file, problem: problemOf(error) }, error)
  }
}

/** The file of the client that is written. Throws `CLIENT_FILE` where the client has none in a project. */
export function clientFile(
  { configDir }: Pick<Project, 'configDir'>,
  { client, inProject }: Pick<ClientInstallOptions, 'client' | 'inProject'>,
): string {
  if (!inProject) return client.personal({ platform: process.platform, home: homedir(), env: process.env })
  if (client.project === undefined)
    throw hostError('CLIENT_FILE', {
      file: configDir,
      problem: `${client.title} reads no file of a project. Leave --project out`,
    })
  return join(configDir, client.project)
}

interface Planned {
  readonly name: string
  readonly entry: Entry
  readonly before: unknown
}

function planned(
  { configDir, settings }: Project,
  text: string,
  { file, client, as, entry, replace }: ClientInstallOptions & { readonly file: string },
): Planned {
  const read = serversIn(text, client)
  if ('problem' in read) throw hostError('CLIENT_FILE', { file, problem: read.problem })
  const isOurs = (server: unknown) => leadsTo(server, { config: settings.file, configDir, entry })
  const name = as ?? Object.keys(read.servers).find((key) => isOurs(read.servers[key])) ?? 'patchbay'
  const before = Object.hasOwn(read.servers, name) ? read.servers[name] : undefined
  if (before === undefined) return { name, entry, before }
  if (!isOurs(before) && !replace) throw hostError('CLIENT_TAKEN', { file, name })
  const others = isObject(before) && isOurs(before) ? Object.entries(before).filter(([key]) => !WAYS.has(key)) : []
  return { name, entry: { ...entry, ...Object.fromEntries(others) }, before }
}

/** The keys of an entry that say how the server is reached. */
const WAYS: ReadonlySet<string> = new Set(['type', 'command', 'args', 'url', 'httpUrl', 'serverUrl'])

/** Whether an entry starts a host with this config, or names the same address. */
function leadsTo(server: unknown, { config, configDir, entry }: { config: string; configDir: string; entry: Entry }): boolean {
  if (!isObject(server)) return false
  const { args } = server
  if (Array.isArray(args))
    return args.some((arg, index) => {
      const path: unknown = arg === '--config' ? args[index + 1] : undefined
      return typeof path === 'string' && path.replace('${workspaceFolder}', configDir) === config
    })
  const address = (of: Entry) => of['httpUrl'] ?? of['url']
  return address(server) !== undefined && address(server) === address(entry)
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw hostError('CLIENT_FILE', { file, problem: problemOf(error) }, error)
  }
}

function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Names of {@link MCP_CLIENTS}, in the order of the help. */
export const CLIENT_NAMES: readonly string[] = Object.keys(MCP_CLIENTS)
