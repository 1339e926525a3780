import type { Logger } from '@mcp-patchbay/plugin-api'
import type { LinkedAccounts } from './auth/accounts/call-accounts.ts'
import type { OpenAccounts } from './auth/accounts/open-accounts.ts'
import type { HostCache } from './cache/cache.ts'
import type { ResolvedConfig } from './config/schema/schema.ts'
import type { CurrentConfig } from './current-config.ts'
import type { Audit } from './observability/audit.ts'
import type { Redactor } from './observability/redact.ts'
import { networkSettings } from './plugin/run/http-settings.ts'
import type { Registry } from './server/catalog/registry.ts'

/** Linked accounts of one host. */
export interface HostAccounts {
  readonly open: OpenAccounts
  readonly calls: LinkedAccounts
}

export interface HostAccountsOptions {
  readonly started: ResolvedConfig
  readonly current: CurrentConfig
  readonly configDir: string
  readonly registry: Registry
  readonly cache: HostCache
  readonly audit: Audit
  readonly log: Logger
  readonly redactor: Redactor
  readonly resources: AsyncDisposableStack
}

/** What `auth.accounts` asks for; its libraries are read only then. Throws `ACCOUNT_KEY`. */
export async function openHostAccounts(options: HostAccountsOptions): Promise<HostAccounts | undefined> {
  const { started, current, configDir, registry, cache, resources, ...same } = options
  const settings = started.auth.accounts
  if (!settings) return undefined
  const [{ openAccounts }, { createLinkedAccounts }] = await Promise.all([
    import('./auth/accounts/open-accounts.ts'),
    import('./auth/accounts/call-accounts.ts'),
  ])
  const open = resources.use(
    openAccounts({
      ...same,
      settings,
      configDir,
      env: () => current.env,
      entryOf: (instance) =>
        registry.current.plugins.find((plugin) => plugin.instance === instance)?.entry ??
        // Before the first generation: a server elsewhere is listed with what the operator linked.
        current.config.plugins.find((entry) => entry.as === instance),
      networkOf(entry, instance) {
        const { limits: _, sslVerify: __, ...network } = networkSettings(entry.http, { configDir, instance })
        return network
      },
      scripts: cache.patientScripts,
      bus: cache.bus,
    }),
  )
  return { open, calls: createLinkedAccounts(open, options.log) }
}
