import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { Authenticate, Authenticated, Authentication } from '../auth/inbound/authentication.ts'
import { parseAddress, publicPrefix, withoutPrefix } from '../data/address.ts'
import type { ResourceMetadata } from '../auth/inbound/metadata.ts'
import { LOCAL_PRINCIPAL } from '../auth/principal.ts'
import { readRequestCredentials, type RequestCredentialOptions } from '../auth/outbound/request-credentials.ts'
import { hostError } from '../errors.ts'
import type { Announcer } from '../server/catalog/change-notifier.ts'
import { authInfoOf } from '../server/mcp/auth-info.ts'
import { createCaller } from '../server/catalog/caller.ts'
import type { InFlight } from '../server/call/in-flight.ts'
import type { HostServerFactory } from '../server/mcp/mcp-server.ts'
import { compose, named } from '../server/call/middleware.ts'
import type { Layer, Middleware } from '../server/call/types.ts'
import { createAdmission, isLoopback } from './http/admission.ts'
import { Answering, TICK_MS, type OpenAnswer } from './http/open-responses.ts'
import { atMost } from '../data/within-time.ts'
import { createClientAddress } from './http/client-address.ts'
import type { Direct } from './fast-path/types.ts'
import { allowOrigin, answerOptions } from './http/cors.ts'
import { isEarly } from './http/early-answer.ts'
import type { Exchange, OpenConnections } from './http/http-exchange.ts'
import { bind, type Timeouts } from './http/bind.ts'
import { lazily } from '../data/lazily.ts'
import { readNarrowing } from './http/narrowing.ts'
import { INTERNAL_ERROR, refusal, refuse, sendJson } from './http/respond.ts'
import type { StepUp } from './streamable/step-up.ts'
import { createStreamable } from './streamable/streamable.ts'

/** `listen.http` of the config, with its defaults. */
export interface HttpOptions {
  readonly host: string
  readonly port: number
  readonly sse: boolean
  readonly allowedHosts: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly publicUrl?: string | undefined
  readonly trustedProxies?: readonly string[]
  readonly sessions: { readonly mode: 'stateful' | 'stateless'; readonly max: number; readonly idleMs: number }
}

export interface HttpDeps {
  readonly factory: () => Promise<HostServerFactory>
  readonly announcer: Announcer
  readonly inFlight: InFlight
  /** The short way for hot methods; without it the SDK answers them too. */
  readonly direct?: Direct | undefined
  readonly log: Logger
  readonly bodyBytes: number
  /** Left out, everybody is the operator: only for a loopback address. */
  readonly authenticate?: Authenticate | undefined
  /** Served to everybody. */
  readonly metadata?: ResourceMetadata | undefined
  readonly stepUp?: StepUp | undefined
  readonly dangerouslyAllowUnauthenticated?: boolean
  /** Which credentials a request may bring for services. Left out: for every service. */
  readonly requestCredentials?: RequestCredentialOptions
  /** Around each request of a client that is known, the first outermost. */
  readonly middleware?: readonly Middleware[]
  /** Milliseconds since 1970, for what callers bring. Default: the clock of the machine. */
  readonly now?: () => number
  /** Milliseconds that never go back or leap, for what lasts so long here. Default: `now` where that is given. */
  readonly elapsed?: () => number
  readonly timeouts?: Partial<Timeouts>
  /** How often it looks for answers that take long, in milliseconds; see {@link Answering.tick}. Default: a second. */
  readonly tickMs?: number
}

/** The listener for MCP clients. */
export interface HttpTransport {
  readonly origin: string
  readonly port: number
  readonly isDraining: boolean
  /** How many sessions there are, and how many streams that wait for changes. */
  readonly open: OpenConnections
  /** Closes sessions that were idle for too long; happens by itself twice a minute. */
  readonly sweep: () => void
  /** From now on new calls are refused with 503 and connections end with their answer. To be called when /readyz says no. */
  readonly drain: () => void
  /** Drains, waits at most `graceMs` for calls in flight, ends those left with an error of their own, and closes everything. */
  readonly close: (options: { readonly graceMs: number }) => Promise<void>
}

