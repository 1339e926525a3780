import type { ClaimAttributes } from './account.ts'
import { identityProviderFaults, type IdentityProvider } from './identity-provider.ts'
import { isLoopback, isSafeRedirect } from './redirect.ts'
import { secretFaults, type LoginSecrets } from './secrets.ts'
import type { LoginStore } from './store.ts'

/** A client that is known beforehand. It is public, as MCP clients are: PKCE stands in for a secret. */
export interface LoginClient {
  readonly id: string
  /** For the consent page. Default: the id. */
  readonly name?: string
  /** Compared as they stand. Of `http` ones on a loopback address the port may differ (RFC 8252). */
  readonly redirectUris: readonly string[]
}

/** Where events go; the host's logger is one. */
export interface LoginLog {
  info(event: string, fields?: Readonly<Record<string, unknown>>): void
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void
  error(event: string, fields?: Readonly<Record<string, unknown>>): void
}

export interface SamlAuthorizationServerOptions extends LoginSecrets {
  /** Where browsers and clients reach it: an origin of its own, https unless on loopback. It is the `iss` of every token. */
  readonly issuer: string
  /** The only resource that there are tokens for: `auth.inbound.oauth.resource` of the host. */
  readonly resource: string
  /** See `readIdentityProvider`. */
  readonly identityProvider: IdentityProvider
  /** Every scope there is, with the roles that may have it. A token never has a scope whose roles its person lacks. */
  readonly scopes: Readonly<Record<string, 'everyone' | readonly string[]>>
  readonly claims?: ClaimAttributes
  readonly clients?: readonly LoginClient[]
  /** Lets clients register themselves (RFC 7591), as most MCP clients do. Default: only `clients` exist. */
  readonly registration?: boolean
  /** Default: in this process, so for one server, whose restart ends all logins. */
  readonly store?: LoginStore
  /** How long an access token lives; nothing ends it earlier. Default 600. */
  readonly accessTokenSeconds?: number
  /** How long one login at the identity provider counts, through refreshed tokens and further clients. Default 28,800: eight hours. */
  readonly sessionSeconds?: number
  /** Default: nowhere. */
  readonly log?: LoginLog
  /** Milliseconds since the epoch, for the dates of certificates. */
  readonly now?: () => number
}

/** Throws one error that lists all that is wrong; no secret is in it. */
export function checkOptions(options: SamlAuthorizationServerOptions): void {
  const { issuer, resource, scopes, clients = [], accessTokenSeconds = 600, sessionSeconds = 28_800 } = options
  const faults = [...secretFaults(options), ...identityProviderFaults(options.identityProvider, (options.now ?? Date.now)())]
  const address = URL.parse(issuer)
  if (address?.origin !== issuer) faults.push('issuer must be an origin, such as https://login.example.com')
  else if (address.protocol !== 'https:' && !isLoopback(address))
    faults.push('issuer must be https, or http on a loopback address')
  if (!/^https?:\/\/[^#]+$/.test(resource) || !URL.canParse(resource))
    faults.push('resource must be the URL of the host, such as https://mcp.example.com/mcp')
  const names = Object.keys(scopes)
  if (names.length === 0) faults.push('scopes is empty: a token without a scope is good for nothing')
  for (const name of names) if (!/^[!#-[\]-~]+$/.test(name)) faults.push(`scopes: ${JSON.stringify(name)} is no scope`)
  clients.forEach(({ id, redirectUris }, index) => {
    if (id === '' || clients.findIndex((client) => client.id === id) < index)
      faults.push(`clients[${index}].id is empty, or there twice`)
    if (redirectUris.length === 0) faults.push(`clients[${index}].redirectUris is empty`)
    for (const uri of redirectUris) if (!isSafeRedirect(uri)) faults.push(`clients[${index}].redirectUris: ${UNSAFE}, not ${uri}`)
  })
  if (!(accessTokenSeconds >= 60 && accessTokenSeconds <= 86_400)) faults.push('accessTokenSeconds must be between 60 and 86,400')
  if (!(sessionSeconds >= accessTokenSeconds)) faults.push('sessionSeconds must be no less than accessTokenSeconds')
  if (faults.length > 0)
    throw new Error(`The SAML authorization server cannot start:\n${faults.map((fault) => `- ${fault}`).join('\n')}`)
}

export const UNSAFE = 'must be https, http on a loopback address, or a scheme of the application such as com.example.app:'
