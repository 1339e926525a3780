import type { Logger, Principal } from '@mcp-patchbay/plugin-api'
import type * as Oidc from 'openid-client'
import type { Redactor } from '../../observability/redact.ts'
import { principalOf } from '../inbound/claims.ts'
import type { TypedKey } from '../inbound/keys/typed-keys.ts'
import { basicProof, createOAuthFetch } from '../outbound/oauth-fetch.ts'
import { discover } from './service/discovery.ts'
import type { AuthorizationFlow } from './types.ts'

export interface PersonLoginOptions {
  readonly issuer: string
  readonly clientId: string
  /** Undefined for a public client. */
  readonly clientSecret: string | undefined
  readonly tenantClaim: string
  readonly redactor: Redactor
  readonly log: Logger
}

/** Who is in front of a browser. */
export interface PersonInBrowser {
  readonly principal: Pick<Principal, 'kind' | 'id' | 'tenant'>
  /** For the person itself to read. */
  readonly shown: string
  /** With which API key, where that is how the person is known. */
  readonly key?: TypedKey
}

export interface LoginFlow extends AuthorizationFlow {
  readonly nonce: string
}

/** Log-in with OpenID Connect at the issuer that also issues the access tokens: the same `iss` and `sub` are the same principal. */
export interface PersonLogin extends AsyncDisposable {
  url(flow: LoginFlow): Promise<URL>
  /** Who came back. Rejects for an answer to another question, and for an ID token that is not this client's, or not fresh. */
  person(cameBackTo: URL, flow: LoginFlow): Promise<PersonInBrowser>
}

export function createPersonLogin(options: PersonLoginOptions): PersonLogin {
  const { issuer, clientId, clientSecret, tenantClaim, redactor } = options
  const web = createOAuthFetch({ ...options, name: issuer, setting: 'auth.accounts.login' })
  const forget = clientSecret === undefined ? () => {} : redactor.add(clientSecret)
  let ready: Promise<{ readonly oidc: typeof Oidc; readonly config: Oidc.Configuration }> | undefined

  /** What could not be found out is asked for again next time. */
  const open = () =>
    (ready ??= configure().catch((error: unknown) => {
      ready = undefined
      throw error
    }))

  async function configure() {
    const oidc = await import('openid-client')
    const { metadata } = await discover(oidc, issuer, web.fetch)
    const supported = metadata.token_endpoint_auth_methods_supported
    const proof =
      clientSecret === undefined
        ? oidc.None()
        : supported && !supported.includes('client_secret_basic')
          ? oidc.ClientSecretPost(clientSecret)
          : basicProof(clientSecret)
    const algorithms = metadata.id_token_signing_alg_values_supported
    const signedWith = Array.isArray(algorithms) ? SIGNATURES.find((one) => algorithms.includes(one)) : undefined
    const client = signedWith === undefined ? {} : { id_token_signed_response_alg: signedWith }
    const config = new oidc.Configuration(metadata, clientId, client, proof)
    oidc.allowInsecureRequests(config)
    // The signature too, and not only that the token came from the issuer's own address.
    oidc.enableNonRepudiationChecks(config)
    config[oidc.customFetch] = web.fetch
    return { oidc, config }
  }

  return {
    async url({ redirectUri, state, verifier, nonce }) {
      const { oidc, config } = await open()
      return oidc.buildAuthorizationUrl(config, {
        scope: 'openid profile email',
        redirect_uri: redirectUri,
        state,
        nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      })
    },
    async person(cameBackTo, { state, verifier, nonce }) {
      const { oidc, config } = await open()
      const answer = await oidc.authorizationCodeGrant(config, cameBackTo, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      })
      const claims = answer.claims()
      if (!claims) throw new Error('The log-in gave no ID token')
      const principal = principalOf(issuer, { ...claims }, { tenantClaim, permissionClaims: [] })
      const [shown = claims.sub] = [claims['email'], claims['preferred_username'], claims['name']].flatMap((name) =>
        typeof name === 'string' && name !== '' ? [name] : [],
      )
      return {
        principal: { kind: principal.kind, id: principal.id, tenant: principal.tenant },
        shown: shown.slice(0, MOST_SHOWN),
      }
    },
    async [Symbol.asyncDispose]() {
      forget()
      await web[Symbol.asyncDispose]()
    },
  }
}

/** It goes into a cookie, of which browsers keep 4,096 bytes. */
const MOST_SHOWN = 200

/** Without a word of the client's registration RS256 is what OpenID Connect takes; some issuers sign with others only. */
const SIGNATURES = ['RS256', 'ES256', 'PS256', 'EdDSA', 'Ed25519', 'RS384', 'RS512', 'ES384', 'ES512']
