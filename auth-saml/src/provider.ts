// oxlint-disable-next-line typescript/triple-slash-reference -- a program that takes in our source has no other way to this file
/// <reference path="./oidc-provider.d.ts" />
import { errors, interactionPolicy, Provider, type Configuration } from 'oidc-provider'
import type { Accounts } from './accounts.ts'
import { createAdapter } from './adapter.ts'
import { UNSAFE, type SamlAuthorizationServerOptions } from './options.ts'
import { html, page, pageHeaders } from './page.ts'
import { isSafeRedirect } from './redirect.ts'
import { scopesOf } from './scopes.ts'
import { algorithmOf } from './secrets.ts'
import type { LoginStore } from './store.ts'

export interface ProviderOptions {
  readonly options: SamlAuthorizationServerOptions
  readonly store: LoginStore
  readonly accounts: Accounts
  readonly accessTokenSeconds: number
  readonly sessionSeconds: number
}

/** The OAuth half: codes with PKCE for public clients, JWT access tokens for one resource, refresh tokens that work once. */
export function createProvider({ options, store, accounts, ...times }: ProviderOptions): Provider {
  const { issuer, resource, scopes, signingKeys, cookieSecrets, clients = [], registration = false } = options
  const { accessTokenSeconds, sessionSeconds } = times
  const [signer] = signingKeys
  if (!signer) throw new Error('There is no key to sign tokens with')
  const secure = issuer.startsWith('https:')
  const cookie = { httpOnly: true, sameSite: 'lax', signed: true, secure }

  const configuration: Configuration = {
    adapter: createAdapter(store, sessionSeconds * 1000),
    jwks: { keys: signingKeys.map((key) => ({ ...key, alg: algorithmOf(key), use: 'sig' })) },
    clients: clients.map(({ id, name, redirectUris }) => ({
      client_id: id,
      client_name: name ?? id,
      redirect_uris: [...redirectUris],
      application_type: redirectUris.every((uri) => uri.startsWith('https:')) ? 'web' : 'native',
    })),
    clientDefaults: {
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      id_token_signed_response_alg: algorithmOf(signer),
    },
    // A client that runs in a web page comes from where its answers go to.
    clientBasedCORS: (_ctx, origin, client) => client.redirectUris.some((uri) => new URL(uri).origin === origin),
    scopes: Object.keys(scopes),
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      registration: { enabled: registration },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        getResourceServerInfo: (_ctx, indicator) => {
          if (indicator !== resource) throw new errors.InvalidTarget()
          return {
            scope: Object.keys(scopes).join(' '),
            audience: resource,
            accessTokenTTL: accessTokenSeconds,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: algorithmOf(signer), kid: signer.kid } },
          }
        },
        useGrantedResource: () => true,
      },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
    },
    extraClientMetadata: {
      properties: ['redirect_uris', ...FETCHED],
      validator(_ctx, key, value) {
        if (key !== 'redirect_uris') {
          if (value !== undefined) throw new errors.InvalidClientMetadata(`${key} is not accepted: this server fetches nothing`)
        } else if (Array.isArray(value) && !value.every((uri) => isSafeRedirect(String(uri))))
          throw new errors.InvalidClientMetadata(`redirect_uris ${UNSAFE}`)
      },
    },
    // Whoever can connect can register, and must not have this server connect anywhere.
    fetch: () => Promise.reject(new Error('this server fetches nothing')),
    async findAccount(_ctx, id) {
      return (await accounts.find(id)) && { accountId: id, claims: () => ({ sub: id }) }
    },
    formats: { customizers: { jwt: (_ctx, { accountId }, parts) => personalise(accountId, parts.payload) } },
    interactions: { policy: policyOf(accounts), url: (_ctx, { uid }) => `/interaction/${uid}` },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    pkce: { required: () => true },
    cookies: {
      keys: cookieSecrets,
      names: secure
        ? { session: '__Host-session', interaction: '__Secure-interaction', resume: '__Secure-resume' }
        : { session: 'session', interaction: 'interaction', resume: 'resume' },
      long: cookie,
      short: cookie,
    },
    renderError(ctx, { error, error_description: description = '' }) {
      ctx.set(pageHeaders())
      ctx.body = page('That did not work', html`<p>${error}: ${description}</p>`)
    },
    ttl: {
      AccessToken: accessTokenSeconds,
      AuthorizationCode: 60,
      Grant: sessionSeconds,
      IdToken: accessTokenSeconds,
      Interaction: 900,
      RefreshToken: sessionSeconds,
      Session: sessionSeconds,
    },
  }

  const provider = new Provider(issuer, configuration)
  provider.proxy = true
  return provider

  /** Says whose token it is, and takes from it what that person may not have, or not any more. */
  async function personalise(accountId: string, payload: Record<string, unknown>): Promise<void> {
    const account = await accounts.find(accountId)
    if (!account) throw new errors.InvalidGrant('the login has ended')
    const may = scopesOf(account.roles, scopes)
    const { scope } = payload
    const granted = typeof scope === 'string' ? scope.split(' ') : []
    payload['scope'] = granted.filter((name) => may.has(name)).join(' ')
    if (account.tenant !== undefined) payload['tenant'] = account.tenant
    if (account.roles.length > 0) payload['roles'] = account.roles
  }
}

/** What a client may register that servers open connections to. Addresses of pages and pictures are not: they are never loaded. */
const FETCHED = [
  'backchannel_client_notification_endpoint',
  'backchannel_logout_uri',
  'jwks_uri',
  'request_uris',
  'sector_identifier_uri',
]

/** A session whose login no longer counts is worth no more than none. */
function policyOf(accounts: Accounts) {
  const policy = interactionPolicy.base()
  policy.get('login').checks.add(
    new interactionPolicy.Check('login_ended', 'the login has ended', async ({ oidc: { session, result } }) => {
      if (session.accountId === undefined || result?.login) return false
      return (await accounts.find(session.accountId)) === undefined
    }),
  )
  return policy
}
