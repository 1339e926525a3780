import { parse, stringify } from 'smol-toml'
import { isObject } from '../../data/json.ts'
import type { Entry } from './mcp-clients.ts'

/** Throws what the parser throws. */
export function parseToml(text: string): unknown {
  // Its tables have no prototype, and compare as different from objects that have one.
  return JSON.parse(JSON.stringify(parse(text.replace(/^\uFEFF/, ''))))
}

/**
 * The TOML text with the table `[key.name]`, in the place of the one that it has, or at the end. The caller proves the edit by reading it:
 * a line of a text over several lines may look like a table.
 */
export function withTomlEntry(text: string, key: string, name: string, entry: Entry): string {
  const line = text.includes('\r\n') ? '\r\n' : '\n'
  const table = stringify({ [key]: { [name]: entry } }).trim()
  const lines = text.split(/\r?\n/)
  const rest = withoutTables(lines, [key, name])
  const at = rest.at ?? rest.lines.length
  const [before, after] = [rest.lines.slice(0, at).join('\n').trimEnd(), rest.lines.slice(at).join('\n').replace(/^\n+/, '')]
  const joined = [before, table, after.trimEnd()].filter((part) => part !== '').join('\n\n')
  return `${joined}\n`.replaceAll('\n', line)
}

/** The lines but those of the table at `path` and of the tables below it, and where the first of them was. */
function withoutTables(
  lines: readonly string[],
  path: readonly string[],
): { readonly lines: readonly string[]; readonly at: number | undefined } {
  const kept: string[] = []
  let at: number | undefined
  let isOwn = false
  let pending: string[] = []
  for (const line of lines) {
    const header = tablePath(line)
    if (header) {
      isOwn = path.every((part, index) => header[index] === part)
      // Comments above the next table are about that one.
      kept.push(...pending)
      pending = []
      if (isOwn) at ??= kept.length
    }
    if (!isOwn) kept.push(line)
    else if (/^\s*(?:#.*)?$/.test(line)) pending.push(line)
    else pending = []
  }
  return { lines: [...kept, ...pending], at }
}

/** The keys of a line such as `[mcp_servers."a b".env]`; undefined for a line that is none. */
function tablePath(line: string): readonly string[] | undefined {
  if (!/^\s*\[/.test(line)) return undefined
  try {
    const keys: string[] = []
    let value: unknown = parseToml(line)
    while (isObject(value)) {
      const [key] = Object.keys(value)
      if (key === undefined) break
      keys.push(key)
      value = value[key]
    }
    return keys.length > 0 ? keys : undefined
  } catch {
    return undefined
  }
}
