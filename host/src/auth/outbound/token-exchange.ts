import { createHmac } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { HttpClient } from '@mcp-patchbay/plugin-api'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import type * as Oidc from 'openid-client'
import { singleFlight } from '../../cache/single-flight.ts'
import type { CallScope } from '../../network/http-call-scope.ts'
import type { Clock } from '../../network/resilience/clock.ts'
import type { Credential } from '../../network/request/placed-credential.ts'
import type { Redactor } from '../../observability/redact.ts'
import { headerCredential, type CredentialSettings } from './credentials.ts'
import { readIssuedToken, type TokenAnswer } from './issued-token.ts'

export interface ExchangeSettings {
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: string | undefined
  readonly audience?: string | undefined
  readonly resource?: string | undefined
  readonly scope?: string | undefined
}

export interface TokenExchangeOptions {
  readonly exchange: ExchangeSettings
  readonly settings: Omit<CredentialSettings, 'values'>
  /** Made for `tokenUrl`, with the client's id and secret as its credential. */
  readonly http: HttpClient
  readonly redactor: Redactor
  readonly clock: Clock
}

/** The tokens of one service that callers' own are exchanged for. */
export interface TokenExchange extends Disposable {
  /** Names what the call would go with, before anything is asked; undefined for a caller who came with no token. */
  fingerprint(call: ExchangeCall): string | undefined
  /**
   * Exchanged once for all calls with the same token, and kept until shortly before it expires or the service refuses it. A refusal is
   * remembered for half a minute. Rejects with a `ServiceError`.
   */
  credential(call: ExchangeCall): Promise<Credential>
}

export type ExchangeCall = Pick<CallScope, 'principal' | 'credentials'>

/** RFC 8693 by openid-client, which is read with the first exchange. */
export function createTokenExchange(options: TokenExchangeOptions): TokenExchange {
  const { exchange, settings, redactor, clock } = options
  const once = singleFlight<string, Held>()
  const held = new LRUCache<string, Held>({ max: 10_000, dispose: (gone) => gone.forget() })
  const refused = new LRUCache<string, { readonly error: ServiceError; readonly until: number }>({ max: 10_000 })
  let configuration: Promise<Asking> | undefined

  const fingerprint = ({ principal, credentials }: ExchangeCall): string | undefined => {
    const token = credentials?.subjectToken
    if (token === undefined) return undefined
    const { tenant, kind, id } = principal
    const parts = JSON.stringify(['exchange', tenant ?? null, kind, id, settings.instance, token])
    return createHmac('sha256', settings.fingerprintKey).update(parts).digest('base64url')
  }

  async function fetchToken(key: string, subjectToken: string): Promise<Held> {
    const asked = clock.now()
    try {
      const { oidc, server } = await (configuration ??= configure(options))
      const answer = await oidc.genericGrantRequest(server, GRANT, {
        subject_token: subjectToken,
        subject_token_type: ACCESS_TOKEN,
        requested_token_type: ACCESS_TOKEN,
        ...(exchange.audience !== undefined && { audience: exchange.audience }),
        ...(exchange.resource !== undefined && { resource: exchange.resource }),
        ...(exchange.scope !== undefined && { scope: exchange.scope }),
      })
      const { token, lifeMs } = readExchanged(answer, { asked, subjectToken, options })
      const made = headerCredential('oauth', token, { ...settings, source: { kind: 'exchange' } })
      const fresh: Held = {
        credential: Object.freeze({ ...made, refused: () => void (held.get(key) === fresh && held.delete(key)) }),
        until: asked + lifeMs - Math.min(MARGIN_MS, lifeMs / 2),
        forget: redactor.add(token),
      }
      held.set(key, fresh)
      return fresh
    } catch (error) {
      const problem = asServiceError(error, settings.instance)
      if (problem.code === 'AUTHENTICATION_FAILED') refused.set(key, { error: problem, until: clock.now() + REFUSED_MS })
      throw problem
    }
  }

  return {
    fingerprint,
    async credential(call) {
      const key = fingerprint(call)
      const token = call.credentials?.subjectToken
      if (key === undefined || token === undefined) throw new Error('A caller without a token has nothing to exchange')
      const known = held.get(key)
      if (known && clock.now() < known.until) return known.credential
      const before = refused.get(key)
      if (before && clock.now() < before.until) throw before.error
      return (await once(key, () => fetchToken(key, token))).credential
    },
    [Symbol.dispose]: () => held.clear(),
  }
}

