import { isLoopbackHost } from '../secure-url.ts'
import { PACKAGE_NAME } from '../../../data/package.ts'

/** Where the MCP server of an entry comes from. */
export type ServerSpecifier =
  /** A package from npm in its own dependency tree. `version` is set only where the specifier has it after the name. */
  | { readonly kind: 'npm'; readonly name: string; readonly version?: string }
  /** Whatever `command` of the entry starts. */
  | { readonly kind: 'command' }
  /** A server that runs elsewhere, at this address. */
  | { readonly kind: 'remote'; readonly url: string }

/** Why a `use` that begins with `mcp:` leads to no server, for a person. */
export interface SpecifierProblem {
  readonly kind: 'problem'
  readonly problem: string
}

const SCHEME = 'mcp:'

/**
 * Reads a `use` such as `mcp:npm:@acme/mcp-files`, `mcp:exec` or `mcp:https://mcp.example.com/mcp`. Undefined for one that does not begin
 * with `mcp:`, which is not about an MCP server. http leads no further than this machine.
 */
export function parseServerSpecifier(use: string): ServerSpecifier | SpecifierProblem | undefined {
  if (!use.startsWith(SCHEME)) return undefined
  const rest = use.slice(SCHEME.length)
  if (rest.startsWith('npm:')) return npmServer(rest.slice('npm:'.length))
  if (rest === 'exec') return { kind: 'command' }
  if (rest.startsWith('exec:'))
    return problem(`holds a command: write use: 'mcp:exec', command: ${JSON.stringify(rest.slice('exec:'.length).split(' '))}`)
  if (/^https?:/i.test(rest)) return remoteServer(rest)
  return problem("is not a kind of MCP server: write 'mcp:npm:NAME', 'mcp:exec' with command, or 'mcp:https://…'")
}

/** Whether an entry is about an MCP server and not about a plugin. */
export function isServerSpecifier(use: string): boolean {
  return use.startsWith(SCHEME)
}

/** The server that a `use` leads to; undefined for a plugin, and for one that no config may hold. */
export function serverOf(use: unknown): ServerSpecifier | undefined {
  const parsed = typeof use === 'string' ? parseServerSpecifier(use) : undefined
  return parsed?.kind === 'problem' ? undefined : parsed
}

/**
 * The instance name of an entry without `as`: the last word of the package, without what every such package is called. Empty for a
 * command and for an address, which have no word that says what they serve.
 */
export function serverInstance(use: string): string {
  const server = serverOf(use)
  if (server?.kind !== 'npm') return ''
  const words = server.name
    .replace(/^@[^/]*\//, '')
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
  const own = words.filter((word) => word !== 'mcp' && word !== 'server')
  return (own.length > 0 ? own : words).join('_').replace(/^[0-9_]+/, '')
}

function npmServer(spec: string): ServerSpecifier | SpecifierProblem {
  const [, name = '', version] = /^(@?[^@]*)(?:@(.*))?$/s.exec(spec) ?? []
  if (!PACKAGE_NAME.test(name)) return problem(`names no npm package: ${JSON.stringify(spec.slice(0, 60))}`)
  if (version === undefined) return { kind: 'npm', name }
  if (!VERSION.test(version))
    return problem(`holds ${JSON.stringify(version.slice(0, 60))}, which is not an exact version such as 2.3.1`)
  return { kind: 'npm', name, version }
}

const VERSION = /^[0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?$/

function remoteServer(address: string): ServerSpecifier | SpecifierProblem {
  const url = URL.parse(address)
  if (!url || url.hostname === '') return problem('holds an address that cannot be read')
  if (url.username !== '' || url.password !== '')
    return problem('holds a credential: set the variables that npx mcp-patchbay env names, and write the address without it')
  if (url.hash !== '') return problem('holds a #, which no server is sent: write the address without it')
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname))
    return problem('begins with http://, which is for servers on this machine: write https://')
  return { kind: 'remote', url: url.href }
}

function problem(text: string): SpecifierProblem {
  return { kind: 'problem', problem: text }
}
