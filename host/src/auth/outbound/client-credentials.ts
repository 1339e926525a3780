import type { HttpClient } from '@mcp-patchbay/plugin-api'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { singleFlight } from '../../cache/single-flight.ts'
import { isObject } from '../../data/json.ts'
import { variableName } from '../../config/plugin/variables.ts'
import type { Clock } from '../../network/resilience/clock.ts'
import type { Credential } from '../../network/request/placed-credential.ts'
import type { Redactor } from '../../observability/redact.ts'
import { headerCredential, type CredentialSettings, type OAuthClient } from './credentials.ts'
import { readIssuedToken } from './issued-token.ts'

export interface TokenSourceOptions {
  readonly client: OAuthClient
  /** Made for `client.tokenUrl`, with the client's id and secret as its credential. */
  readonly http: HttpClient
  readonly settings: CredentialSettings
  readonly redactor: Redactor
  readonly clock: Clock
}

/**
 * The token of a service's own OAuth client: fetched on first use, once for all who ask at the same time, kept until shortly before it
 * expires or the service refuses it. Whatever keeps it from being fetched is a `ServiceError`; the next request tries again.
 */
export function createTokenSource(options: TokenSourceOptions): () => Promise<Credential> {
  const { client, http, settings, redactor, clock } = options
  const fetchOnce = singleFlight<'token', Held>()
  let held: Held | undefined
  /** Its token stays redacted also after it was refused: requests with it may still be on their way. */
  let latest: Held | undefined

  const fetchToken = async (): Promise<Held> => {
    const asked = clock.now()
    const body = new URLSearchParams({ grant_type: 'client_credentials', ...(client.scope ? { scope: client.scope } : {}) })
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await http.json('', { method: 'POST', body: body.toString(), headers }).catch((error: unknown) => {
      throw asAuthentication(error, settings.prefix ?? settings.instance)
    })
    const { token, lifeMs } = readToken(answer, settings.instance, asked)
    const made = headerCredential('oauth', token, settings)
    const fresh: Held = {
      credential: Object.freeze({
        ...made,
        refused() {
          if (held === fresh) held = undefined
        },
      }),
      until: asked + lifeMs - Math.min(MARGIN_MS, lifeMs / 2),
      forget: redactor.add(token),
    }
    latest?.forget()
    latest = held = fresh
    return fresh
  }

  return async () => {
    const usable = held && clock.now() < held.until ? held : await fetchOnce('token', fetchToken)
    return usable.credential
  }
}

interface Held {
  readonly credential: Credential
  /** Milliseconds since 1970. */
  readonly until: number
  readonly forget: () => void
}

/** A token must outlive the request it is put on. */
const MARGIN_MS = 30_000
/** RFC 6749 lets a server leave the life out and say it elsewhere. */
const USUAL_LIFE_MS = 300_000

function readToken(answer: unknown, instance: string, asked: number): { token: string; lifeMs: number } {
  const read = readIssuedToken(isObject(answer) ? answer : {}, { asked, audiences: [] })
  if ('problem' in read)
    throw new ServiceError('UPSTREAM_FAILED', `${instance}: the token service answered ${read.problem}`, {
      fix: 'Check that the token URL is that of the OAuth token endpoint',
    })
  return { token: read.token, lifeMs: (read.expiresAt ?? asked + USUAL_LIFE_MS) - asked }
}

/** RFC 6749 §5.2 answers a wrong secret with 400 or 401: to the caller of the tool both mean that the service cannot be used. */
function asAuthentication(error: unknown, prefix: string): unknown {
  if (!(error instanceof ServiceError) || !REFUSALS.has(error.code)) return error
  const variables = ['oauthClientId', 'oauthClientSecret', 'oauthTokenUrl'].map((key) => variableName(prefix, key))
  return new ServiceError('AUTHENTICATION_FAILED', error.message, { fix: `Check ${variables.join(', ')}`, cause: error })
}

const REFUSALS: ReadonlySet<string> = new Set(['INVALID_INPUT', 'PERMISSION_DENIED', 'NOT_FOUND', 'AUTHENTICATION_FAILED'])
