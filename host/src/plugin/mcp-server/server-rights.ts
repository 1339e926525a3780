import type { PluginEntry } from '../../config/schema/schema.ts'
import { serverOf } from '../../config/schema/server/server-specifier.ts'
import { secretNames } from './process/server-command.ts'

/** Where the code of an entry runs, for listings: an MCP server that nothing confines, or that runs elsewhere, is shown as such. */
export type ShownIsolation = 'inline' | 'process' | 'unconfined' | 'remote'

export function shownIsolation(entry: PluginEntry): ShownIsolation {
  const kind = serverOf(entry.use)?.kind
  if (kind === 'command') return 'unconfined'
  return kind === 'remote' ? 'remote' : entry.isolation
}

/** What the MCP server of an entry can do on this machine, in words; nothing for a plugin. */
export function serverRights(entry: PluginEntry): readonly string[] {
  const kind = serverOf(entry.use)?.kind
  if (kind === undefined || kind === 'remote') return []
  const { fs, hosts, native } = entry.capabilities
  const secrets = secretNames(entry)
  const holds = secrets.length > 0 ? [`holds ${secrets.join(', ')}`] : []
  if (kind === 'command') return ['everything that the user of the host can do', ...holds]
  return [
    ...fs.read.map((path) => `reads ${path}`),
    ...fs.write.map((path) => `writes ${path}`),
    // Node's permission model names no hosts.
    ...(hosts.length > 0 ? ['the whole network'] : []),
    ...(native ? ['compiled addons, which nothing confines'] : []),
    ...holds,
  ]
}
