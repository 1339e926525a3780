import type { Logger } from '@mcp-patchbay/plugin-api'
import { variableName } from '../config/variables.ts'
import { systemClock } from '../network/clock.ts'
import type { Credential, ResolveCredential } from '../network/credential.ts'
import { createServiceHttp, type ServiceHttpOptions } from '../network/http-client.ts'
import type { Redactor } from '../observability/redact.ts'
import { createTokenSource } from './client-credentials.ts'
import { chooseCredential, headerCredential, type CredentialSettings, type OAuthClient } from './credentials.ts'

export interface ServiceCredentialOptions {
  readonly settings: CredentialSettings
  readonly redactor: Redactor
  readonly log: Logger
  /** How the token endpoint is reached: what differs from the usual. */
  readonly network?: Pick<ServiceHttpOptions, 'limits' | 'ca' | 'clock' | 'random' | 'dialing'>
}

/** What a service's requests prove themselves with: for `createServiceHttp`. */
export interface ServiceCredential extends AsyncDisposable {
  readonly resolve: ResolveCredential
}

/** The server's own credential of one service, for every call. Throws what {@link chooseCredential} throws, before any request is sent. */
export function createServiceCredential(options: ServiceCredentialOptions): ServiceCredential {
  const chosen = chooseCredential(options.settings)
  if (chosen?.kind === 'grant') return fetchedCredential(chosen, options)
  return { resolve: async () => chosen, [Symbol.asyncDispose]: async () => {} }
}

function fetchedCredential(
  client: OAuthClient,
  { settings, redactor, log, network = {} }: ServiceCredentialOptions,
): ServiceCredential {
  const { instance } = settings
  const own = clientCredential(client, settings)
  const http = createServiceHttp({
    ...network,
    instance: `${instance} token`,
    baseUrl: client.tokenUrl,
    credential: async () => own,
    hints: {
      credentialVariables: ['oauthClientId', 'oauthClientSecret'].map((key) => variableName(instance, key)),
      baseUrlVariable: variableName(instance, 'oauthTokenUrl'),
    },
    redactor,
    log,
    currentCall: () => undefined, // a token is everybody's: it must not end with the call that happened to ask first
  })
  const source = createTokenSource({ client, http, settings, redactor, clock: network.clock ?? systemClock })
  return { resolve: source, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() }
}

/** RFC 6749 §2.3.1: Basic, the id and the secret form-encoded first. */
function clientCredential({ id, secret }: OAuthClient, { instance, fingerprintKey }: CredentialSettings): Credential {
  const credential = headerCredential('basic', Buffer.from(`${formEncode(id)}:${formEncode(secret)}`).toString('base64'), {
    instance,
    placement: undefined,
    fingerprintKey,
  })
  return Object.freeze({ ...credential, secrets: [...credential.secrets, secret] })
}

function formEncode(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}
