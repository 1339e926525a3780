import { unusedSecrets } from '@mcp-patchbay/plugin-api/host'
import { isVariableOfAnother } from '../../config/plugin/foreign-variables.ts'
import { networkVariableNames } from '../../config/plugin/network-variables.ts'
import { configVariables, variableName } from '../../config/plugin/variables.ts'
import { presetOf } from '../../config/schema/account-rules.ts'
import type { PluginEntry, ResolvedConfig } from '../../config/schema/schema.ts'
import { isServerSpecifier } from '../../config/schema/server/server-specifier.ts'
import { suggest } from '../../config/schema/suggest.ts'
import { isObject } from '../../data/json.ts'
import { hostError, type HostError } from '../../errors.ts'
import type { PluginSurface } from '../source/describe-surface.ts'
import { tenantPrefix, tenantsWith, type TenantSettings } from './tenant-config.ts'

/** Something that reads an environment variable. Two with the same words read it for the same thing, and are one. */
export interface EnvironmentReader {
  readonly variable: string
  /** What for: `personalToken of github`. */
  readonly reader: string
  /** Whose it is; undefined for the host's own. */
  readonly instance: string | undefined
  /** A plugin was granted the variable itself, beside its config. */
  readonly isGrant?: boolean
}

export interface ReadingPlugin {
  readonly instance: string
  readonly entry: PluginEntry
  /** Undefined for one that could not be read: what it reads is not known. */
  readonly surface?: PluginSurface | undefined
}

/** Every variable that is read for one plugin: its config, that of its tenants, how its service is reached, its exchange, its grants. */
export function pluginReaders(
  { instance, entry, surface }: ReadingPlugin,
  tenants: TenantSettings,
): readonly EnvironmentReader[] {
  const of = (variable: string, reader: string): EnvironmentReader => ({ variable, reader, instance })
  const prefixes = [
    { prefix: instance, whose: instance },
    ...tenantsWith(tenants, instance).map((tenant) => ({
      prefix: tenantPrefix(tenant, instance),
      whose: `${instance} for the tenant ${tenant}`,
    })),
  ]
  const { exchange, oauth, capabilities } = entry
  return [
    ...prefixes.flatMap(({ prefix, whose }) => {
      const config = surface ? configVariables(prefix, surface.config) : []
      return [
        ...config.flatMap(({ variable, keyPath }) => withFile(variable).map((name) => of(name, `${keyPath} of ${whose}`))),
        ...connectionVariables(prefix, surface).map((name) => of(name, `the connections of ${whose} (${name})`)),
      ]
    }),
    ...(oauth?.clientSecretVariable === undefined
      ? []
      : withFile(oauth.clientSecretVariable).map((name) => ({
          ...of(
            name,
            `the client secret of ${oauth.clientId ?? '(no client)'} at ${oauth.issuer ?? oauth.tokenUrl ?? presetOf(entry)}`,
          ),
          instance: undefined,
        }))),
    ...(exchange?.clientSecretVariable === undefined
      ? []
      : withFile(exchange.clientSecretVariable).map((name) => ({
          ...of(name, `the client secret of ${exchange.clientId} at ${exchange.tokenUrl}`),
          instance: undefined,
        }))),
    ...(capabilities.env ?? []).map((name) => ({ ...of(name, `capabilities.env of ${instance}`), isGrant: true })),
  ]
}

/** The variables that the plugin's own config has under this prefix, `_FILE` included. */
export function variablesOfConfig(prefix: string, surface: Pick<PluginSurface, 'config'> | undefined): ReadonlySet<string> {
  return new Set(surface ? configVariables(prefix, surface.config).flatMap(({ variable }) => withFile(variable)) : [])
}

/** The variables that say how the service of a plugin is reached; none for a plugin that reaches none through the host. */
export function connectionVariables(
  prefix: string,
  surface: Pick<PluginSurface, 'config' | 'capabilities'> | undefined,
): readonly string[] {
  const { config, capabilities } = surface ?? {}
  const properties = config?.['properties']
  const reachesNothing = surface && !(isObject(properties) && 'apiUrl' in properties) && (capabilities?.hosts ?? []).length === 0
  return reachesNothing ? [] : networkVariableNames(prefix, variablesOfConfig(prefix, surface))
}

/** What the host itself reads by the names that its config gives, and by its own. */
export function hostReaders({ auth }: Pick<ResolvedConfig, 'auth'>): readonly EnvironmentReader[] {
  const { stateKeyVariable, accounts, inbound } = auth
  const of = (variable: string | undefined, reader: string) =>
    variable === undefined ? [] : withFile(variable).map((name) => ({ variable: name, reader, instance: undefined }))
  return [
    ...of(stateKeyVariable, 'auth.stateKeyVariable'),
    ...[accounts?.keyVariable ?? []].flat().flatMap((variable) => of(variable, `auth.accounts.keyVariable`)),
    ...of(accounts?.login?.clientSecretVariable, 'the client secret of auth.accounts.login'),
    ...(inbound.oauth?.issuers ?? []).flatMap(({ issuer, introspection }) =>
      of(introspection?.clientSecretVariable, `the client secret for introspection at ${issuer}`),
    ),
    ...OWN.map((variable) => ({ variable, reader: 'the host itself', instance: undefined })),
  ]
}

