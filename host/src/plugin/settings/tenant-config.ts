import { CREDENTIAL_KEYS, SecretValue } from '@mcp-patchbay/plugin-api/host'
import type { ReadConfig, UnreadConfig } from '../../config/plugin/plugin-environment.ts'
import type { PluginEntry, ResolvedConfig } from '../../config/schema/schema.ts'
import { isObject } from '../../data/json.ts'
import { readEntryConfig, type EntryEnvironment } from './entry-config.ts'
import type { PluginSurface } from '../source/describe-surface.ts'

/** What the config says of each tenant. */
export type TenantSettings = ResolvedConfig['tenants']

/** The tenants for which the config has something of its own for this instance. */
export function tenantsWith(tenants: TenantSettings, instance: string): readonly string[] {
  return Object.keys(tenants).filter((tenant) => Object.hasOwn(tenants[tenant]?.plugins ?? {}, instance))
}

/** What the variables of one tenant for one instance begin with: `ACME_JIRA_EU_PERSONAL_TOKEN` is `personalToken` of `jira_eu` for `acme`. */
export function tenantPrefix(tenant: string, instance: string): string {
  return `${tenant}_${instance}`
}

export interface TenantConfigOptions {
  readonly instance: string
  readonly surface: PluginSurface
  readonly entry: PluginEntry
  /** What the entry itself says, for all tenants. */
  readonly base: ReadConfig | UnreadConfig
}

/**
 * The config of each tenant that has one of its own: the entry's settings, over them the tenant's, over them the tenant's variables.
 * Credentials and other secrets of the entry are for the entry alone: a tenant's address must not get another's token.
 */
export function readTenantConfigs(
  { instance, surface, entry, base }: TenantConfigOptions,
  environment: EntryEnvironment & { readonly tenants: TenantSettings },
): ReadonlyMap<string, ReadConfig | UnreadConfig> {
  const { tenants } = environment
  const own = tenantsWith(tenants, instance)
  if (own.length === 0) return new Map()
  // What everybody needs and only tenants have is missing from the entry by design.
  const optional = { ...surface, config: { ...surface.config, required: [] } }
  const given = base.ok ? base : readEntryConfig({ instance, surface: optional, entry }, environment)
  const shared = given.ok ? givenSettings(given) : {}
  return new Map(
    own.map((tenant) => [
      tenant,
      readEntryConfig(
        {
          instance: tenantPrefix(tenant, instance),
          surface,
          entry: { ...entry, config: over(shared, tenants[tenant]?.plugins[instance]?.config ?? {}) },
        },
        environment,
      ),
    ]),
  )
}

/** The instances whose config is another for some tenant. */
export function changedInstances(before: TenantSettings, after: TenantSettings): ReadonlySet<string> {
  const told = (tenants: TenantSettings) =>
    new Map(
      Object.entries(tenants).flatMap(([tenant, { plugins }]) =>
        Object.entries(plugins).map(([instance, of]) => [
          JSON.stringify([tenant, instance]),
          { instance, text: JSON.stringify(of) },
        ]),
      ),
    )
  const [old, next] = [told(before), told(after)]
  const differing = [...old.keys(), ...next.keys()].filter((key) => old.get(key)?.text !== next.get(key)?.text)
  return new Set(differing.flatMap((key) => (old.get(key) ?? next.get(key))?.instance ?? []))
}

const CREDENTIALS: ReadonlySet<string> = new Set(CREDENTIAL_KEYS.flat())

/** The settings that were given, without the defaults of the schema and without secrets. */
function givenSettings({ config, sources }: ReadConfig): Readonly<Record<string, unknown>> {
  const given = new Set(
    Object.entries(sources).flatMap(([keyPath, source]) => (source === 'default' ? [] : [keyPath.split('.')[0] ?? ''])),
  )
  return withoutSecrets(Object.fromEntries(Object.entries(config).filter(([key]) => given.has(key))))
}

function withoutSecrets(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.filter((item) => !(item instanceof SecretValue)).map(plain)
    if (!isObject(value)) return value
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, part]) => (part instanceof SecretValue ? [] : [[key, plain(part)]])),
    )
  }
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) =>
      CREDENTIALS.has(key) || value instanceof SecretValue ? [] : [[key, plain(value)]],
    ),
  )
}

/** Objects key by key, anything else whole. */
function over(
  base: Readonly<Record<string, unknown>>,
  own: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const merged = new Map(Object.entries(base))
  for (const [key, value] of Object.entries(own)) {
    const before = merged.get(key)
    merged.set(key, isObject(before) && isObject(value) ? over(before, value) : value)
  }
  return Object.fromEntries(merged)
}
