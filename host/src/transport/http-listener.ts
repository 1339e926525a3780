import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { Authenticate } from '../auth/inbound/authentication.ts'
import { publicPrefix, withoutPrefix } from '../data/address.ts'
import type { ResourceMetadata } from '../auth/inbound/metadata.ts'
import type { RequestCredentialOptions } from '../auth/outbound/request-credentials.ts'
import { hostError } from '../errors.ts'
import type { ChangeNotifier } from '../server/catalog/change-notifier.ts'
import type { InFlight } from '../server/call/in-flight.ts'
import type { HostServerFactory } from '../server/mcp/mcp-server.ts'
import type { Middleware } from '../server/call/types.ts'
import { createAdmission, isLoopback } from './http/admission.ts'
import { Answering, TICK_MS, type OpenAnswer } from './http/open-responses.ts'
import { atMost } from '../data/async.ts'
import { createClientAddress } from './http/client-address.ts'
import type { FastPath } from './fast-path/types.ts'
import { allowOrigin, answerOptions } from './http/cors.ts'
import { isEarly } from './http/early-answer.ts'
import type { OpenConnections } from './http/http-exchange.ts'
import { createCallerRoutes } from './http/routing/identify.ts'
import { createRouter, page, pathOf, route, type Route } from './http/routing/routes.ts'
import { bind, type Timeouts } from './http/bind.ts'
import { lazily } from '../data/lazily.ts'
import type { ReadAhead } from '../modules/reading/read-ahead.ts'
import { Pipelined } from './http/sending/pipelined.ts'
import { INTERNAL_ERROR, refusal, refuse } from './http/respond.ts'
import { SlowReader } from './http/sending/unread-answers.ts'
import type { StepUp } from './streamable/step-up.ts'
import type { Tracing } from '../observability/tracing/types.ts'
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
  readonly notifier: ChangeNotifier
  readonly inFlight: InFlight
  /** The fast path for hot methods; without it the SDK answers them too. */
  readonly fastPath?: FastPath | undefined
  readonly log: Logger
  /** Told of each request once its answer is sent; without a status its client went before there was one. */
  readonly onAnswered?: (status: number | undefined) => void
  /** Has each request of a client be a span. */
  readonly tracing?: Tracing | undefined
  readonly bodyBytes: number
  /** Left out, everybody is the operator: only for a loopback address. */
  readonly authenticate?: Authenticate | undefined
  /** Served to everybody. */
  readonly metadata?: ResourceMetadata | undefined
  readonly stepUp?: StepUp | undefined
  /** Further pages, once the address of the listener is known. */
  readonly pagesAt?: ((origin: string) => (path: string) => Route | undefined) | undefined
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
  /** Reads the SDK before a request needs it. Left out: the first that does waits for it. */
  readonly readAhead?: ReadAhead
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

/**
 * Serves MCP over HTTP: `/mcp`, with `sse` also `/sse` and `/messages`, each with views (`/mcp/x/triage/readonly`), and `/healthz`. Throws
 * `LISTEN_UNAUTHENTICATED`, `LISTEN_FAILED`.
 */
export async function createHttpTransport(options: HttpOptions, deps: HttpDeps): Promise<HttpTransport> {
  const { authenticate, inFlight, log, onAnswered = () => {}, now = Date.now } = deps
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
        const factory = await deps.factory()
        const { createSse } = await import('./streamable/sse.ts')
        return createSse({ ...deps, factory, max, maxPerOwner, isDraining, now, elapsed, prefix })
      })
    : undefined
  const admission = createAdmission(options)
  const addressOf = createClientAddress(options.trustedProxies ?? [])

  const localPath = (target: string | undefined) => withoutPrefix(pathOf(target), prefix)
  const called = createCallerRoutes({ ...deps, authenticate, addressOf, localPath })
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

  let pages: ((path: string) => Route | undefined) | undefined
  const routeOf = createRouter(routes, deps.metadata, (path) => pages?.(path))
  const pipelined = new Pipelined()
  const answering = new Answering((res) => {
    onAnswered(res.headersSent ? res.statusCode : undefined)
    if (res.errored instanceof SlowReader) log.warn('slow_reader_dropped', { unread: res.errored.unread })
    pipelined.over(res)
  })
  const { server, origin, port } = await bind({
    what: 'http',
    host: options.host,
    port: options.port,
    timeouts: deps.timeouts,
    log,
    allow: (target) => routeOf(localPath(target))?.allow,
    onUnparsed: onAnswered,
    handle(req, res) {
      const answer = answering.add(res)
      pipelined.inTurn(req, res, () => serve(req, res, answer))
    },
  })
  pages = deps.pagesAt?.(origin)
  const sweeping = setInterval(streamable.sweep, SWEEP_MS).unref()
  const ticking = setInterval(() => answering.tick(), deps.tickMs ?? TICK_MS).unref()
  deps.readAhead?.add(...streamable.prepare.map((step) => () => (draining ? undefined : step())))

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

  function serve(req: IncomingMessage, res: ServerResponse, answer: OpenAnswer): void {
    if (draining) res.setHeader('connection', 'close')
    try {
      const handling = handle(req, res, answer)
      if (handling) handling.catch((error: unknown) => fail(req, res, error))
    } catch (error) {
      fail(req, res, error)
    }
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

  /** A client that went away is not our fault; anything else is. A request is destroyed as soon as it was read: that says nothing. */
  function fail(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    if (res.destroyed) log.debug('client_gone', { error })
    else log.error('request_failed', { path: req.url?.split('?', 1)[0], error })
    if (res.headersSent && !isEarly(res)) res.destroy()
    else refuse(res, refusal(500, 'Something failed inside the host', { code: INTERNAL_ERROR }))
  }
}

/** Here as well as on the management listener: where a Dockerfile asks. */
const HEALTH = '/healthz'
const SWEEP_MS = 30_000
/** For answers that are written already to reach their clients. */
const LAST_WORDS_MS = 500
