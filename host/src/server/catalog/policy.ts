import { compileToolGlobs, type ToolMatch } from '../../config/schema/glob.ts'
import type { ResolvedConfig } from '../../config/schema/schema.ts'
import { serverInfo, type ServerInfo } from './server-info.ts'

/** What a config says of who sees what, compiled once a generation. Everything here can be changed without a restart. */
export interface Policy {
  /** Where the settings are, for `explain`: the config's file name. */
  readonly source: string
  readonly host: GlobRule
  readonly toolsets: ReadonlyMap<string, ToolMatch>
  /** The toolsets that are on; undefined when the config does not choose. */
  readonly enabled: readonly string[] | undefined
  readonly readOnly: boolean
  readonly tenants: ReadonlyMap<string, TenantRule>
  /** Scope or role -> the tools it grants; empty when permissions come from the tools alone. */
  readonly grants: ReadonlyMap<string, ToolMatch>
  /** What is granted, with all that it implies. */
  readonly permissionsOf: (granted: readonly string[]) => ReadonlySet<string>
  readonly plugin: (entry: PluginTools) => GlobRule
  /** Name, title and version as clients see them. */
  readonly server: ServerInfo
  /** The operator's own words to the model. */
  readonly instructions: string | undefined
  /** Whether the operator wants a person's yes for each call of a tool, besides what its author wants. */
  readonly approval: (tool: ApprovalFacts) => boolean
  /** Undefined lists every tool. */
  readonly search: SearchRule | undefined
}

/** Callers who see more than `above` tools get three tools to search them by, and the tools that are kept. */
export interface SearchRule {
  readonly above: number
  readonly keeps: ToolMatch
}

export interface GlobRule {
  readonly allow: ToolMatch
  readonly deny: ToolMatch
}

export interface TenantRule extends GlobRule {
  readonly readOnly: boolean
}

interface PluginTools {
  readonly tools?: { readonly allow?: readonly string[]; readonly deny?: readonly string[] }
}

/** Compiles the settings that decide who sees what. */
export function compilePolicy(config: ResolvedConfig, source: string): Policy {
  const rules = new WeakMap<object, GlobRule>()
  const { toolsets } = config.tools
  return Object.freeze({
    source,
    host: globRule(config.tools),
    toolsets: new Map(Object.entries(toolsets).map(([name, globs]) => [name, compileToolGlobs(globs)])),
    enabled: config.tools.enable,
    readOnly: config.readOnly,
    tenants: new Map(
      Object.entries(config.tenants ?? {}).map(([name, tenant]) => [
        name,
        { ...globRule(tenant.tools ?? {}), readOnly: tenant.readOnly ?? false },
      ]),
    ),
    grants: new Map(
      Object.entries(config.auth.permissions ?? {}).map(([scope, globs]) => [
        scope,
        compileToolGlobs(globs.flatMap((glob) => (Object.hasOwn(toolsets, glob) ? (toolsets[glob] ?? []) : [glob]))),
      ]),
    ),
    server: serverInfo(config.server),
    instructions: config.server.instructions,
    approval: approvalRule(config.tools.approval),
    search: searchRule(config.tools.search),
    permissionsOf: impliedBy(config.auth.implies),
    plugin(entry: PluginTools) {
      let rule = rules.get(entry)
      if (!rule) rules.set(entry, (rule = globRule(entry.tools ?? {})))
      return rule
    },
  })
}

/** What decides whether a call needs a person's yes. */
export interface ApprovalFacts {
  readonly name: string
  readonly tags: readonly string[]
  readonly access: 'read' | 'write'
  /** Of a tool that writes, unless it says otherwise: so the protocol has it. */
  readonly isDestructive: boolean
}

function approvalRule(wanted: readonly string[]): Policy['approval'] {
  const matches = compileToolGlobs(wanted.filter((word) => word !== 'write' && word !== 'destructive'))
  const [write, destructive] = [wanted.includes('write'), wanted.includes('destructive')]
  return ({ name, tags, access, isDestructive }) =>
    (write && access === 'write') || (destructive && isDestructive) || matches(name, tags)
}

function searchRule(search: ResolvedConfig['tools']['search']): SearchRule | undefined {
  if (search === false) return undefined
  const { above, always } = search === true ? { above: 0, always: [] } : search
  return { above, keeps: compileToolGlobs(always) }
}

/** Made once for each list: those of one principal are one and the same. */
function impliedBy(implies: Readonly<Record<string, readonly string[]>>): Policy['permissionsOf'] {
  const known = new WeakMap<readonly string[], ReadonlySet<string>>()
  return (granted) => {
    let all = known.get(granted)
    if (!all) {
      const found = new Set(granted)
      // A set goes on to what is added while it is walked through.
      for (const permission of found)
        if (Object.hasOwn(implies, permission)) for (const one of implies[permission] ?? []) found.add(one)
      known.set(granted, (all = found))
    }
    return all
  }
}

/** No `allow` allows everything; an empty one allows nothing. */
function globRule({ allow, deny }: { readonly allow?: readonly string[]; readonly deny?: readonly string[] }): GlobRule {
  return { allow: allow ? compileToolGlobs(allow) : () => true, deny: compileToolGlobs(deny ?? []) }
}
