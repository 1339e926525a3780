import type { Logger } from '@mcp-patchbay/plugin-api'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { variableName } from '../../config/plugin/variables.ts'
import { HostError, type ErrorData } from '../../errors.ts'
import { systemClock } from '../../network/resilience/clock.ts'
import type { Credential, CredentialSource, ResolveCredential } from '../../network/request/placed-credential.ts'
import { createServiceHttp, type ServiceHttpOptions } from '../../network/http-client.ts'
import type { Redactor } from '../../observability/redact.ts'
import type { AccountTokens } from '../accounts/account-tokens.ts'
import { callerCredential } from './caller-credential.ts'
import { createTokenSource } from './client-credentials.ts'
import {
  credentialRequired,
  serverRefusal,
  type CredentialCall,
  type CredentialPolicy,
  type CredentialUse,
  type CredentialUseOf,
} from './credential-use.ts'
import { chooseCredential, headerCredential, type CredentialSettings, type OAuthClient } from './credentials.ts'
import { upstreamHeader } from './request-credentials.ts'
import { createTokenExchange, type ExchangeSettings, type TokenExchange } from './token-exchange.ts'

export interface ServiceCredentialOptions {
  readonly settings: CredentialSettings
  readonly policy: CredentialPolicy
  /** Exchanges callers' access tokens for some of this service. */
  readonly exchange?: (ExchangeSettings & { readonly clientSecretVariable?: string | undefined }) | undefined
  /** The tokens that callers linked. */
  readonly accounts?: AccountTokens | undefined
  readonly redactor: Redactor
  readonly log: Logger
  /** How the token endpoint is reached: what differs from the usual. */
  readonly network?: Pick<ServiceHttpOptions, 'limits' | 'ca' | 'proxy' | 'http2' | 'clock' | 'random' | 'dialing'>
}

/** What a service's requests prove themselves with: for `createServiceHttp`. */
export interface ServiceCredential extends AsyncDisposable {
  /** Throws a `ServiceError` for a call that has no credential it may use; background work is the server's own. */
  readonly resolve: ResolveCredential
  /** The same decision before any request. */
  readonly useOf: CredentialUseOf
}

/**
 * The credential of each call of one service: the caller's own, else the server's, as far as the policy lets callers have it. Which one
 * it is never depends on what the service thinks of it. Throws what {@link chooseCredential} throws, before any request is sent.
 */
export function createServiceCredential(options: ServiceCredentialOptions): ServiceCredential {
  const { settings, policy } = options
  const { instance } = settings
  const server = serverCredential(options)
  const exchange = openExchange(options)
  const header = upstreamHeader(instance)
  const required = (why: ErrorData<'CREDENTIAL_REQUIRED'>['why']) => credentialRequired({ plugin: instance, header, why })
  const refused = (why: ErrorData<'CREDENTIAL_REQUIRED'>['why']) => ({ by: 'refused', error: required(why) }) as const

  /** Everything of the caller's own, highest first. */
  const ownOf = (call: CredentialCall): Own | undefined => {
    const line = call.credentials?.of(instance)
    if (line !== undefined) return { ...made(callerCredential(line, settings)), isSent: true }
    const fingerprint = exchange?.fingerprint(call)
    if (exchange && fingerprint !== undefined)
      return { fingerprint, source: { kind: 'exchange' }, fetch: () => exchange.credential(call) }
    // Whoever is exchanged for never goes on as anybody else.
    if (exchange && call.credentials && call.principal.kind === 'oauth') throw required('noToken')
    const { principal } = call
    const stored = options.accounts?.get({ principal, instance })
    return stored === undefined ? undefined : made(callerCredential(stored, { ...settings, source: { kind: 'stored' } }))
  }
  const decide = (call: CredentialCall): { readonly use: CredentialUse; readonly own?: Own | undefined } => {
    let own: Own | undefined
    try {
      own = ownOf(call)
    } catch (error) {
      return { use: { by: 'refused', error: unusable(error) } }
    }
    if (own?.isSent && !policy.allowRequestCredentials) return { use: refused('notAccepted') }
    const why = server || policy.isRaw ? serverRefusal(policy, call) : undefined
    if (why && (policy.isRaw || !own)) return { use: refused(why) }
    if (own) return { use: { by: 'caller', fingerprint: own.fingerprint, source: own.source }, own }
    if (server) return { use: { by: 'server', source: server.source } }
    return { use: policy.isNeeded ? refused('none') : { by: 'nobody' } }
  }

  return {
    async resolve(scope) {
      if (!scope) return server?.fetch()
      const { use, own } = decide(scope)
      if (use.by === 'refused') throw use.error
      return use.by === 'server' ? server?.fetch() : own?.fetch()
    },
    useOf: (call) => decide(call).use,
    async [Symbol.asyncDispose]() {
      exchange?.[Symbol.dispose]()
      await Promise.all([server?.[Symbol.asyncDispose](), exchange?.http[Symbol.asyncDispose]()])
    },
  }
}

