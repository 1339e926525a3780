import { hash } from 'node:crypto'
import type * as Oidc from 'openid-client'
import { isLoopbackHost, isSafeUrl } from '../../../config/schema/secure-url.ts'
import { withEscapes } from '../../../data/invisible.ts'
import { readIssuedToken } from '../../outbound/issued-token.ts'
import { basicProof, createOAuthFetch, type OAuthFetch, type OAuthFetchOptions } from '../../outbound/oauth-fetch.ts'
import { SERVICE_PRESETS } from './service-presets.ts'
import { discover, type Discovered } from './discovery.ts'
import { conform } from './service-answers.ts'
import { asServiceError, failed, GrantRefused } from './service-failures.ts'
import { discoverResource, mayAsk } from './remote-server.ts'
import type { AuthorizationFlow, DevicePrompt, RegisteredClient, ServiceClient, Tokens } from '../types.ts'

/** `oauth` of an entry. */
export interface ServiceOAuth {
  readonly issuer?: string | undefined
  readonly preset?: string | undefined
  readonly authorizationUrl?: string | undefined
  readonly tokenUrl?: string | undefined
  readonly revocationUrl?: string | undefined
  readonly deviceUrl?: string | undefined
  /** Left out only for an MCP server elsewhere, at which the host registers itself. */
  readonly clientId?: string | undefined
  readonly clientAuthentication?: 'basic' | 'post' | undefined
  readonly scopes: readonly string[]
  readonly resource?: string | undefined
  readonly parameters?: Readonly<Record<string, string>> | undefined
}

export interface ServiceClientOptions extends Omit<OAuthFetchOptions, 'name' | 'setting'> {
  readonly instance: string
  readonly oauth: ServiceOAuth
  /** Undefined for a public client. */
  readonly clientSecret: string | undefined
  /** Of an MCP server elsewhere, which says itself who grants access to it. */
  readonly server?: string | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** In place of the host's own requests. */
  readonly fetch?: OAuthFetch['fetch']
}

