import type { Logger } from '@mcp-patchbay/plugin-api'
import type { LinkedAccounts } from '../../auth/accounts/call-accounts.ts'
import type { OpenAccounts } from '../../auth/accounts/open-accounts.ts'
import { createPersonLogin, type PersonLogin } from '../../auth/accounts/person-login.ts'
import { secretVariable, type SecretSource } from '../../auth/outbound/secret-variable.ts'
import type { TypedKeys } from '../../auth/inbound/keys/typed-keys.ts'
import { isSafeUrl } from '../../config/schema/secure-url.ts'
import type { ResolvedConfig } from '../../config/schema/schema.ts'
import type { Redactor } from '../../observability/redact.ts'
import type { Registry } from '../../server/catalog/registry.ts'
import { isLoopback } from '../http/admission.ts'
import { createClientAddress } from '../http/client-address.ts'
import type { Route } from '../http/routing/routes.ts'
import { createAccountPages } from './account-pages.ts'
import { canBeRead } from './client-document.ts'

/** Where the pages are served. */
export interface PagesListener {
  readonly host: string
  readonly publicUrl?: string | undefined
  readonly trustedProxies?: readonly string[] | undefined
}

/** Linked accounts of one host. */
export interface Linking {
  readonly open: OpenAccounts
  readonly calls: LinkedAccounts
}

export interface OpenPagesDeps extends SecretSource {
  readonly linking: Linking
  readonly registry: Registry
  readonly auth: () => ResolvedConfig['auth']
  readonly log: Logger
  readonly redactor: Redactor
  /** Where callers come with API keys. */
  readonly typedKeys: TypedKeys | undefined
}

/**
 * The pages, once it is known where the listener is: with OAuth for people who log in at the issuer, with API keys for people who type one
 * in,
 * without authentication on a loopback address for the operator. Undefined where nothing tells who is in front of them. Throws `AUTH_SECRET`.
 */
export function openAccountPages(
  { host, publicUrl, trustedProxies }: PagesListener,
  deps: OpenPagesDeps,
  opened: AsyncDisposableStack,
): ((origin: string) => (path: string) => Route | undefined) | undefined {
  const { linking, registry, auth, log } = deps
  const { inbound } = auth()
  const login = openLogin(deps)
  const { typedKeys: keys } = deps
  if (login) opened.use(login)
  if (!login && !keys && (inbound.mode !== 'none' || !isLoopback(host))) return undefined

  return (origin) => {
    const base = (publicUrl ?? (login && inbound.oauth?.resource) ?? origin).replace(/\/+$/, '').replace(/\/mcp$/, '')
    if (keys && !isSafeUrl(base)) {
      // A key must not be typed into a page that can be read in transit, and browsers keep no cookie of it.
      if (registry.current.plugins.some(({ entry }) => entry.oauth))
        log.warn('account_pages_off', {
          base,
          reason: 'they are not served over https',
          fix: 'set listen.http.publicUrl to an https address',
        })
      return () => undefined
    }
    const kinds = [...(login ? ['oauth'] : []), ...(keys ? ['apiKey'] : []), ...(login || keys ? [] : ['local'])]
    opened.defer(linking.calls.serve({ base, serves: ({ kind }) => kinds.includes(kind) }))
    return createAccountPages({
      keys,
      addressOf: createClientAddress(trustedProxies ?? []),
      open: linking.open,
      base,
      hasDocuments: canBeRead(publicUrl),
      login,
      services: () => new Set(registry.current.plugins.flatMap(({ instance, entry }) => (entry.oauth ? [instance] : []))),
      title: () => registry.current.policy.server.title ?? registry.current.policy.server.name,
      log,
    })
  }
}

function openLogin({ auth, redactor, log, ...source }: OpenPagesDeps): PersonLogin | undefined {
  const found = loginOf(auth())
  if (!found) return undefined
  const { issuer, clientId, clientSecretVariable: variable, tenantClaim } = found
  return createPersonLogin({
    issuer,
    clientId,
    clientSecret:
      variable === undefined ? undefined : secretVariable(variable, 'The client secret of auth.accounts.login', source),
    tenantClaim,
    redactor,
    log,
  })
}

/** Where persons log in, with the claim that has the tenant of their calls too; undefined where no call comes with such a token. */
export function loginOf({
  accounts,
  inbound,
  tenantClaim,
}: Pick<ResolvedConfig['auth'], 'accounts' | 'inbound' | 'tenantClaim'>) {
  const login = accounts?.login
  const issuer = inbound.oauth?.issuers.find((one) => one.issuer === login?.issuer)
  if (!login || !issuer || (inbound.mode !== 'oauth' && inbound.mode !== 'any')) return undefined
  return { ...login, tenantClaim: issuer.tenantClaim ?? tenantClaim }
}