/** A caller's own credential, before it is fetched. */
interface Own {
  readonly fingerprint: string
  readonly source: CredentialSource
  readonly fetch: () => Promise<Credential>
  /** By the request itself. */
  readonly isSent?: true
}

function made(credential: Credential): Own {
  const { fingerprint, source } = credential
  return { fingerprint, source, fetch: async () => credential }
}

/** One that is there and cannot be used is an error of the call. */
function unusable(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error
  if (!(error instanceof HostError)) throw error
  const { code, message, fix } = error
  return new ServiceError('AUTHENTICATION_FAILED', message, {
    fix: [...fix, `See docs/errors.md#${code.toLowerCase()}`].join('. '),
    cause: error,
  })
}

interface ServerCredential extends AsyncDisposable {
  readonly source: CredentialSource
  readonly fetch: () => Promise<Credential>
}

function serverCredential(options: ServiceCredentialOptions): ServerCredential | undefined {
  const chosen = chooseCredential(options.settings)
  if (chosen?.kind === 'grant') return fetchedCredential(chosen, options)
  return chosen && { source: chosen.source, fetch: async () => chosen, [Symbol.asyncDispose]: async () => {} }
}

function openExchange(options: ServiceCredentialOptions): (TokenExchange & { readonly http: AsyncDisposable }) | undefined {
  const { exchange, settings, redactor, log, network = {} } = options
  if (!exchange) return undefined
  const { tokenUrl, clientId, clientSecret, clientSecretVariable } = exchange
  const forget = clientSecret === undefined ? () => {} : redactor.add(clientSecret)
  const own =
    clientSecret === undefined
      ? undefined
      : clientCredential({ kind: 'grant', tokenUrl, id: clientId, secret: clientSecret, scope: undefined }, settings)
  const http = createServiceHttp({
    ...network,
    instance: `${settings.instance} exchange`,
    baseUrl: tokenUrl,
    ...(own && { credential: async () => own }),
    hints: {
      credentialVariables: clientSecretVariable === undefined ? [] : [clientSecretVariable],
      baseUrlVariable: `exchange.tokenUrl of the entry "${settings.instance}"`,
    },
    redactor,
    log,
    currentCall: () => undefined, // a token is for all calls of its caller: it must not end with the one that happened to ask first
  })
  const made = createTokenExchange({ exchange, settings, http, redactor, clock: network.clock ?? systemClock })
  return {
    ...made,
    http,
    [Symbol.dispose]() {
      made[Symbol.dispose]()
      forget()
    },
  }
}

function fetchedCredential(
  client: OAuthClient,
  { settings, redactor, log, network = {} }: ServiceCredentialOptions,
): ServerCredential {
  const { instance, prefix = instance } = settings
  const own = clientCredential(client, settings)
  const http = createServiceHttp({
    ...network,
    instance: `${instance} token`,
    baseUrl: client.tokenUrl,
    credential: async () => own,
    hints: {
      credentialVariables: ['oauthClientId', 'oauthClientSecret'].map((key) => variableName(prefix, key)),
      baseUrlVariable: variableName(prefix, 'oauthTokenUrl'),
    },
    redactor,
    log,
    currentCall: () => undefined, // a token is everybody's: it must not end with the call that happened to ask first
  })
  const source = createTokenSource({ client, http, settings, redactor, clock: network.clock ?? systemClock })
  return { source: own.source, fetch: source, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() }
}

/** RFC 6749 §2.3.1: Basic, the id and the secret form-encoded first. */
function clientCredential(
  { id, secret }: OAuthClient,
  { instance, prefix = instance, fingerprintKey }: CredentialSettings,
): Credential {
  const credential = headerCredential('basic', Buffer.from(`${formEncode(id)}:${formEncode(secret)}`).toString('base64'), {
    instance,
    placement: undefined,
    fingerprintKey,
    source: { kind: 'server', variables: ['oauthClientId', 'oauthClientSecret'].map((key) => variableName(prefix, key)) },
  })
  return Object.freeze({ ...credential, secrets: [...credential.secrets, secret] })
}

function formEncode(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}
