import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../../data/json.ts'
import { parseLenientJson } from './lenient-json.ts'
import { withJsonEntry } from './json-entry.ts'
import type { Entry, McpClient } from './mcp-clients.ts'
import { parseToml, withTomlEntry } from './toml-entry.ts'

type Servers = Readonly<Record<string, unknown>>

/** The servers that a client's file has. `problem` never quotes the file, which may hold secrets. */
export function serversIn(
  text: string,
  { syntax, key }: McpClient,
): { readonly servers: Servers } | { readonly problem: string } {
  const value = valueOf(text, syntax)
  if (value === undefined) return { problem: `it is not ${syntax === 'json' ? 'JSON' : 'TOML'}` }
  const servers = value[key] ?? {}
  return isObject(servers) ? { servers } : { problem: `"${key}" is not a ${syntax === 'json' ? 'JSON object' : 'table'}` }
}

/**
 * The text with the server `name`; whatever else is in it stays as it is written, comments too. Proved by reading the new text: undefined
 * where it does not say exactly what the old one said, with that server.
 */
export function withServer(text: string, client: McpClient, name: string, entry: Entry): string | undefined {
  const { syntax, key } = client
  const before = valueOf(text, syntax)
  const found = serversIn(text, client)
  if (!before || !('servers' in found)) return undefined
  const wanted = { ...before, [key]: { ...found.servers, [name]: entry } }
  const edited = syntax === 'json' ? withJsonEntry(text, key, name, entry) : withTomlEntry(text, key, name, entry)
  return edited !== undefined && isDeepStrictEqual(valueOf(edited, syntax), wanted) ? edited : undefined
}

function valueOf(text: string, syntax: McpClient['syntax']): Servers | undefined {
  if (text.replace(/^\uFEFF/, '').trim() === '') return {}
  try {
    const value = syntax === 'json' ? parseLenientJson(text) : parseToml(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
