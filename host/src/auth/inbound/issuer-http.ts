import type { Logger } from '@mcp-patchbay/plugin-api'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { isSafeUrl } from '../../config/schema/secure-url.ts'
import { isObject } from '../../data/json.ts'
import { hostError } from '../../errors.ts'
import type { Credential } from '../../network/request/placed-credential.ts'
import { createServiceHttp } from '../../network/http-client.ts'
import type { NetworkLimits } from '../../network/resilience/limits.ts'
import type { Redactor } from '../../observability/redact.ts'

export interface IssuerHttpOptions {
  readonly issuer: string
  readonly url: string
  readonly credential?: Credential
  readonly redactor: Redactor
  readonly log: Logger
}

/** One address of an authorization server. */
export interface IssuerHttp extends AsyncDisposable {
  /** What it answers, which must be a JSON object. A form is posted. Rejects with a `ServiceError`. */
  ask(form?: URLSearchParams): Promise<Readonly<Record<string, unknown>>>
}

/** Sends requests to this origin only, for a few seconds and one megabyte at most: an unknown caller may be waiting for the answer. */
export function createIssuerHttp({ issuer, url, credential, redactor, log }: IssuerHttpOptions): IssuerHttp {
  const { origin, pathname, search } = new URL(url)
  const http = createServiceHttp({
    instance: issuer,
    baseUrl: origin,
    ...(credential ? { credential: async () => credential } : {}),
    hints: { credentialVariables: [], baseUrlVariable: 'auth.inbound.oauth.issuers' },
    redactor,
    log,
    currentCall: () => undefined,
    limits: LIMITS,
  })
  return {
    async ask(form) {
      const path = pathname + search
      const answer = await (form
        ? http.json(path, {
            method: 'POST',
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: form.toString(),
          })
        : http.json(path))
      if (!isObject(answer)) throw new ServiceError('UPSTREAM_FAILED', `${issuer}: ${pathname} answered with no JSON object`)
      return answer
    },
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  }
}

const LIMITS: Partial<NetworkLimits> = {
  connectMs: 3_000,
  headersMs: 5_000,
  bodyMs: 5_000,
  responseBytes: 1_048_576,
  retries: 0,
}

/**
 * Where an issuer says that its keys are: OpenID Connect Discovery, else RFC 8414. Rejects with `AUTH_ISSUER` when that is another issuer's
 * metadata, and with a `ServiceError` when there is none to be had.
 */
export async function discoverKeys(options: Omit<IssuerHttpOptions, 'url' | 'credential'>): Promise<string> {
  const { issuer } = options
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  const metadata = await ask(`${origin}${path}/.well-known/openid-configuration`).catch((error: unknown) => {
    if (!(error instanceof ServiceError) || error.code !== 'NOT_FOUND') throw error
    return ask(`${origin}/.well-known/oauth-authorization-server${path}`)
  })
  const { issuer: named, jwks_uri: jwksUri } = metadata
  if (typeof named !== 'string') throw new ServiceError('UPSTREAM_FAILED', `${issuer}: its metadata names no issuer`)
  if (named !== issuer) throw hostError('AUTH_ISSUER', { issuer, problem: `its metadata is that of ${JSON.stringify(named)}` })
  if (typeof jwksUri !== 'string' || !isSafeUrl(jwksUri))
    throw hostError('AUTH_ISSUER', {
      issuer,
      problem: `its metadata has no jwks_uri that is https, but ${JSON.stringify(jwksUri)}`,
    })
  return jwksUri

  async function ask(url: string): Promise<Readonly<Record<string, unknown>>> {
    await using http = createIssuerHttp({ ...options, url })
    return await http.ask()
  }
}
