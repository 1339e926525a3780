import type { HttpClient, Logger } from '@mcp-patchbay/plugin-api'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { isSafeUrl } from '../../config/schema/secure-url.ts'
import { createServiceHttp, type ServiceHttpOptions } from '../../network/http-client.ts'
import type { Credential } from '../../network/request/placed-credential.ts'
import type { NetworkLimits } from '../../network/resilience/limits.ts'
import type { Redactor } from '../../observability/redact.ts'
import { clientPair } from '../../network/request/client-pair.ts'

export interface OAuthFetchOptions {
  /** For messages: whose authorization server it is. */
  readonly name: string
  /** What the operator sets the addresses with, for messages. */
  readonly setting: string
  readonly redactor: Redactor
  readonly log: Logger
  readonly network?: OAuthNetwork | undefined
  /** Whether an origin may be at a private address. Default: each may, since the operator named them all. */
  readonly allowPrivate?: (origin: string) => boolean
}

/** How an authorization server is reached: what differs from the usual. */
export type OAuthNetwork = Pick<
  ServiceHttpOptions,
  'ca' | 'clientCertificate' | 'proxy' | 'http2' | 'clock' | 'random' | 'dialing' | 'limits'
>

/** Requests of an OAuth library, sent by the host's own network layer: its limits, certificates, proxy and address guard hold. */
export interface OAuthFetch extends AsyncDisposable {
  /** What openid-client takes in place of `fetch`. */
  readonly fetch: (url: string, request: OAuthRequest) => Promise<Response>
}

/** A request as openid-client makes it. */
interface OAuthRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly redirect?: 'manual'
}

/** Token endpoints are asked for at most some seconds and a megabyte: any caller, known or not, may wait for them. */
export const OAUTH_LIMITS = {
  connectMs: 3_000,
  headersMs: 5_000,
  bodyMs: 5_000,
  responseBytes: 1_048_576,
  retries: 0,
} as const satisfies Partial<NetworkLimits>

/** One connection pool for each origin, with the client's `Authorization` and without. Plain http is for loopback only. */
export function createOAuthFetch({
  name,
  setting,
  redactor,
  log,
  network = {},
  allowPrivate = () => true,
}: OAuthFetchOptions): OAuthFetch {
  const open = new Map<string, HttpClient & AsyncDisposable>()

  function httpFor(origin: string, authorization: string | undefined): HttpClient {
    const key = `${origin} ${authorization ?? ''}`
    const known = open.get(key)
    if (known) return known
    const credential = authorization === undefined ? undefined : credentialOf(authorization)
    const made = createServiceHttp({
      ...network,
      limits: { ...OAUTH_LIMITS, ...shortened(network.limits) },
      instance: name,
      baseUrl: origin,
      allowPrivateBase: allowPrivate(origin),
      ...(credential && { credential: async () => credential }),
      hints: { credentialVariables: [], baseUrlVariable: setting },
      redactor,
      log,
      currentCall: () => undefined, // a token is for all calls of its caller: it must not end with the one that happened to ask first
    })
    open.set(key, made)
    return made
  }

  return {
    async fetch(address, { method, headers, body }) {
      const url = new URL(address)
      if (!isSafeUrl(url.href))
        throw new ServiceError('UPSTREAM_FAILED', `${name}: ${url.origin} is neither https nor an address of this machine`)
      const { accept = 'application/json', 'content-type': type, authorization } = headers
      const answer = await httpFor(url.origin, authorization).request(url.pathname + url.search, {
        method: METHODS.find((one) => one === method) ?? 'GET',
        headers: { accept, ...(type !== undefined && { 'content-type': type }) },
        ...(body !== undefined && body !== null && { body: textOf(body) }),
      })
      const isEmpty = answer.status === 204 || answer.status === 304
      return new Response(isEmpty ? null : Buffer.from(answer.body), { status: answer.status, headers: { ...answer.headers } })
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...open.values()].map((http) => http[Symbol.asyncDispose]()))
    },
  }
}

/** What the operator allows the service, as far as a token endpoint may have it: a refresh must end within its turn (`TURN_MS`). */
function shortened({ connectMs, headersMs, bodyMs, ...limits }: Partial<NetworkLimits> = {}): Partial<NetworkLimits> {
  const atMost = (ms: number | undefined, name: 'connectMs' | 'headersMs' | 'bodyMs', most: number) =>
    ms === undefined ? {} : { [name]: Math.min(ms, most) }
  return {
    ...limits,
    ...atMost(connectMs, 'connectMs', 5_000),
    ...atMost(headersMs, 'headersMs', 10_000),
    ...atMost(bodyMs, 'bodyMs', 10_000),
  }
}

/** How a client proves itself in a request, as openid-client asks it. */
type ClientProof = (server: unknown, client: { readonly client_id: string }, body: unknown, headers: Headers) => void

/** Basic, as RFC 6749 §2.3.1 has it. */
export function basicProof(clientSecret: string): ClientProof {
  return (_server, { client_id: id }, _body, headers) => headers.set('authorization', `Basic ${clientPair(id, clientSecret)}`)
}

const METHODS = ['GET', 'POST', 'DELETE'] as const

/** The network layer lets no request set the header itself. */
function credentialOf(authorization: string): Credential {
  const [, value = authorization] = /^\S+ +(\S+)$/.exec(authorization) ?? []
  const credential: Credential = {
    kind: 'oauth',
    fingerprint: '',
    source: { kind: 'server', variables: [] },
    secrets: [value],
    apply(headers) {
      headers['authorization'] = authorization
    },
  }
  return Object.freeze(credential)
}

function textOf(body: unknown): string {
  if (typeof body === 'string') return body
  if (body instanceof URLSearchParams) return body.toString()
  throw new TypeError('An OAuth request has a form or a text as its body')
}
