import { accountFaults } from './account-rules.ts'
import type { Fault } from './fault.ts'
import { oauthFaults, oauthWarnings } from './oauth-rules.ts'
import type { PluginEntry, ResolvedConfig } from './schema.ts'
import { isLoopbackHost, isSafeUrl } from './secure-url.ts'
import { serverFaults } from './server/server-rules.ts'
import { isServerSpecifier } from './server/server-specifier.ts'
import { PACKAGE_NAME } from '../../data/package.ts'

/** What no schema can say: settings that contradict each other, names that clash or are the host's own. */
export function ruleFaults(config: ResolvedConfig): readonly Fault[] {
  return [
    ...entryFaults(config.plugins),
    ...authFaults(config),
    ...oauthFaults(config),
    ...accountFaults(config),
    ...compatFaults(config),
  ]
}

/** What is allowed but seldom meant, one line each. */
export function configWarnings(config: ResolvedConfig): readonly string[] {
  const { allow, deny, enable, toolsets } = config.tools
  const known = Object.keys(toolsets)
  return [
    ...(enable?.length === 0 ? ['tools.enable is empty: no tool is served'] : []),
    ...duplicates('tools.enable', enable),
    ...listWarnings('tools', { allow, deny }),
    ...known.flatMap((name) => duplicates(`tools.toolsets.${name}`, toolsets[name])),
    ...config.plugins.flatMap((entry, index) => listWarnings(`plugins[${index}].tools`, entry.tools)),
    ...Object.entries(config.tenants).flatMap(([name, tenant]) => listWarnings(`tenants.${name}.tools`, tenant.tools)),
    ...duplicates('pluginDirs', config.pluginDirs),
    ...auditWarnings(config),
    ...oauthWarnings(config),
  ]
}

/** Lines of the audit are of the level `info`. */
function auditWarnings({ log: { audit, level }, auth }: ResolvedConfig): readonly string[] {
  const isWanted = audit ?? auth.inbound.mode !== 'none'
  const isShown = level === 'trace' || level === 'debug' || level === 'info'
  return isWanted && !isShown ? [`log.level is "${level}": the lines of the audit are not written`] : []
}

/** Instance names whose tools would be named like tools of the host, such as `tools_search`. */
export const RESERVED_INSTANCES: readonly string[] = Object.freeze(['tools', 'patchbay'])

function entryFaults(entries: readonly PluginEntry[]): readonly Fault[] {
  const seen = new Map<string, number>()
  return entries.flatMap((entry, index) => {
    const { use, as, exchange, http, watch, operations } = entry
    const faults: Fault[] = serverFaults(entry).map(({ key, problem }) => ({ path: ['plugins', index, key], problem }))
    const fault = (key: 'use' | 'as' | 'operations', problem: string) =>
      void faults.push({ path: ['plugins', index, key], problem })
    const specifier = typeof use === 'string' ? specifierProblem(use) : undefined
    if (specifier !== undefined) fault('use', specifier)
    watch.forEach((pattern, at) => {
      if (leavesFolder(pattern))
        faults.push({
          path: ['plugins', index, 'watch', at],
          problem: `${JSON.stringify(pattern)} leads out of the plugin's folder: give a glob relative to it`,
        })
    })
    if (operations) fault('operations', "belongs to an entry with use: 'openapi:…'; of other plugins, tools.allow selects")
    if ((http.certFile === undefined) !== (http.keyFile === undefined))
      faults.push({ path: ['plugins', index, 'http'], problem: 'has one of certFile and keyFile: a certificate needs both' })
    if (exchange && !isSafeUrl(exchange.tokenUrl))
      faults.push({
        path: ['plugins', index, 'exchange', 'tokenUrl'],
        problem: 'must begin with https://: tokens of callers are sent there',
      })
    if (as !== undefined && RESERVED_INSTANCES.includes(as)) fault('as', `"${as}" is a name of the host itself; use another`)
    const name = as ?? (typeof use === 'string' ? use : use.name)
    const first = seen.get(name)
    if (first === undefined) seen.set(name, index)
    else if (as !== undefined) fault('as', `"${as}" is also the name of plugins[${first}]; give each its own`)
    else fault('use', `the same plugin as plugins[${first}]: give one of them another name with as`)
    return faults
  })
}