interface Held {
  readonly credential: Credential
  /** Milliseconds since 1970. */
  readonly until: number
  readonly forget: () => void
}

interface Asking {
  readonly oidc: typeof Oidc
  readonly server: Oidc.Configuration
}

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
/** A token must outlive the request it is put on. */
const MARGIN_MS = 30_000
/** RFC 8693 §2.2.1 lets a server leave the life out. */
const USUAL_LIFE_MS = 300_000
/** A caller whose token is refused asks again and again, as a rule. */
const REFUSED_MS = 30_000

/** The requests are the host's own, with its limits and certificates; the client proves itself there, by Basic. */
async function configure({ exchange, http }: TokenExchangeOptions): Promise<Asking> {
  const oidc = await import('openid-client')
  const { tokenUrl, clientId } = exchange
  const metadata = { issuer: new URL(tokenUrl).origin, token_endpoint: tokenUrl }
  const server = new oidc.Configuration(metadata, clientId, undefined, oidc.None())
  // Whether http will do is decided where the config is read: on loopback only.
  oidc.allowInsecureRequests(server)
  server[oidc.customFetch] = async (_url, { method, body, headers }) => {
    const { accept = '*/*', 'content-type': type = 'application/x-www-form-urlencoded' } = headers
    const answer = await http.request('', {
      method: method === 'POST' ? 'POST' : 'GET',
      headers: { accept, 'content-type': type },
      body: body instanceof URLSearchParams ? body.toString() : '',
    })
    return new Response(Buffer.from(answer.body), { status: answer.status, headers: { ...answer.headers } })
  }
  return { oidc, server }
}

interface Exchanged {
  readonly asked: number
  readonly subjectToken: string
  readonly options: TokenExchangeOptions
}

/** Throws a `ServiceError` for what is not an access token of the service that was asked for. */
function readExchanged(
  answer: TokenAnswer & { readonly issued_token_type?: unknown },
  { asked, subjectToken, options: { exchange, settings } }: Exchanged,
): { readonly token: string; readonly lifeMs: number } {
  const { issued_token_type: issued } = answer
  const audiences = [exchange.audience, exchange.resource].filter((name) => name !== undefined)
  const read = readIssuedToken(answer, { asked, audiences })
  const problem =
    issued !== ACCESS_TOKEN
      ? `with issued_token_type ${JSON.stringify(issued)?.slice(0, 120) ?? 'missing'} instead of "${ACCESS_TOKEN}"`
      : 'problem' in read
        ? read.problem
        : // It proves its caller to this host, and is sent nowhere.
          read.token === subjectToken
          ? 'with the very token that it was given'
          : undefined
  if (problem === undefined && !('problem' in read))
    return { token: read.token, lifeMs: (read.expiresAt ?? asked + USUAL_LIFE_MS) - asked }
  throw new ServiceError('UPSTREAM_FAILED', `${settings.instance}: the token service exchanged ${problem}`, {
    fix: `Check exchange.tokenUrl, audience, resource and scope of the entry "${settings.instance}" in the config file`,
  })
}

function answered(cause: unknown): string {
  return cause instanceof Response ? `, it answered ${cause.status}` : ''
}

/** RFC 6749 §5.2: what the server says is wrong with the token the caller can fix; what is wrong with the client, the operator. */
function asServiceError(error: unknown, instance: string): ServiceError {
  if (error instanceof ServiceError) return error
  const cause: unknown = error instanceof Error ? error.cause : undefined
  if (cause instanceof ServiceError) return cause
  const said = error instanceof Error && 'error' in error && typeof error.error === 'string' ? error.error : undefined
  if (said === undefined)
    return new ServiceError('UPSTREAM_FAILED', `${instance}: the token service gave no token${answered(cause)}`, {
      fix: `Check exchange.tokenUrl of the entry "${instance}" in the config file`,
      cause: error,
    })
  const isClients = said === 'invalid_client' || said === 'unauthorized_client' || said === 'unsupported_grant_type'
  return new ServiceError(
    'AUTHENTICATION_FAILED',
    `${instance}: your token could not be exchanged for one of the service: ${said}`,
    {
      fix: isClients
        ? `Check exchange of the entry "${instance}" in the config file: the client must be allowed to exchange tokens. See docs/errors.md#credential_refused`
        : 'Sign in again, and ask for access to this service. See docs/errors.md#credential_refused',
      cause: error,
    },
  )
}
