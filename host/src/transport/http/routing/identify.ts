import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { Authenticate, Authenticated, Authentication } from '../../../auth/inbound/authentication.ts'
import { readRequestCredentials, type RequestCredentialOptions } from '../../../auth/outbound/request-credentials.ts'
import { LOCAL_PRINCIPAL } from '../../../auth/principal.ts'
import { spanOfRequest } from '../../../observability/tracing/request-span.ts'
import type { Tracing } from '../../../observability/tracing/types.ts'
import { compose, named } from '../../../server/call/middleware.ts'
import type { Layer, Middleware } from '../../../server/call/types.ts'
import { createCaller } from '../../../server/catalog/caller.ts'
import { authInfoOf } from '../../../server/mcp/auth-info.ts'
import type { Exchange } from '../http-exchange.ts'
import { readNarrowing } from '../narrowing.ts'
import type { OpenAnswer } from '../open-responses.ts'
import { refusal, refuse } from '../respond.ts'
import type { Handle } from './routes.ts'

export interface IdentifyOptions {
  /** Left out, everybody is the operator. */
  readonly authenticate: Authenticate | undefined
  readonly addressOf: (req: IncomingMessage) => string
  readonly localPath: (target: string | undefined) => string
  readonly requestCredentials?: RequestCredentialOptions | undefined
  readonly middleware?: readonly Middleware[] | undefined
  readonly tracing?: Tracing | undefined
  readonly log: Logger
}

/** What serves callers only: who asks is found out first, then the middleware runs. */
export function createCallerRoutes(options: IdentifyOptions): (serve: (exchange: Exchange) => Promise<void>) => Handle {
  const { authenticate, addressOf, localPath, requestCredentials = ANY_SERVICE, middleware = [], tracing, log } = options
  const layers = middleware.flatMap(({ name, http }) => (http ? [named(name, aroundExchange(http))] : []))
  return (serve) => {
    const around = compose(layers, serve)
    const begin = (req: IncomingMessage, res: ServerResponse, answer: OpenAnswer, who: Authentication) => {
      const exchange = identify(req, res, answer, who)
      return exchange && around(exchange)
    }
    const handle: Handle = authenticate
      ? async (req, res, answer) => begin(req, res, answer, await authenticate(req, addressOf(req)))
      : (req, res, answer) => begin(req, res, answer, OPERATOR)
    if (!tracing) return handle
    return (req, res, answer) => {
      spanOfRequest(tracing, req, res, localPath(req.url))
      return handle(req, res, answer)
    }
  }

  /** Who asks, for what; undefined when that was answered with a refusal. */
  function identify(req: IncomingMessage, res: ServerResponse, answer: OpenAnswer, who: Authentication): Exchange | undefined {
    if ('response' in who) {
      const { status, headers, body } = who.response
      res.writeHead(status, headers).end(body)
      return undefined
    }
    const path = localPath(req.url)
    const wanted = readNarrowing(req, path)
    if ('refused' in wanted) {
      refuse(res, wanted.refused)
      return undefined
    }
    const brought = readRequestCredentials(req.rawHeaders, requestCredentials, who.subjectToken)
    if ('problem' in brought) {
      log.warn('upstream_credential_refused', {
        principal: who.principal.id,
        tenant: who.principal.tenant,
        reason: brought.problem,
      })
      refuse(res, refusal(400, brought.problem))
      return undefined
    }
    const caller = createCaller(who.principal, wanted.narrowing, brought.credentials)
    const { expiresAt, revoked } = who
    return { req, res, path, caller, authInfo: authInfoOf(caller), expiresAt, revoked, answer }
  }
}

const ANY_SERVICE: RequestCredentialOptions = Object.freeze({ takes: () => true })
const OPERATOR: Authenticated = { principal: LOCAL_PRINCIPAL }

function aroundExchange(layer: NonNullable<Middleware['http']>): Layer<Exchange, void> {
  return ({ req, res, caller: { principal } }, next) => layer({ req, res, principal }, next)
}
