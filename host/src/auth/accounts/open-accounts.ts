import { resolve } from 'node:path'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { Bus } from '../../cache/bus.ts'
import type { SharedScripts } from '../../cache/shared-scripts.ts'
import { accountFolder, presetOf, remoteAddress } from '../../config/schema/account-rules.ts'
import type { PluginEntry, ResolvedConfig } from '../../config/schema/schema.ts'
import { hostError } from '../../errors.ts'
import { systemClock, type Clock } from '../../network/resilience/clock.ts'
import type { Audit } from '../../observability/audit.ts'
import type { Redactor } from '../../observability/redact.ts'
import type { OAuthNetwork } from '../outbound/oauth-fetch.ts'
import { secretVariable } from '../outbound/secret-variable.ts'
import type { Account } from './account.ts'
import { readAccountKeys } from './account-keys.ts'
import type { AccountStore } from './store/account-store.ts'
import { createAccounts, type Accounts } from './accounts.ts'
import { createEndedSessionFiles, createSharedEndedSessions, type EndedSessions } from './ended-sessions.ts'
import { createFileAccountStore } from './store/file-account-store.ts'
import { createSeal, type Seal } from './store/sealed.ts'
import { createServiceClient } from './service/service-client.ts'
import { createSharedAccountStore } from './store/shared-account-store.ts'
import { createTickets, type Tickets } from './tickets.ts'
import type { ServiceClient } from './types.ts'

export interface OpenAccountsOptions {
  readonly settings: NonNullable<ResolvedConfig['auth']['accounts']>
  readonly env: () => Readonly<Record<string, string | undefined>>
  readonly configDir: string
  /** The entry of an instance as the config is now. */
  readonly entryOf: (instance: string) => PluginEntry | undefined
  /** How the service of an entry is reached. */
  readonly networkOf: (entry: PluginEntry, instance: string) => OAuthNetwork
  readonly scripts: SharedScripts | undefined
  readonly bus: Bus | undefined
  readonly audit: Audit
  readonly redactor: Redactor
  readonly log: Logger
  readonly clock?: Clock
}

/** Everything about linked accounts that is not HTTP. */
export interface OpenAccounts extends AsyncDisposable {
  readonly accounts: Accounts
  readonly tickets: Tickets
  /** For what a browser holds between two pages. */
  readonly browserSeal: Seal
  /** Of browsers in which a person logged out. */
  readonly endedSessions: EndedSessions
  /** A person was kept from linking an account that is not theirs. */
  refused(account: Account, reason: string): void
  readonly clock: Clock
}

/** Throws `ACCOUNT_KEY`. The folder is made with the first token, and no store is asked before. */
export function openAccounts(options: OpenAccountsOptions): OpenAccounts {
  const { settings, env, configDir, scripts, bus, log, redactor, clock = systemClock } = options
  const keys = readAccountKeys(settings.keyVariable, { env: env(), configDir })
  const clients = new Map<string, { readonly made: ServiceClient & AsyncDisposable; readonly from: string }>()

  async function findClient(instance: string): Promise<ServiceClient | undefined> {
    const entry = options.entryOf(instance)
    const oauth = entry?.oauth
    if (!entry || !oauth) return undefined
    const { clientSecretVariable: variable } = oauth
    const clientSecret =
      variable === undefined
        ? undefined
        : secretVariable(variable, `The client secret of oauth of the entry "${instance}"`, { env: env(), configDir })
    const from = JSON.stringify([oauth, entry.http, clientSecret ?? null])
    const known = clients.get(instance)
    if (known?.from === from) return known.made
    const made = createServiceClient({
      instance,
      oauth: { ...oauth, preset: presetOf(entry), scopes: oauth.scopes ?? [] },
      clientSecret,
      server: remoteAddress(entry),
      now: () => clock.now(),
      redactor,
      log,
      network: options.networkOf(entry, instance),
    })
    clients.set(instance, { made, from })
    // A request of the old one may be on its way: it ends by its own limits.
    if (known) void known.made[Symbol.asyncDispose]()
    return made
  }

  const accounts = createAccounts({
    store: openStore(),
    seal: createSeal(keys('account token')),
    clock,
    log,
    redactor,
    audit: options.audit,
    clientOf: findClient,
    bus,
  })
  return {
    accounts,
    tickets: createTickets({
      seal: createSeal(keys('ticket')),
      now: () => clock.now(),
      scripts: isShared() ? scripts : undefined,
    }),
    browserSeal: createSeal(keys('browser')),
    endedSessions: openEndedSessions(),
    clock,
    refused({ principal, instance }, reason) {
      log.warn('account_ticket_refused', { plugin: instance, principal: principal.id, tenant: principal.tenant, reason })
      options.audit.record(() => ({
        decision: 'deny',
        reason,
        kind: 'account',
        event: 'refused',
        name: instance,
        plugin: instance,
        principal: principal.id,
        principalKind: principal.kind,
        tenant: principal.tenant,
      }))
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...clients.values()].map(({ made }) => made[Symbol.asyncDispose]()))
    },
  }

  function isShared(): boolean {
    return settings.store === 'cache'
  }

  function openEndedSessions(): EndedSessions {
    const now = () => clock.now()
    return isShared() && scripts
      ? createSharedEndedSessions(scripts, now)
      : createEndedSessionFiles(resolve(configDir, accountFolder(settings.store)), now)
  }

  function openStore(): AccountStore {
    if (!isShared()) return createFileAccountStore(resolve(configDir, accountFolder(settings.store)))
    // The config is refused unless cache.store is a Redis.
    if (!scripts) throw hostError('ACCOUNT_STORE', {})
    return createSharedAccountStore(scripts)
  }
}
