import { basename, dirname, resolve } from 'node:path'
import { readTextFile } from '../../config/plugin/text-file.ts'
import { isObject } from '../../data/json.ts'
import { parseLenientJson } from '../clients/lenient-json.ts'
import { hostError } from '../../errors.ts'

/** The servers that an MCP client's config file names. */
export interface ClientConfig {
  readonly file: string
  /** What the client means by the folder of the workspace. */
  readonly workspace: string
  /** By the names that they have there, in order. */
  readonly servers: Readonly<Record<string, ClientServer>>
  /** What the client asks a person for, by id: the words of the question. */
  readonly inputs: Readonly<Record<string, string>>
}

/** One server as it is written, unchecked. */
export type ClientServer = Readonly<Record<string, unknown>>

/**
 * Reads `claude_desktop_config.json`, `.mcp.json`, `.cursor/mcp.json` (`mcpServers`) or `.vscode/mcp.json` (`servers`, or `mcp.servers` in
 * settings), with comments and trailing commas. Throws `IMPORT_FILE`.
 */
export function readClientConfig(path: string): ClientConfig {
  const file = resolve(path)
  const refuse = (problem: string, cause?: unknown) => hostError('IMPORT_FILE', { file, problem }, cause)
  const read = readTextFile(file)
  if (!('text' in read)) throw refuse(read.problem)
  let value: unknown
  try {
    value = parseLenientJson(read.text)
  } catch (error) {
    // The message of JSON.parse quotes the text, which may hold secrets.
    throw refuse('it is not JSON', error)
  }
  const root = isObject(value) ? value : {}
  const inSettings = isObject(root['mcp']) ? root['mcp'] : {}
  const servers = [root['mcpServers'], root['servers'], inSettings['servers']].find(isObject)
  if (!servers) throw refuse('it has neither "mcpServers" nor "servers"')
  const folder = dirname(file)
  return {
    file,
    workspace: basename(folder).startsWith('.') ? dirname(folder) : folder,
    servers: Object.fromEntries(Object.entries(servers).map(([name, server]) => [name, isObject(server) ? server : {}])),
    inputs: inputsOf(root['inputs'] ?? inSettings['inputs']),
  }
}

function inputsOf(inputs: unknown): Readonly<Record<string, string>> {
  const list: readonly unknown[] = Array.isArray(inputs) ? inputs : []
  return Object.fromEntries(
    list.flatMap((input) => {
      if (!isObject(input) || typeof input['id'] !== 'string') return []
      return [[input['id'], typeof input['description'] === 'string' ? input['description'] : '']]
    }),
  )
}
