import { CREDENTIAL_KEYS } from '@mcp-patchbay/plugin-api/host'
import type { ReadConfig, UnreadConfig } from '../../config/plugin/plugin-environment.ts'
import type { PluginEntry } from '../../config/schema/schema.ts'
import { configVariables, credentialAlternatives, refuseCollisions, variableName } from '../../config/plugin/variables.ts'
import { hostError, type HostError } from '../../errors.ts'
import { readEntryConfig, type EntryEnvironment } from './entry-config.ts'
import type { PluginSurface } from '../source/describe-surface.ts'
import { readTenantConfigs, tenantPrefix, tenantsWith, type TenantSettings } from './tenant-config.ts'

/** A plugin's config for one part of its callers. */
export interface Settings {
  readonly config: Readonly<Record<string, unknown>>
  readonly secrets: ReadonlyMap<string, string>
  readonly sources: Readonly<Record<string, string>>
  /** By the plugin's own word: it has the credential it needs. */
  readonly isConfigured: boolean
  /** What its environment variables begin with, in lower case. */
  readonly prefix: string
}

/** For whom a plugin can run: with which settings, and for whom not and why. */
export interface ConfigScopes {
  /** For callers of no tenant, and of tenants without settings of their own. */
  readonly base: Settings | undefined
  /** For the tenants that have some; they share none of the entry's secrets. */
  readonly tenants: ReadonlyMap<string, Settings>
  /** By tenant; '' for callers whom `base` would be for. */
  readonly refused: ReadonlyMap<string, HostError>
  /** What the entry says cannot be read. For want of a credential it is merely not wanted, which is no error. */
  readonly error: HostError | undefined
  /** Something is wrong with what a tenant was given, and not merely missing. */
  readonly fault: HostError | undefined
  /** What it was read from beside the environment. */
  readonly files: ReadonlyMap<string, string>
}

export interface ConfigScopesOptions {
  readonly instance: string
  readonly surface: PluginSurface
  readonly entry: PluginEntry
  readonly isAuthConfigured: (config: Readonly<Record<string, unknown>>) => boolean | Promise<boolean>
}

/** Reads the config of an entry, for all callers and for each tenant. Rejects as `isAuthConfigured` does, and with `CONFIG_COLLISION`. */
export async function readConfigScopes(
  { instance, surface, entry, isAuthConfigured }: ConfigScopesOptions,
  environment: EntryEnvironment & { readonly tenants: TenantSettings },
): Promise<ConfigScopes> {
  const own = tenantsWith(environment.tenants, instance)
  const prefixes = [instance, ...own.map((tenant) => tenantPrefix(tenant, instance))]
  refuseCollisions(prefixes.map((prefix) => ({ instance: prefix, schema: surface.config })))
  const { areCallers } = environment.credentialsOf(entry)
  const files = new Map<string, string>()
  const refused = new Map<string, HostError>()
  let error: HostError | undefined
  let fault: HostError | undefined

  const settle = async (read: ReadConfig | UnreadConfig, prefix: string, refuse: (read: UnreadConfig | undefined) => void) => {
    for (const [file, digest] of read.files) files.set(file, digest)
    if (!read.ok) {
      refuse(read)
      return undefined
    }
    const { config, secrets, sources } = read
    const isConfigured = await isAuthConfigured(config)
    if (isConfigured || areCallers) return { config, secrets, sources, isConfigured, prefix }
    refuse(undefined)
    return undefined
  }

  const read = readEntryConfig({ instance, surface, entry }, environment)
  const base = await settle(read, instance, (unread) => {
    const { problems, fixes } = unread ?? missingCredential(surface, instance, read)
    refused.set('', hostError('PLUGIN_UNCONFIGURED', { plugin: instance, problems, fixes }))
    if (unread) error = refused.get('')
  })
  const tenants = new Map<string, Settings>()
  for (const [tenant, ofTenant] of readTenantConfigs({ instance, surface, entry, base: read }, environment)) {
    const prefix = tenantPrefix(tenant, instance)
    const settings = await settle(ofTenant, prefix, (unread) => {
      const problems = unread?.problems ?? ['no credential of its own is set']
      const why = hostError('TENANT_UNCONFIGURED', { plugin: instance, tenant, problems, prefix: variableName(prefix, '') })
      refused.set(tenant, why)
      if (unread && unread.faults.length > 0) fault ??= why
    })
    if (settings) tenants.set(tenant, settings)
  }
  return { base, tenants, refused, error, fault, files }
}

/** A user name without a password is half a credential: the other half is what is missing. */
function missingCredential(surface: PluginSurface, instance: string, read: ReadConfig | UnreadConfig) {
  const isSet = (key: string) => read.ok && (read.config[key] ?? '') !== ''
  const half = CREDENTIAL_KEYS.find((keys) => keys.some(isSet) && !keys.every(isSet))
  if (!half) return { problems: ['no credential is set'], fixes: credentialFixes(surface, instance) }
  const names = (keys: readonly string[]) => keys.map((key) => variableName(instance, key)).join(' and ')
  const missing = names(half.filter((key) => !isSet(key)))
  return {
    problems: [`half a credential is set: ${names(half.filter(isSet))} without ${missing}`],
    fixes: [`Set ${missing} in the environment or in .env as well`, ...credentialFixes(surface, instance).slice(1)],
  }
}

/** Which variables would configure a credential: the secrets of the config schema. */
function credentialFixes(surface: PluginSurface, instance: string): readonly string[] {
  const secrets = credentialAlternatives(instance, surface.config)
  const [first] = configVariables(instance, surface.config).filter(({ secret }) => secret)
  if (secrets.length === 0 || !first) return [`Run: npx mcp-patchbay env ${instance}`]
  return [
    `Set ${secrets.join(' or ')} in the environment or in .env`,
    `Or point ${first.variable}_FILE at a file that holds it`,
    `Or have each caller send one of their own: serverCredentials: 'deny' on the entry "${instance}"`,
  ]
}
