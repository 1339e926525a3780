import type { Logger } from '@mcp-patchbay/plugin-api'
import { variableName } from '../config/variables.ts'
import type { ErrorData } from '../errors.ts'
import { systemClock } from '../network/clock.ts'
import type { Credential, CredentialSource, ResolveCredential } from '../network/credential.ts'
import { createServiceHttp, type ServiceHttpOptions } from '../network/http-client.ts'
import type { Redactor } from '../observability/redact.ts'
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

export interface ServiceCredentialOptions {
  readonly settings: CredentialSettings
  readonly policy: CredentialPolicy
  readonly redactor: Redactor
  readonly log: Logger
  /** How the token endpoint is reached: what differs from the usual. */
  readonly network?: Pick<ServiceHttpOptions, 'limits' | 'ca' | 'clock' | 'random' | 'dialing'>
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
  const header = upstreamHeader(instance)
  const refused = (why: ErrorData<'CREDENTIAL_REQUIRED'>['why']) =>
    ({ by: 'refused', error: credentialRequired({ plugin: instance, header, why }) }) as const

  const ownOf = ({ credentials }: CredentialCall): Credential | undefined => {
    const line = credentials?.of(instance)
    return line === undefined ? undefined : callerCredential(line, settings)
  }
  const useOf = (call: CredentialCall, own = ownOf(call)): CredentialUse => {
    if (own && !policy.allowRequestCredentials) return refused('notAccepted')
    const why = server || policy.isRaw ? serverRefusal(policy, call) : undefined
    if (why && (policy.isRaw || !own)) return refused(why)
    if (own) return { by: 'caller', fingerprint: own.fingerprint, source: own.source }
    if (server) return { by: 'server', source: server.source }
    return policy.isNeeded ? refused('none') : { by: 'nobody' }
  }

  return {
    async resolve(scope) {
      if (!scope) return server?.fetch()
      const own = ownOf(scope)
      const use = useOf(scope, own)
      if (use.by === 'refused') throw use.error
      return use.by === 'server' ? server?.fetch() : own
    },
    useOf: (call) => useOf(call),
    async [Symbol.asyncDispose]() {
      await server?.[Symbol.asyncDispose]()
    },
  }
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
