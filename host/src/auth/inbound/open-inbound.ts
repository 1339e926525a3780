import type { IncomingMessage } from 'node:http'
import { resolve } from 'node:path'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { ResolvedConfig } from '../../config/schema/schema.ts'
import type { Redactor } from '../../observability/redact.ts'
import { KEY_PREFIX } from './keys/api-key.ts'
import type { Authenticate, Authenticated, Authentication } from './authentication.ts'
import { takeCredential } from './presented-credential.ts'
import { openKeyRing } from './keys/key-ring.ts'
import { createResourceMetadata, resourceAt, type ResourceMetadata } from './metadata.ts'
import { bearerChallenge, createRefusals, type Refusals } from './refusals.ts'
import { createThrottle, type ThrottleOptions } from './throttle.ts'
import { createTypedKeys, type TypedKeys } from './keys/typed-keys.ts'
import { openTokens, type OAuthSettings, type Tokens } from './tokens.ts'
import { IssuerUnavailable } from './authentication-verdict.ts'

export interface InboundOptions {
  /** `auth` of the config as it is now: its keys may change, its mode does not. */
  readonly auth: () => ResolvedConfig['auth']
  /** What paths in the config are relative to. */
  readonly configDir: string
  /** `listen.http.publicUrl`. */
  readonly publicUrl: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly redactor: Redactor
  readonly log: Logger
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  readonly throttle?: ThrottleOptions
  /** Whether some entry exchanges access tokens of callers now: otherwise no token is kept. */
  readonly exchanges?: () => boolean
}

/** Who may call over HTTP. */
export interface Inbound extends AsyncDisposable {
  readonly authenticate: Authenticate
  /** With OAuth: what is public about it. */
  readonly oauth: PublicOAuth | undefined
  /** With API keys: for people who prove on a page that they have one. */
  readonly typedKeys: TypedKeys | undefined
}

export interface PublicOAuth {
  readonly metadata: ResourceMetadata
  /** Scopes that clients may ask for. */
  readonly scopes: readonly string[]
  /** The `WWW-Authenticate` for a request to `path` that needs `scopes`. */
  readonly challengeFor: (scopes: readonly string[], path: string) => string
}

/** Far more than a client with an old token needs, far fewer than a machine is troubled by. */
const THROTTLE: ThrottleOptions = { bad: 300, seconds: 60 }

/**
 * Reads what callers are checked against, for any mode but `none`. A credential is told by its form, checked in one way, and never tried
 * in another. Throws `AUTH_KEYS_FILE`, `AUTH_ISSUER`, `AUTH_SECRET`.
 */
export async function openInbound(options: InboundOptions): Promise<Inbound> {
  const { auth, configDir, log, now = Date.now, exchanges = () => false } = options
  const { mode, keysFile, oauth: settings } = auth().inbound
  await using opened = new AsyncDisposableStack()
  const configured = () => auth().inbound.keys
  const keys =
    mode === 'oauth' ? undefined : opened.use(await openKeyRing({ file: resolve(configDir, keysFile), configured, log, now }))
  const throttle = createThrottle(options.throttle ?? THROTTLE)
  const oauth = mode === 'apiKey' || !settings ? undefined : publicOAuth(settings, options.publicUrl)
  const tokens =
    oauth && settings
      ? opened.use(
          await openTokens({
            ...options,
            oauth: settings,
            resource: oauth.resource,
            tenantClaim: auth().tenantClaim,
            now,
            elapsed: options.now,
          }),
        )
      : undefined
  const refusalsAt = (path: string): Refusals =>
    createRefusals({
      ...(oauth && { resource_metadata: oauth.metadata.urlOf(path) }),
      ...(oauth && oauth.initialScopes.length > 0 && { scope: oauth.initialScopes.join(' ') }),
    })
  const whole = refusalsAt(WHOLE)
  const refusalsFor = (path: string): Refusals => (path === WHOLE ? whole : refusalsAt(path))
  const kept = opened.move()

  /** Bad credentials are counted; after too many, an address is not looked up for a while. */
  async function refuse(address: string, path: string, reason: string): Promise<Authentication> {
    const seconds = await throttle.waitOf(address)
    if (seconds > 0) return { response: whole.throttled(seconds) }
    await throttle.count(address)
    log.info('auth_refused', { address, reason })
    return { response: refusalsFor(path).unauthorized }
  }

  async function check(token: string, address: string, path: string, from: Tokens): Promise<Authentication> {
    const seconds = await throttle.waitOf(address)
    if (seconds > 0) return { response: whole.throttled(seconds) }
    try {
      const verdict = await from.verify(token, path)
      return 'accepted' in verdict ? admitted(verdict.accepted, token) : await refuse(address, path, verdict.refused)
    } catch (error) {
      if (!(error instanceof IssuerUnavailable)) throw error
      log.warn('auth_unavailable', { reason: error.message })
      return { response: whole.unavailable(error.seconds) }
    }
  }

  /** What is kept of a verified token never holds the token: it goes with one request. */
  const admitted = (accepted: Authenticated, token: string): Authenticated =>
    exchanges() ? { ...accepted, subjectToken: token } : accepted

  return {
    oauth,
    typedKeys: keys && createTypedKeys(keys, throttle),
    authenticate(req, address) {
      const presented = takeCredential(req)
      const path = pathOf(req)
      if (presented.kind === 'none') return { response: refusalsFor(path).missing }
      if (presented.kind === 'several') return { response: refusalsFor(path).several }
      if (presented.kind !== 'token') return refuse(address, path, 'malformed')
      const { token, isApiKeyHeader } = presented
      if (isApiKeyHeader || token.startsWith(KEY_PREFIX)) {
        const found = keys?.find(token) ?? { refused: 'mode' }
        return 'refused' in found ? refuse(address, path, found.refused) : found
      }
      if (!tokens) return refuse(address, path, 'mode')
      const known = tokens.known(token, path)
      return known ? admitted(known, token) : check(token, address, path, tokens)
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** The address of everything, and most requests'. */
const WHOLE = '/mcp'

function pathOf({ url = WHOLE }: IncomingMessage): string {
  return url === WHOLE ? url : (url.split('?', 1)[0] ?? url)
}

function publicOAuth(
  settings: OAuthSettings,
  publicUrl: string | undefined,
): PublicOAuth & { readonly resource: string; readonly initialScopes: readonly string[] } {
  const resource = settings.resource ?? (publicUrl === undefined ? undefined : resourceAt(publicUrl))
  if (resource === undefined) throw new Error('OAuth without a resource: the rules of the config let it through')
  // Whether a client may come back while its person is away is between it and the issuer.
  const scopes = (settings.scopes ?? []).filter((scope) => scope !== 'offline_access')
  const metadata = createResourceMetadata({ resource, issuers: settings.issuers.map(({ issuer }) => issuer), scopes })
  return {
    resource,
    metadata,
    scopes,
    initialScopes: settings.initialScopes ?? scopes,
    challengeFor: (needed, path) =>
      bearerChallenge({ error: 'insufficient_scope', scope: needed.join(' '), resource_metadata: metadata.urlOf(path) }),
  }
}