/** The protocol is openid-client's, which is read with the first use; the requests are the host's own. */
export function createServiceClient(options: ServiceClientOptions): ServiceClient & AsyncDisposable {
  const { instance, oauth, clientSecret, now, redactor, server } = options
  const preset = oauth.preset === undefined ? undefined : SERVICE_PRESETS[oauth.preset]
  const endpoints = { ...preset, ...definedOf(oauth) }
  /** The operator says who grants access, and so where its addresses may be. */
  const isNamed = endpoints.issuer !== undefined || endpoints.authorizationUrl !== undefined
  const setting = `oauth of the entry "${instance}" in the config file`
  const web = createOAuthFetch({
    ...options,
    name: `${instance} account`,
    setting,
    ...(server !== undefined &&
      !isNamed && {
        allowPrivate: (origin: string) => mayAsk(origin, server) && isLoopbackHost(new URL(server).hostname),
      }),
  })
  const forget = clientSecret === undefined ? () => {} : redactor.add(clientSecret)
  let ready: Promise<Ready> | undefined
  const clients = new Map<string, Promise<RegisteredClient>>()

  /** What could not be found out is asked for again next time. */
  const open = () => {
    ready ??= configure().catch((error: unknown) => {
      ready = undefined
      throw asServiceError(error, instance, setting)
    })
    return ready
  }

  async function configure(): Promise<Ready> {
    const oidc = await import('openid-client')
    const fetch: Oidc.CustomFetch = async (url, request) => conform(await (options.fetch ?? web.fetch)(url, request), preset)
    const proof = (secret: string | undefined, supported: readonly string[] | undefined) => {
      if (secret === undefined) return oidc.None()
      const by = endpoints.clientAuthentication ?? (supported && !supported.includes('client_secret_basic') ? 'post' : 'basic')
      return by === 'post' ? oidc.ClientSecretPost(secret) : basicProof(secret)
    }
    const { authorizationUrl, tokenUrl } = endpoints
    const found = server === undefined || isNamed ? undefined : await discoverResource(server, fetch)
    const issuer = endpoints.issuer ?? found?.issuer
    let metadata: Oidc.ServerMetadata
    let algorithm: Discovered['algorithm'] = 'oidc'
    if (authorizationUrl !== undefined && tokenUrl !== undefined) {
      metadata = {
        issuer: issuer ?? new URL(authorizationUrl).origin,
        authorization_endpoint: authorizationUrl,
        token_endpoint: tokenUrl,
        ...(endpoints.revocationUrl !== undefined && { revocation_endpoint: endpoints.revocationUrl }),
        ...(endpoints.deviceUrl !== undefined && { device_authorization_endpoint: endpoints.deviceUrl }),
      }
    } else ({ metadata, algorithm } = await discover(oidc, issuer ?? '', fetch))
    const supported = metadata.token_endpoint_auth_methods_supported
    const configOf = (client: RegisteredClient): Oidc.Configuration => {
      const config = new oidc.Configuration(metadata, client.clientId, client.clientSecret, proof(client.clientSecret, supported))
      // Whether http will do is decided where the config is read, and for each request: on loopback only.
      oidc.allowInsecureRequests(config)
      config[oidc.customFetch] = fetch
      return config
    }
    const named = oauth.clientId === undefined ? undefined : configOf({ clientId: oauth.clientId, clientSecret })
    return {
      oidc,
      metadata,
      algorithm,
      fetch,
      resource: oauth.resource ?? found?.resource,
      scopes: oauth.scopes.length > 0 ? oauth.scopes : (found?.scopes ?? []),
      configFor(registered) {
        if (named) return named
        if (registered) return configOf(registered)
        throw failed(instance, 'knows no client', `Give a clientId in ${setting}`)
      },
    }
  }

  const scopeParameters = (scopes: readonly string[]): Record<string, string> =>
    scopes.length === 0 ? {} : { [preset?.scopeParameter ?? 'scope']: scopes.join(preset?.scopeSeparator ?? ' ') }
  const resourceParameter = ({ resource }: Ready): Record<string, string> => (resource === undefined ? {} : { resource })

  function tokensOf(answer: Oidc.TokenEndpointResponse, asked: number, resource: string | undefined): Tokens {
    const { refresh_token: refreshToken, scope } = answer
    const read = readIssuedToken(answer, { asked, audiences: resource === undefined ? [] : [resource] })
    if ('problem' in read) throw failed(instance, `answered ${read.problem}`, `Check ${setting}`)
    return {
      accessToken: read.token,
      ...(refreshToken !== undefined && { refreshToken }),
      ...(read.expiresAt !== undefined && { expiresAt: read.expiresAt }),
      scopes: scope?.split(/[ ,]+/).filter(Boolean) ?? [],
    }
  }

  /** An address that a browser is sent to: the metadata of a server in the world may name a script, or a service of the person's own machine. */
  function forPeople(address: string | undefined, what: string): URL {
    const url =
      address !== undefined && isSafeUrl(address) && (server === undefined || isNamed || mayAsk(new URL(address).origin, server))
        ? new URL(address)
        : undefined
    if (url) return url
    throw failed(instance, `names no ${what} that a browser may be sent to`, `Check ${setting}`)
  }

  async function grant(run: (ready: Ready) => Promise<Oidc.TokenEndpointResponse>): Promise<Tokens> {
    const opened = await open()
    const asked = now()
    let answer
    try {
      answer = await run(opened)
    } catch (error) {
      throw asServiceError(error, instance, setting)
    }
    return tokensOf(answer, asked, opened.resource)
  }

  async function beginDevice(scopes?: readonly string[]): Promise<DevicePrompt> {
    const opened = await open()
    const config = opened.configFor(undefined)
    try {
      const answer = await opened.oidc.initiateDeviceAuthorization(config, {
        ...scopeParameters(scopes ?? opened.scopes),
        ...resourceParameter(opened),
      })
      return {
        userCode: withEscapes(answer.user_code).slice(0, 100),
        verificationUri: forPeople(answer.verification_uri_complete ?? answer.verification_uri, 'verification address').href,
        tokens: (signal) =>
          grant((again) => again.oidc.pollDeviceAuthorizationGrant(config, answer, resourceParameter(again), { signal })),
      }
    } catch (error) {
      throw asServiceError(error, instance, setting)
    }
  }

  /** One client for each address to come back to, for as long as this host runs; the account keeps which it was. */
  async function registerOnce(redirectUri: string): Promise<RegisteredClient> {
    const { oidc, metadata, algorithm, fetch } = await open()
    if (metadata.registration_endpoint === undefined)
      throw failed(instance, 'lets no client register itself', `Give a clientId in ${setting}`)
    const isNative = isLoopbackHost(new URL(redirectUri).hostname)
    try {
      const made = await oidc.dynamicClientRegistration(
        new URL(metadata.issuer),
        {
          client_name: 'Patchbay',
          redirect_uris: [redirectUri],
          grant_types: ['authorization_code', 'refresh_token'],
          response_types: ['code'],
          token_endpoint_auth_method: 'none',
          application_type: isNative ? 'native' : 'web',
        },
        oidc.None(),
        { algorithm, [oidc.customFetch]: fetch, execute: [oidc.allowInsecureRequests] },
      )
      const { client_id: clientId, client_secret: secret } = made.clientMetadata()
      return { clientId, ...(typeof secret === 'string' && secret !== '' && { clientSecret: secret }) }
    } catch (error) {
      throw asServiceError(error, instance, setting)
    }
  }

  return {
    id: hash(
      'sha256',
      JSON.stringify([
        endpoints.issuer ?? server ?? null,
        endpoints.authorizationUrl ?? null,
        endpoints.tokenUrl ?? null,
        oauth.clientId ?? null,
      ]),
    ).slice(0, 32),
    async authorizationHost() {
      const { metadata } = await open()
      return forPeople(metadata.authorization_endpoint, 'authorization endpoint').host
    },
    askedScopes: async () => (await open()).scopes,
    async register(redirectUri, document) {
      if (oauth.clientId !== undefined) return undefined
      if (document !== undefined && (await open()).metadata['client_id_metadata_document_supported'] === true)
        return { clientId: document }
      const known = clients.get(redirectUri)
      if (known) return known
      const made = registerOnce(redirectUri)
      clients.set(redirectUri, made)
      made.catch(() => clients.delete(redirectUri))
      return made
    },
    async authorizationUrl({ redirectUri, state, verifier, registered, scopes }) {
      const opened = await open()
      forPeople(opened.metadata.authorization_endpoint, 'authorization endpoint')
      return opened.oidc.buildAuthorizationUrl(opened.configFor(registered), {
        ...oauth.parameters,
        ...scopeParameters(scopes ?? opened.scopes),
        ...resourceParameter(opened),
        redirect_uri: redirectUri,
        state,
        code_challenge: await opened.oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      })
    },
    async exchange(cameBackTo: URL, { state, verifier, registered }: AuthorizationFlow) {
      const tokens = await grant((opened) =>
        opened.oidc.authorizationCodeGrant(
          opened.configFor(registered),
          cameBackTo,
          { expectedState: state, pkceCodeVerifier: verifier },
          resourceParameter(opened),
        ),
      )
      return registered ? { ...tokens, registered } : tokens
    },
    async refresh(refreshToken, registered) {
      try {
        return await grant((opened) =>
          opened.oidc.refreshTokenGrant(opened.configFor(registered), refreshToken, resourceParameter(opened)),
        )
      } catch (error) {
        if (error instanceof GrantRefused) return undefined
        throw error
      }
    },
    async revoke({ accessToken, refreshToken, registered }) {
      const { oidc, configFor, metadata } = await open()
      const config = configFor(registered)
      const { clientId = '' } = oauth
      try {
        if (preset?.revocation && endpoints.revocationUrl === undefined) {
          const { url, method, as } = preset.revocation
          await using once = createOAuthFetch({ ...options, name: `${instance} account`, setting })
          const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret ?? ''}`).toString('base64')}`
          const answer = await once.fetch(url.replace('{clientId}', encodeURIComponent(clientId)), {
            method,
            redirect: 'manual',
            headers: {
              accept: 'application/json',
              authorization: as === 'bearer' ? `Bearer ${accessToken}` : basic,
              ...(as === 'json' && { 'content-type': 'application/json' }),
            },
            body: as === 'json' ? JSON.stringify({ access_token: accessToken }) : undefined,
          })
          return answer.status < 300
        }
        if (metadata.revocation_endpoint === undefined) return false
        // RFC 7009 §2.1: with a refresh token all that came of it goes; some services take only access tokens back.
        if (refreshToken !== undefined) await oidc.tokenRevocation(config, refreshToken, { token_type_hint: 'refresh_token' })
        await oidc.tokenRevocation(config, accessToken, { token_type_hint: 'access_token' })
        return true
      } catch (error) {
        throw asServiceError(error, instance, setting)
      }
    },
    get device() {
      return oauth.clientId !== undefined && (endpoints.deviceUrl !== undefined || endpoints.authorizationUrl === undefined)
        ? { begin: beginDevice }
        : undefined
    },
    async [Symbol.asyncDispose]() {
      forget()
      await web[Symbol.asyncDispose]()
    },
  }
}

interface Ready extends Discovered {
  readonly oidc: typeof Oidc
  readonly fetch: Oidc.CustomFetch
  readonly resource: string | undefined
  readonly scopes: readonly string[]
  /** Of the client in the config, else of the one that was registered. Throws a `ServiceError` where there is neither. */
  readonly configFor: (registered: RegisteredClient | undefined) => Oidc.Configuration
}

function definedOf(oauth: ServiceOAuth): Partial<ServiceOAuth> {
  return Object.fromEntries(Object.entries(oauth).filter(([, value]) => value !== undefined))
}
