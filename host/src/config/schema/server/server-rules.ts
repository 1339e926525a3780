import type { PluginEntry } from '../schema.ts'
import { parseServerSpecifier, type ServerSpecifier } from './server-specifier.ts'

/** What is wrong with the keys of an entry that are about an MCP server, each with its key. */
export function serverFaults(entry: PluginEntry): readonly ServerFault[] {
  const parsed = typeof entry.use === 'string' ? parseServerSpecifier(entry.use) : undefined
  if (parsed === undefined)
    return SERVER_KEYS.filter((key) => entry[key] !== undefined).map((key) => ({
      key,
      problem: `belongs to an entry with use: ${NEEDED[key]}`,
    }))
  if (parsed.kind === 'problem') return [{ key: 'use', problem: `${shown(entry.use)} ${parsed.problem}` }]
  return [...placeFaults(entry, parsed), ...shareFaults(entry), ...environmentFaults(entry, parsed)]
}

export interface ServerFault {
  readonly key: keyof PluginEntry
  readonly problem: string
}

const NEEDED = {
  command: "'mcp:exec'",
  args: "'mcp:npm:NAME' or 'mcp:exec'",
  env: "'mcp:npm:NAME' or 'mcp:exec'; of plugins, capabilities.env grants variables",
  share: "'mcp:…'",
  maxProcesses: "'mcp:…'",
  roots: "'mcp:…'",
} as const
const SERVER_KEYS = ['command', 'args', 'env', 'share', 'maxProcesses', 'roots'] as const

function placeFaults(entry: PluginEntry, server: ServerSpecifier): readonly ServerFault[] {
  const { command, args, as, version, integrity, isolation, config, watch } = entry
  const faults: ServerFault[] = []
  const fault = (key: keyof PluginEntry, problem: string) => void faults.push({ key, problem })
  if (server.kind === 'npm' && server.version !== undefined)
    fault('use', `holds a version: write use: 'mcp:npm:${server.name}', version: '${server.version}'`)
  else if (server.kind === 'npm' && version === undefined)
    fault('version', `is missing: an MCP server from npm runs in one exact version. npx mcp-patchbay add mcp:npm:${server.name}`)
  if (server.kind !== 'npm' && version !== undefined) fault('version', 'is for packages from npm; leave it out')
  if (server.kind !== 'npm' && integrity !== undefined) fault('integrity', 'is for packages from npm; leave it out')
  if (server.kind !== 'npm' && as === undefined) fault('as', 'is missing: give the server a name, which its tools begin with')
  if (server.kind === 'command' && command === undefined)
    fault('command', "is missing: give the program and its arguments, such as ['uvx', 'mcp-server-git']")
  if (server.kind !== 'command' && command !== undefined) fault('command', `belongs to an entry with use: ${NEEDED.command}`)
  if (server.kind === 'remote' && args !== undefined) fault('args', `belongs to an entry with use: ${NEEDED.args}`)
  if (isolation === 'inline') fault('isolation', 'is "inline", but an MCP server never runs in the host; leave it out')
  if (server.kind !== 'remote' && Object.keys(config).length > 0)
    fault('config', 'is for plugins; an MCP server that is started here has args and env')
  if (watch.length > 0) fault('watch', 'is for plugins; an MCP server says itself what changed')
  return faults
}

function shareFaults({ share = 'all', maxProcesses, roots }: PluginEntry): readonly ServerFault[] {
  if (share !== 'all') return []
  const needs = "needs share: 'caller' or 'session': with 'all' there is one for all callers, which is told of no client"
  return [
    ...(maxProcesses === undefined ? [] : [{ key: 'maxProcesses', problem: needs } as const]),
    ...(roots === undefined ? [] : [{ key: 'roots', problem: needs } as const]),
  ]
}

function environmentFaults({ env, args = [], command = [] }: PluginEntry, server: ServerSpecifier): readonly ServerFault[] {
  const faults: ServerFault[] = []
  const fault = (key: keyof PluginEntry, problem: string) => void faults.push({ key, problem })
  const variables = Object.entries(env ?? {})
  const bad = variables.find(([name]) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
  if (server.kind === 'remote' && env !== undefined) fault('env', `belongs to an entry with use: ${NEEDED.args}`)
  if (bad) fault('env', `holds ${JSON.stringify(bad[0])}, which is not the name of a variable`)
  if (server.kind === 'npm' && env?.['NODE_OPTIONS'] !== undefined)
    fault('env', 'holds NODE_OPTIONS, which would change what the server is allowed')
  if (variables.some(([, value]) => hasNul(value))) fault('env', 'holds a NUL character, which no variable can')
  if (args.some(hasNul)) fault('args', 'holds a NUL character, which no argument can')
  if (command.some(hasNul)) fault('command', 'holds a NUL character, which no argument can')
  return faults
}

function hasNul(value: unknown): boolean {
  return typeof value === 'string' && value.includes('\0')
}

function shown(use: PluginEntry['use']): string {
  return JSON.stringify(typeof use === 'string' ? use.slice(0, 60) : 'object')
}