/** What could never be a plugin's place, whatever the folder; the rest is known when the plugin is looked for. */
function specifierProblem(use: string): string | undefined {
  if (use.includes('\0')) return 'holds a NUL character'
  if (/^[a-z]:[\\/]/i.test(use) || isServerSpecifier(use)) return undefined
  if (use.includes(':'))
    return `${JSON.stringify(use.slice(0, 60))} is a URL: give a path beginning with ./ or the name of an npm package`
  if (/^\.|^\//.test(use) || PACKAGE_NAME.test(use)) return undefined
  const [, name = '', version = ''] = /^(@?[^@]+)@(.+)$/.exec(use) ?? []
  if (PACKAGE_NAME.test(name)) return `holds a version: write use: ${JSON.stringify(name)}, version: ${JSON.stringify(version)}`
  return `${JSON.stringify(use.slice(0, 60))} is neither a path beginning with ./ nor the name of an npm package`
}

function leavesFolder(pattern: string): boolean {
  return /^(?:[/\\]|[a-z]:)|(?:^|[/\\])\.\.(?:[/\\]|$)/i.test(pattern)
}

function authFaults({ auth: { inbound } }: ResolvedConfig): readonly Fault[] {
  const { mode, keys, oauth } = inbound
  const faults: Fault[] = []
  const fault = (key: string, problem: string) => void faults.push({ path: ['auth', 'inbound', key], problem })
  if (mode === 'oauth' && !oauth)
    fault('mode', 'is "oauth", but auth.inbound.oauth is missing: give the resource and its issuers')
  if (mode === 'any' && !oauth) fault('mode', 'is "any", but auth.inbound.oauth is missing: for API keys alone, say "apiKey"')
  const ids = keys.map(({ id }) => id)
  ids.forEach((id, index) => {
    if (ids.indexOf(id) < index)
      faults.push({ path: ['auth', 'inbound', 'keys', index, 'id'], problem: `"${id}" is also the id of another key` })
  })
  return faults
}

/** The guide's behaviour sends whatever bearer a caller presents to a service: safe for one service and one person only. */
function compatFaults({ compat, auth, listen, plugins, pluginDirs, tenants }: ResolvedConfig): readonly Fault[] {
  if (!compat.authorizationIsUpstream) return []
  const needs = [
    ...(auth.inbound.mode === 'none' ? [] : ['auth.inbound.mode "none"']),
    ...(listen.http && !isLoopbackHost(listen.http.host) ? ['listen.http.host on loopback'] : []),
    ...(plugins.length === 1 && pluginDirs.length === 0 ? [] : ['exactly one entry in plugins and no pluginDirs']),
    ...(plugins.every((entry) => entry.allowRequestCredentials) ? [] : ['allowRequestCredentials true']),
    ...(Object.keys(tenants).length === 0 ? [] : ['no tenants']),
  ]
  if (needs.length === 0) return []
  return [
    {
      path: ['compat', 'authorizationIsUpstream'],
      problem: `needs ${needs.join(', and ')}: otherwise it would send one caller's token to a service that the token is not for`,
    },
  ]
}

function listWarnings(
  where: string,
  { allow, deny }: { readonly allow: readonly string[]; readonly deny: readonly string[] },
): readonly string[] {
  return [
    ...(allow.length === 0 ? [`${where}.allow is empty: it allows nothing`] : []),
    ...duplicates(`${where}.allow`, allow),
    ...duplicates(`${where}.deny`, deny),
  ]
}

function duplicates(where: string, list: readonly string[] = []): readonly string[] {
  const repeated = new Set(list.filter((item, index) => list.indexOf(item) < index))
  return [...repeated].map((item) => `${where} has ${JSON.stringify(item)} more than once`)
}
