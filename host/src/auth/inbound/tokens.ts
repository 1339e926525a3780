import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { JSONWebKeySet } from 'jose'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { createCache } from '../../cache/cache.ts'
import { cacheClock } from '../../cache/stores/store-guard.ts'
import type { ResolvedConfig } from '../../config/schema/schema.ts'
import { describeError, HostError, hostError } from '../../errors.ts'
import type { Redactor } from '../../observability/redact.ts'
import { secretVariable } from '../outbound/secret-variable.ts'
import type { Authenticated } from './authentication.ts'
import { clientCredential, createIntrospection } from './introspection.ts'
import { createIssuerHttp, discoverKeys } from './issuer-http.ts'
import { createJwtVerifier, isJwt, type JwtIssuer } from './jwt.ts'
import { createKeySet } from './jwks.ts'
import { resourceOf } from './metadata.ts'
import type { Verdict } from './authentication-verdict.ts'

export interface TokensOptions {
  readonly oauth: OAuthSettings
  /** This server as clients address it. */
  readonly resource: string
  readonly tenantClaim: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** What paths in `_FILE` variables are relative to. */
  readonly configDir: string
  readonly log: Logger
  readonly redactor: Redactor
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** See `KeySetOptions`. */
  readonly elapsed?: (() => number) | undefined
}

export type OAuthSettings = NonNullable<ResolvedConfig['auth']['inbound']['oauth']>

/** Access tokens of the issuers in the config. */
export interface Tokens extends AsyncDisposable {
  /** Whose token it is, if it was verified a moment ago. */
  known(token: string, path: string): Authenticated | undefined
  /**
   * For a request to `path`: a token of the server is good at each of its addresses, one of an address only there. Rejects only with
   * `IssuerUnavailable`.
   */
  verify(token: string, path: string): Promise<Verdict>
}

/** The address of everything: what is good there is good at each narrower one. */
const WHOLE = '/mcp'
const MAX_KNOWN = 10_000
const KEEP_MS = 60_000
const DEFAULT_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA']

/**
 * Asks every issuer for its keys, so that the first callers need not wait. One that cannot be asked now is asked again later. Throws
 * `AUTH_ISSUER` for one that is another than the config says, and `AUTH_SECRET` for a client secret that is nowhere.
 */
