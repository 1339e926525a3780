import type { Logger } from '@mcp-patchbay/plugin-api'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { variableName } from '../../config/plugin/variables.ts'
import { HostError } from '../../errors.ts'
import { systemClock } from '../../network/resilience/clock.ts'
import type { CallAccount } from '../../network/http-call-scope.ts'
import type { Credential, CredentialSource, ResolveCredential } from '../../network/request/placed-credential.ts'
import { createServiceHttp, type ServiceHttpOptions } from '../../network/http-client.ts'
import type { Redactor } from '../../observability/redact.ts'
import { clientPair } from '../../network/request/client-pair.ts'
import { callerCredential } from './caller-credential.ts'
import { createTokenSource } from './client-credentials.ts'
import {
  credentialRequired,
  decideCredential,
  type CredentialCall,
  type CredentialPolicy,
  type CredentialRefusal,
  type CredentialUse,
  type CredentialUseOf,
} from './credential-use.ts'
import { chooseCredential, headerCredential, type CredentialSettings, type OAuthClient } from './credentials.ts'
import { OAUTH_LIMITS } from './oauth-fetch.ts'
import { upstreamHeader } from './request-credentials.ts'
import { createTokenExchange, type ExchangeSettings, type TokenExchange } from './token-exchange.ts'

export interface ServiceCredentialOptions {
  readonly settings: CredentialSettings
  readonly policy: CredentialPolicy
  /** Exchanges callers' access tokens for some of this service. */
  readonly exchange?: (ExchangeSettings & { readonly clientSecretVariable?: string | undefined }) | undefined
  /** What the operator has linked, for what the host asks of the service by itself where the server has no credential. */
  readonly operatorAccount?: (() => Promise<CallAccount | undefined>) | undefined
  /** Callers can link an account of the service. */
  readonly canLink?: boolean
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
  const choose = (call: CredentialCall): Choice => {
    const sent = call.credentials?.of(instance)
    const fingerprint = exchange?.fingerprint(call)
    const { account } = call
    const decision = decideCredential(
      {
        isSent: sent !== undefined,
        exchange: !exchange ? 'off' : fingerprint === undefined ? 'noToken' : 'token',
        isStored: account !== undefined,
        hasServer: server !== undefined,
      },
      policy,
      call,
    )
    switch (decision) {
      case 'sent':
        if (!sent) throw new Error('A credential that was sent is there')
        return byCaller(made(callerCredential(sent, settings)))
      case 'exchange':
        return byCaller({
          fingerprint: fingerprint ?? '',
          source: { kind: 'exchange' },
          fetch: async () => exchange?.credential(call),
        })
      case 'stored':
        if (!account) throw new Error('An account that is stored is there')
        if (account.problem !== undefined) {
          const wantsAccount = account.mustLinkAgain && options.canLink === true
          return { use: { by: 'refused', error: unusable(account.problem), wantsAccount } }
        }
        return byCaller(linked(account, settings))
      case 'server':
        return { use: server ? { by: 'server', source: server.source } : { by: 'none' } }
      case 'none':
        return { use: { by: 'none' } }
      default:
        return {
          use: {
            by: 'refused',
            error: credentialRequired({ plugin: instance, header, why: decision.why }),
            wantsAccount:
              options.canLink === true && LINKING_HELPS.has(decision.why) && !(policy.isRaw && decision.why !== 'none'),
          },
        }
    }
  }
  const ofOperator = async () => {
    const account = await options.operatorAccount?.()
    if (!account || account.problem !== undefined) return undefined
    const made = await linked(account, settings).fetch()
    return (
      made && {
        ...made,
        lacks(scopes: readonly string[]) {
          account.lacks(scopes)
          void account.lacking()
        },
      }
    )
  }
  const decide = (call: CredentialCall): Choice => {
    try {
      return choose(call)
    } catch (error) {
      return { use: { by: 'refused', error: unusable(error) } }
    }
  }

  return {
    async resolve(scope) {
      if (!scope) return server ? server.fetch() : ofOperator()
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
  readonly fetch: () => Promise<Credential | undefined>
}

/** A decision, with what to fetch where the caller's own is used. */
interface Choice {
  readonly use: CredentialUse
  readonly own?: Own
}

function byCaller(own: Own): Choice {
  return { use: { by: 'caller', fingerprint: own.fingerprint, source: own.source }, own }
}

function made(credential: Credential): Own {
  const { fingerprint, source } = credential
  return { fingerprint, source, fetch: async () => credential }
}

/** Whoever has a credential of its own is not refused for these. */
const LINKING_HELPS: ReadonlySet<string> = new Set<CredentialRefusal>(['none', 'deny', 'readOnly'])

function linked(account: Extract<CallAccount, { readonly token: unknown }>, settings: Omit<CredentialSettings, 'values'>): Own {
  const source: CredentialSource = { kind: 'stored' }
  return {
    fingerprint: account.fingerprint,
    source,
    async fetch() {
      const token = await account.token().catch((error: unknown) => Promise.reject(unusable(error)))
      const made = account.isOAuth
        ? headerCredential('oauth', token, { ...settings, source })
        : callerCredential(
            { kind: 'authorization', line: token, header: upstreamHeader(settings.instance) },
            { ...settings, source },
          )
      return Object.freeze({
        ...made,
        fingerprint: account.fingerprint,
        refused: () => account.refused(token),
        lacks: account.lacks,
      })
    },
  }
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
    limits: { ...OAUTH_LIMITS, ...network.limits },
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
    limits: { responseBytes: OAUTH_LIMITS.responseBytes, ...network.limits },
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

/** Basic, as RFC 6749 §2.3.1 has it. */
function clientCredential(
  { id, secret }: OAuthClient,
  { instance, prefix = instance, fingerprintKey }: CredentialSettings,
): Credential {
  const credential = headerCredential('basic', clientPair(id, secret), {
    instance,
    placement: undefined,
    fingerprintKey,
    source: { kind: 'server', variables: ['oauthClientId', 'oauthClientSecret'].map((key) => variableName(prefix, key)) },
  })
  return Object.freeze({ ...credential, secrets: [...credential.secrets, secret] })
}