/** Serves MCP over HTTP: `/mcp`, with `sse` also `/sse` and `/messages`, each with views (`/mcp/x/triage/readonly`), and `/healthz`. Throws `LISTEN_UNAUTHENTICATED`, `LISTEN_FAILED`. */
export async function createHttpTransport(options: HttpOptions, deps: HttpDeps): Promise<HttpTransport> {
  const { authenticate, inFlight, log, now = Date.now, requestCredentials = ANY_SERVICE } = deps
  const { elapsed = deps.now ?? performance.now.bind(performance) } = deps
  if (!authenticate && !deps.dangerouslyAllowUnauthenticated && !isLoopback(options.host))
    throw hostError('LISTEN_UNAUTHENTICATED', { host: options.host })
  if (!authenticate && !isLoopback(options.host)) log.warn('listening_unauthenticated', { address: options.host })

  let draining = false
  const isDraining = () => draining
  const prefix = publicPrefix(options.publicUrl)
  const { max } = options.sessions
  // Without authentication everybody is the same principal, who may have them all.
  const maxPerOwner = authenticate ? Math.ceil(max / 2) : max
  const streamable = createStreamable({
    ...deps,
    sessions: options.sessions,
    maxSessionsPerOwner: maxPerOwner,
    isDraining,
    now,
    elapsed,
  })
  const sse = options.sse
    ? lazily(async () => {
        const [{ createSse }, factory] = await Promise.all([import('./streamable/sse.ts'), deps.factory()])
        return createSse({ ...deps, factory, max, maxPerOwner, isDraining, now, elapsed, prefix })
      })
    : undefined
  const admission = createAdmission(options)
  const addressOf = createClientAddress(options.trustedProxies ?? [])

  const layers = (deps.middleware ?? []).flatMap(({ name, http }) => (http ? [named(name, aroundExchange(http))] : []))
  /** For callers: who asks is found out first. */
  const called = (serve: (exchange: Exchange) => Promise<void>): Handle => {
    const around = compose(layers, serve)
    const begin = (req: IncomingMessage, res: ServerResponse, answer: OpenAnswer, who: Authentication) => {
      const exchange = identify(req, res, answer, who)
      return exchange && around(exchange)
    }
    return authenticate
      ? async (req, res, answer) => begin(req, res, answer, await authenticate(req, addressOf(req)))
      : (req, res, answer) => begin(req, res, answer, OPERATOR)
  }
  const mcp = called(streamable.handle)
  const routes = new Map<string, Route>([
    [HEALTH, page('{"status":"ok"}')],
    ['/mcp', route({ POST: mcp, GET: mcp, DELETE: mcp })],
    ...(sse
      ? ([
          ['/sse', route({ GET: called(async (exchange) => (await sse.get()).get(exchange)) })],
          ['/messages', route({ POST: called(async (exchange) => (await sse.get()).post(exchange)) })],
        ] as const)
      : []),
  ])

  const localPath = (target: string | undefined) => withoutPrefix(pathOf(target), prefix)
  /** Of a path that is not there as it stands: a view by address, or the metadata of one. */
  const routeOf = (path: string): Route | undefined => {
    const found = routes.get(path)
    if (found) return found
    const address = parseAddress(path)
    if (address) return routes.get(address.base)
    const document = deps.metadata?.documentAt(path)
    return document === undefined ? undefined : page(document, { 'cache-control': 'max-age=300' })
  }

  const answering = new Answering()
  const { server, origin, port } = await bind({
    what: 'http',
    host: options.host,
    port: options.port,
    timeouts: deps.timeouts,
    log,
    allow: (target) => routeOf(localPath(target))?.allow,
    handle(req, res) {
      const answer = answering.add(res)
      if (draining) res.setHeader('connection', 'close')
      try {
        const handling = handle(req, res, answer)
        if (handling) handling.catch((error: unknown) => fail(req, res, error))
      } catch (error) {
        fail(req, res, error)
      }
    },
  })
  const sweeping = setInterval(streamable.sweep, SWEEP_MS).unref()
  const ticking = setInterval(() => answering.tick(), deps.tickMs ?? TICK_MS).unref()
  const preparing = setTimeout(() => {
    // Whoever needs it next reads it again, and is told.
    streamable.prepare().catch((error: unknown) => log.warn('prepare_failed', { error }))
  }, PREPARE_AFTER_MS).unref()

  const drain = () => {
    draining = true
    for (const res of answering) if (!res.headersSent) res.setHeader('connection', 'close')
  }

  return {
    origin,
    port,
    get isDraining() {
      return draining
    },
    get open() {
      const older = sse?.made?.open() ?? 0
      const { sessions, streams } = streamable.open()
      return { sessions: sessions + older, streams: streams + older }
    },
    sweep: streamable.sweep,
    drain,
    async close({ graceMs }) {
      drain()
      clearInterval(sweeping)
      clearInterval(ticking)
      clearTimeout(preparing)
      const closed = server.listening ? once(server, 'close') : Promise.resolve()
      server.close()
      const finished = () => Promise.all([inFlight.idle(), answering.done()])
      await atMost(graceMs, finished())
      inFlight.cancelAll(hostError('HOST_CLOSING', {}))
      await atMost(LAST_WORDS_MS, finished())
      // What a call over HTTP+SSE answered is written a few microtasks after it ended.
      await setImmediate()
      await Promise.all([streamable.close(), sse?.made?.close()])
      server.closeIdleConnections()
      await atMost(LAST_WORDS_MS, closed)
      server.closeAllConnections()
      await closed
    },
  }

  function handle(req: IncomingMessage, res: ServerResponse, open: OpenAnswer): Promise<void> | void {
    const refused = admission.check(req)
    if (refused) return refuse(res, refused)
    const path = localPath(req.url)
    const found = routeOf(path)
    if (!found) return refuse(res, refusal(404, `There is nothing at ${path}`))
    allowOrigin(req, res)
    const { method = '' } = req
    if (method === 'OPTIONS') return answerOptions(req, res, found.allow)
    const answer = found.methods.get(method)
    if (answer) return answer(req, res, open)
    return refuse(res, refusal(405, `${path} has no ${method}, only ${found.allow}`, { headers: { allow: found.allow } }))
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

  /** A client that went away is no fault of ours; anything else is. */
  function fail(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    if (res.destroyed || req.destroyed) log.debug('client_gone', { error })
    else log.error('request_failed', { path: req.url?.split('?', 1)[0], error })
    if (res.headersSent && !isEarly(res)) res.destroy()
    else refuse(res, refusal(500, 'Something failed inside the host', { code: INTERNAL_ERROR }))
  }
}

const ANY_SERVICE: RequestCredentialOptions = Object.freeze({ takes: () => true })
const OPERATOR: Authenticated = { principal: LOCAL_PRINCIPAL }

/** Answers a request, at once or in time. */
type Handle = (req: IncomingMessage, res: ServerResponse, answer: OpenAnswer) => Promise<void> | void

interface Route {
  readonly methods: ReadonlyMap<string, Handle>
  /** As the header `Allow` has them. */
  readonly allow: string
}

function route(methods: Readonly<Record<string, Handle>>): Route {
  return { methods: new Map(Object.entries(methods)), allow: Object.keys(methods).join(', ') }
}

/** What everybody may read. */
function page(json: string, headers?: Readonly<Record<string, string>>): Route {
  const read: Handle = (_req, res) => sendJson(res, 200, json, headers)
  return route({ GET: read, HEAD: read })
}

function pathOf(target = ''): string {
  const query = target.indexOf('?')
  return query === -1 ? target : target.slice(0, query)
}

function aroundExchange(layer: NonNullable<Middleware['http']>): Layer<Exchange, void> {
  return ({ req, res, caller: { principal } }, next) => layer({ req, res, principal }, next)
}

/** Here as well as on the management listener: where a Dockerfile asks. */
const HEALTH = '/healthz'
const SWEEP_MS = 30_000
/** The client that had the host started has its first list by then. */
const PREPARE_AFTER_MS = 250
/** For answers that are written already to reach their clients. */
const LAST_WORDS_MS = 500