export async function openTokens(options: TokensOptions): Promise<Tokens> {
  const { oauth, log, now } = options
  await using opened = new AsyncDisposableStack()
  const prepared = await Promise.all(oauth.issuers.map((settings) => prepareKeys(settings, options)))
  const verifyJwt = createJwtVerifier(prepared, { now, keepMs: KEEP_MS })
  const opaque = oauth.issuers.find(({ introspection }) => introspection !== undefined)
  const introspect = opaque && openIntrospection(opaque, options, opened)
  const verified = new LRUCache<string, Extract<Verdict, { accepted: unknown }>>({ max: MAX_KNOWN })
  const kept = opened.move()
  const verifyFor = async (token: string, path: string): Promise<Verdict> => {
    const verdict = isJwt(token) ? await verifyJwt(token, path) : ((await introspect?.(token, path)) ?? { refused: 'opaque' })
    const key = path === WHOLE ? fingerprint(token) : `${fingerprint(token)} ${path}`
    if ('accepted' in verdict && verdict.until > now()) verified.set(key, verdict)
    return verdict
  }
  log.debug('issuers_ready', { issuers: prepared.map(({ issuer }) => issuer) })

  return {
    known(token, path) {
      const whole = fingerprint(token)
      const found = verified.get(whole) ?? (path === WHOLE ? undefined : verified.get(`${whole} ${path}`))
      return found && now() < found.until ? found.accepted : undefined
    },
    async verify(token, path) {
      const verdict = await verifyFor(token, WHOLE)
      if (path === WHOLE || !('refused' in verdict) || verdict.refused !== 'aud') return verdict
      return verifyFor(token, path)
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

type IssuerSettings = OAuthSettings['issuers'][number]

/** Tokens themselves are kept nowhere. */
function fingerprint(token: string): string {
  return hash('sha256', token, 'base64url')
}

async function prepareKeys(settings: IssuerSettings, options: TokensOptions): Promise<JwtIssuer> {
  const { issuer } = settings
  const { log, redactor, elapsed } = options
  let keysUrl = settings.jwksUri
  const load = async (): Promise<JSONWebKeySet> => {
    keysUrl ??= await discoverKeys({ issuer, redactor, log })
    await using http = createIssuerHttp({ issuer, url: keysUrl, redactor, log })
    const answer = await http.ask()
    if (!Array.isArray(answer['keys'])) throw hostError('AUTH_ISSUER', { issuer, problem: `${keysUrl} holds no key set` })
    return { ...answer, keys: answer['keys'] as JSONWebKeySet['keys'] }
  }
  const maxStaleMs = (settings.jwksMaxStaleSeconds ?? 86_400) * 1000
  const keys = createKeySet({ issuer, load, log, elapsed, maxStaleMs })
  await keys.warm().catch((error: unknown) => {
    // Another's metadata is a slip in the config, or an attack; an issuer that is away comes back.
    if (error instanceof HostError && keysUrl === undefined) throw error
    log.warn('issuer_unavailable', { issuer, reason: describeError(error) })
  })
  return {
    issuer,
    findKey: keys.find,
    algorithms: algorithmsOf(settings.algorithms ?? DEFAULT_ALGORITHMS),
    audiencesAt: audiencesOf(settings, options),
    tokenType: settings.tokenType ?? 'at+jwt',
    toleranceSeconds: settings.clockToleranceSeconds ?? 30,
    maxAgeSeconds: maxAgeOf(settings),
    ...claimNames(settings, options),
  }
}

function openIntrospection(settings: IssuerSettings, options: TokensOptions, opened: AsyncDisposableStack) {
  const { issuer, introspection } = settings
  const { log, redactor, now } = options
  if (!introspection) throw new Error(`${issuer} has no introspection`)
  const { clientId, clientSecretVariable: variable } = introspection
  const credential = clientCredential(
    clientId,
    secretVariable(variable, 'The client secret for introspection', options),
    variable,
  )
  const http = opened.use(createIssuerHttp({ issuer, url: introspection.url, credential, redactor, log }))
  // In memory always: a host that can write to a shared store could let itself in everywhere.
  const cache = opened.use(createCache({ log, clock: { ...cacheClock, now } }))
  return createIntrospection({
    issuer,
    http,
    audiencesAt: audiencesOf(settings, options),
    toleranceSeconds: settings.clockToleranceSeconds ?? 30,
    maxAgeSeconds: maxAgeOf(settings),
    keepMs: (introspection.cacheSeconds ?? 30) * 1000,
    cache: cache.namespace('introspection', issuer),
    now,
    ...claimNames(settings, options),
  })
}

/** The name of a resource with and without a slash at its end is taken for the same, as clients and issuers differ about it. */
function audiencesOf({ audience }: IssuerSettings, { resource }: TokensOptions): (path: string) => readonly string[] {
  if (audience !== undefined) return () => [audience]
  return (path) => {
    const plain = resourceOf(resource.replace(/\/$/, ''), path)
    return [plain, `${plain}/`]
  }
}

/** RFC 9864 names EdDSA with curve Ed25519 "Ed25519". */
function algorithmsOf(algorithms: readonly string[]): readonly string[] {
  return algorithms.flatMap((algorithm) => (algorithm === 'EdDSA' ? ['EdDSA', 'Ed25519'] : [algorithm]))
}

function maxAgeOf({ maxTokenAgeSeconds = 86_400 }: IssuerSettings): number {
  return maxTokenAgeSeconds
}

function claimNames(settings: IssuerSettings, options: TokensOptions) {
  return {
    tenantClaim: settings.tenantClaim ?? options.tenantClaim,
    permissionClaims: settings.permissionClaims ?? ['scope', 'scp', 'roles'],
  }
}
