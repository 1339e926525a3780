import { resolve } from 'node:path'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { ResolvedConfig } from '../../config/schema.ts'
import { KEY_PREFIX } from './api-key.ts'
import type { Authenticate, Authentication } from './authentication.ts'
import { takeCredential } from './credential.ts'
import { openKeyRing } from './key-ring.ts'
import { createRefusals } from './refusals.ts'
import { createThrottle, type ThrottleOptions } from './throttle.ts'

export interface InboundOptions {
  /** `auth` of the config as it is now: its keys may change, its mode does not. */
  readonly auth: () => ResolvedConfig['auth']
  /** What paths in the config are relative to. */
  readonly configDir: string
  readonly log: Logger
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  readonly throttle?: ThrottleOptions
}

/** Who may call over HTTP. */
export interface Inbound extends AsyncDisposable {
  readonly authenticate: Authenticate
}

/** Far more than a client with an old token needs, far fewer than a machine is troubled by. */
const THROTTLE: ThrottleOptions = { bad: 300, seconds: 60 }

/**
 * Reads what callers are checked against. Undefined with mode `none`: everybody is the operator then. A credential is told by its form,
 * checked in one way, and never tried in another. Throws `AUTH_KEYS_FILE`.
 */
export async function openInbound(options: InboundOptions): Promise<Inbound | undefined> {
  const { auth, configDir, log, now = Date.now } = options
  const { mode, keysFile } = auth().inbound
  if (mode === 'none') return undefined
  await using opened = new AsyncDisposableStack()
  const configured = () => auth().inbound.keys
  const keys =
    mode === 'oauth' ? undefined : opened.use(await openKeyRing({ file: resolve(configDir, keysFile), configured, log, now }))
  const throttle = createThrottle(options.throttle ?? THROTTLE)
  const refusals = createRefusals({})
  const kept = opened.move()

  /** What is no good is counted, and so often that nobody looks any more. */
  async function refuse(address: string, reason: string): Promise<Authentication> {
    const seconds = await throttle.waitOf(address)
    if (seconds > 0) return { response: refusals.throttled(seconds) }
    await throttle.count(address)
    log.info('auth_refused', { address, reason })
    return { response: refusals.unauthorized }
  }

  return {
    authenticate(req, address) {
      const presented = takeCredential(req)
      if (presented.kind === 'none') return { response: refusals.unauthorized }
      if (presented.kind === 'several') return { response: refusals.several }
      if (presented.kind !== 'token') return refuse(address, 'malformed')
      const { token, isApiKeyHeader } = presented
      if (isApiKeyHeader || token.startsWith(KEY_PREFIX)) {
        const found = keys?.find(token) ?? { refused: 'mode' }
        return 'refused' in found ? refuse(address, found.refused) : found
      }
      return refuse(address, 'mode')
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