const OWN = ['MCP_DEPLOYMENT', 'NODE_ENV', 'NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS', 'PATCHBAY_LOG', 'PATCHBAY_DIRECT']

interface Collision {
  readonly variable: string
  readonly readers: readonly EnvironmentReader[]
}

/**
 * The variables that are read for more than one thing. Granting one variable to several plugins is no collision, nor is granting a plugin
 * one of its own.
 */
export function findSharedVariables(readers: readonly EnvironmentReader[]): readonly Collision[] {
  const byVariable = new Map<string, EnvironmentReader[]>()
  for (const reader of readers) {
    const known = byVariable.get(reader.variable)
    if (!known) byVariable.set(reader.variable, [reader])
    else if (!known.some(({ reader: before }) => before === reader.reader)) known.push(reader)
  }
  return [...byVariable].flatMap(([variable, all]) => {
    const others = all.filter(
      ({ isGrant, instance }) =>
        !isGrant || all.some((other) => !other.isGrant && (other.instance === undefined || other.instance !== instance)),
    )
    return others.length > 1 && others.some(({ isGrant }) => !isGrant) ? [{ variable, readers: others }] : []
  })
}

/** The error of what reads a variable that something else reads too; undefined where there is none. */
export function collisionError(collisions: readonly Collision[]): HostError | undefined {
  if (collisions.length === 0) return undefined
  return hostError('CONFIG_COLLISION', {
    collisions: collisions.map(({ variable, readers }) => ({ variable, readers: readers.map(({ reader }) => reader) })),
  })
}

/**
 * Variables that begin as those of an instance do and that nothing reads, a line an instance: a slip, or what another program calls so,
 * but for those of programs that everybody has. One whose config could not be read may read any.
 */
export function unreadVariables(
  env: Readonly<Record<string, string | undefined>>,
  plugins: readonly ReadingPlugin[],
  { tenants, readers }: { readonly tenants: TenantSettings; readonly readers: readonly EnvironmentReader[] },
): readonly string[] {
  const read = new Set(readers.map(({ variable }) => variable))
  const owners = plugins.flatMap((plugin) =>
    [plugin.instance, ...tenantsWith(tenants, plugin.instance).map((tenant) => tenantPrefix(tenant, plugin.instance))].map(
      (prefix) => ({ plugin, prefix: variableName(prefix, '') }),
    ),
  )
  const byOwner = new Map<(typeof owners)[number], string[]>()
  for (const [name, value] of Object.entries(env)) {
    if (!value || read.has(name)) continue
    const [owner] = owners.filter(({ prefix }) => name.startsWith(prefix)).toSorted((a, b) => b.prefix.length - a.prefix.length)
    if (!owner?.plugin.surface || isVariableOfAnother(name)) continue
    byOwner.set(owner, [...(byOwner.get(owner) ?? []), name])
  }
  return [...byOwner].map(([{ plugin, prefix }, names]) => unreadLine(plugin.instance, names, near(prefix, names, read)))
}

/** Secrets that a plugin asks for and that reach nothing, or fail where the plugin asks to see them, a line each. */
export function unusedSecretLines(plugins: readonly ReadingPlugin[]): readonly string[] {
  return plugins.flatMap(({ instance, entry, surface }) => {
    // One in the host has them for the asking, one in a process of its own has to ask as well.
    const isGranted = entry.capabilities.credentials === 'raw'
    if (isGranted && entry.isolation === 'inline') return []
    if (typeof entry.use === 'string' && isServerSpecifier(entry.use)) return []
    // In a process of its own it does not start without the grant.
    if (!isGranted && surface?.capabilities.credentials === 'raw' && entry.isolation === 'inline')
      return [
        `${instance} declares credentials: 'raw', and its entry does not grant that: every call that reveals a secret fails. Write it in the config: { use: ${JSON.stringify(entry.use)}, capabilities: { credentials: 'raw' } }`,
      ]
    return unusedSecrets(surface?.config, surface?.capabilities).map((key) =>
      isGranted
        ? `config.${key} of ${instance} is granted, but the plugin does not declare credentials: 'raw', so nothing uses it`
        : `config.${key} of ${instance} is a secret that nothing uses: no request carries it. The author of the plugin names it personalToken, apiToken or apiKey, or declares capabilities: { credentials: 'raw' }`,
    )
  })
}

const MOST_NAMED = 5

function unreadLine(instance: string, names: readonly string[], hints: readonly string[]): string {
  const named = names.slice(0, MOST_NAMED).join(', ')
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : ''
  const which = names.length === 1 ? 'is set, but nothing reads it' : 'are set, but nothing reads them'
  return `${[`${named}${more} ${which}`, ...hints].join('; ')}. What it reads: npx mcp-patchbay env ${instance}`
}

function near(prefix: string, names: readonly string[], read: ReadonlySet<string>): readonly string[] {
  const known = [...read].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))
  return names.slice(0, MOST_NAMED).flatMap((name) => {
    const meant = suggest(name.slice(prefix.length), known, 2)
    return meant === undefined ? [] : [`did you mean ${prefix}${meant}`]
  })
}

function withFile(variable: string): readonly string[] {
  return [variable, `${variable}_FILE`]
}
