import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import {
  classifyInboundRequest,
  createMcpHandler,
  isInitializeRequest,
  legacyStatelessFallback,
  type JSONRPCMessage,
  type RequestId,
} from '@modelcontextprotocol/server'
import { isObject } from '../../data/json.ts'
import { viewIn } from '../../data/address.ts'
import { initializeProblem } from '../../server/mcp/checked-requests.ts'
import type { BegunCall } from '../../server/mcp/deferred-call.ts'
import type { Era } from '../../server/mcp/revisions.ts'
import type { HostServerFactory } from '../../server/mcp/mcp-server.ts'
import { waitForChanges, type Exchange, type OpenConnections } from '../http/http-exchange.ts'
import { isLegacyPost, LEGACY_VERSIONS, legacyRequest } from '../fast-path/recognise.ts'
import { ListenBus, ownerOf } from './listen-bus.ts'
import { acceptedForms } from '../http/accept.ts'
import {
  INTERNAL_ERROR,
  INVALID_PARAMS,
  INVALID_REQUEST,
  notAcceptable,
  refusal,
  refuse,
  SESSION_NOT_FOUND,
  type Refusal,
} from '../http/respond.ts'
import { idOf } from '../http/json-rpc.ts'
import { OpenRequests } from '../../data/open-requests.ts'
import { SessionTransport } from './session-transport.ts'
import { Sessions } from './sessions.ts'
import { StreamableSession } from './streamable-session.ts'
import type { StreamableOptions } from './types.ts'
import { sendWebResponse, toWebRequest } from '../http/web-request.ts'

export interface SdkStreamableOptions extends Omit<StreamableOptions, 'factory'> {
  readonly factory: HostServerFactory
}

/** What the fast path hands off. */
export interface SdkStreamable {
  /** `message` is the body of a POST; undefined for a GET or a DELETE. */
  readonly handle: (exchange: Exchange, message?: unknown) => Promise<void>
  readonly open: () => OpenConnections
  readonly sweep: () => void
  readonly close: () => Promise<void>
}

/**
 * Serves 2026-07-28, one server a request, and the 2025 revisions: in sessions that belong to the principal who opened them, or
 * without any. The SDK decides by the message which era a request is of.
 */
export function createSdkStreamable(options: SdkStreamableOptions): SdkStreamable {
  const { factory, notifier, fastPath, stepUp, log, now, elapsed } = options
  const bus = new ListenBus(notifier)
  const onerror = (error: Error) => log.debug('mcp_error', { error })
  const modern = createMcpHandler(factory, { legacy: 'reject', bus, onerror })
  const stateless = legacyStatelessFallback(factory, onerror)
  const { mode, max, idleMs } = options.sessions
  const sessions = new Sessions<StreamableSession>({ max, maxPerOwner: options.maxSessionsPerOwner, idleMs, now: elapsed })

  return {
    async handle(exchange, message) {
      if (message === undefined) return mode === 'stateful' ? handleSession(exchange) : refuse(exchange.res, methodNotAllowed())
      // To ask the SDK costs as much as a call: it reads the message with a schema for each kind there is.
      const isOrdinary = fastPath !== undefined && isLegacyPost(exchange.req) && legacyRequest(message) !== undefined
      if (!isOrdinary && era(exchange, message) === 'modern') return handleModern(exchange, message)
      return mode === 'stateful' ? handleSession(exchange, message) : handleStateless(exchange, message)
    },
    open() {
      let streams = bus.size
      for (const session of sessions) streams += session.streams
      return { sessions: sessions.size, streams }
    },
    sweep() {
      sessions.sweep()
      for (const { transport } of sessions) transport.events.expire()
    },
    async close() {
      await modern.close()
      await sessions.closeAll()
    },
  }

  async function handleModern(exchange: Exchange, message: unknown): Promise<void> {
    const { req, res, caller, authInfo } = exchange
    const denied = stepUp?.(exchange, message, 'modern')
    if (denied) return refuse(res, denied, idOf(message))
    const serve = () => modern.fetch(toWebRequest(req, res), { authInfo, parsedBody: message })
    if (!isObject(message) || message['method'] !== 'subscriptions/listen') {
      const response = await serve()
      if (fastPath && response.status === 200 && response.headers.get('content-type') === 'application/json')
        fastPath.learn(caller, message, await response.clone().text())
      return sendWebResponse(response, res, log)
    }
    if (!acceptedForms(req.headers.accept).stream) return refuse(res, notAcceptable(STREAM_ONLY), idOf(message))
    if (bus.openOf(ownerOf(caller)) >= MAX_STREAMS_PER_OWNER) {
      const reason = `You have ${MAX_STREAMS_PER_OWNER} subscription streams open; close one first`
      return refuse(res, refusal(429, reason, { code: INTERNAL_ERROR }), idOf(message))
    }
    const response = await bus.openFor(caller, serve)
    waitForChanges(exchange, now)
    return sendWebResponse(response, res, log)
  }

  async function handleStateless(exchange: Exchange, message: unknown): Promise<void> {
    const left = fastPath ? await fastPath.legacy(exchange, message) : exchange
    if (!left) return
    const { req, res, authInfo } = left
    const denied = stepUp?.(left, message, 'legacy')
    if (denied) return refuse(res, denied, idOf(message))
    await sendWebResponse(await stateless(toWebRequest(req, res), { authInfo, parsedBody: message }), res, log)
  }

  async function handleSession(exchange: Exchange, message?: unknown): Promise<void> {
    const { req, res, caller } = exchange
    const id = req.headers['mcp-session-id']
    if (id === undefined && message === undefined) return refuse(res, methodNotAllowed())
    // Even with a session id: a client that initializes again after a restart may still send its old one.
    if (id === undefined || isInitialize(message)) return openSession(exchange, message)
    if (message !== undefined) exchange.answer.headers = { 'mcp-session-id': String(id) }
    const session = sessions.find(String(id), ownerOf(caller), viewIn(exchange.path))
    if (!session) {
      log.info('session_refused', { principal: caller.principal.id, tenant: caller.principal.tenant })
      return refuse(res, refusal(404, 'Session not found', { code: SESSION_NOT_FOUND }), idOf(message))
    }
    if (message === undefined) return req.method === 'GET' ? stream(session, exchange) : inSession(session, exchange, undefined)
    const reused = session.transport.expect(message)
    if (reused !== undefined)
      return refuse(res, refusal(400, `The request id ${JSON.stringify(reused)} is in use`), idOf(message))
    const left = fastPath ? await fastPath.legacy(exchange, message, session) : exchange
    const denied = left && stepUp?.(left, message, 'legacy')
    if (denied) {
      session.transport.forget(message)
      return refuse(res, denied, idOf(message))
    }
    if (left) await inSession(session, left, message)
    else session.transport.forget(message)
    const cancelled =
      isObject(message) && message['method'] === 'notifications/cancelled' && isObject(message['params'])
        ? message['params']['requestId']
        : undefined
    if (typeof cancelled !== 'string' && typeof cancelled !== 'number') return
    const begun = session.begun.get(cancelled)
    if (begun) begun.cancellation.cancel(new Error('The client cancelled the request'))
    else await session.transport.cancelled(cancelled)
  }

  async function stream(session: StreamableSession, exchange: Exchange): Promise<void> {
    const { req, res } = exchange
    if (res.destroyed) return
    const lastEvent = req.headers['last-event-id']
    if (!acceptedForms(req.headers.accept).stream) return refuse(res, notAcceptable(STREAM_ONLY))
    if (lastEvent !== undefined && session.transport.events.isLast(String(lastEvent))) return refuse(res, methodNotAllowed())
    // The newer stream takes over: the connection of the older one may have died without a sign.
    if (lastEvent === undefined && isKnownVersion(req)) session.transport.closeStandaloneSSEStream()
    session.streams++
    res.once('close', () => session.streams--)
    waitForChanges(exchange, now)
    await inSession(session, exchange, undefined)
  }

  async function inSession({ transport }: StreamableSession, { req, res, authInfo }: Exchange, message: unknown): Promise<void> {
    const response = await transport.handleRequest(toWebRequest(req, res), {
      authInfo,
      ...(message !== undefined && { parsedBody: message }),
    })
    if (response.status >= 400) transport.forget(message)
    await sendWebResponse(response, res, log, ({ id }) => transport.onmessage?.(cannotBeAsked(id), { authInfo }))
  }

  async function openSession(exchange: Exchange, message: unknown): Promise<void> {
    const { res, caller, authInfo } = exchange
    const problem = isInitialize(message) ? initializeProblem(message.params) : undefined
    if (problem !== undefined) return refuse(res, refusal(400, problem, { code: INVALID_PARAMS }), idOf(message))
    if (!isInitializeRequest(message))
      return refuse(res, refusal(400, 'Send Mcp-Session-Id, or initialize first, or speak revision 2026-07-28'), idOf(message))
    const owner = ownerOf(caller)
    const view = viewIn(exchange.path)
    if (!sessions.makeRoom(owner)) {
      log.warn('sessions_full', { principal: caller.principal.id, open: sessions.size })
      return refuse(
        res,
        refusal(503, 'Too many sessions are open and busy; try again later', { headers: { 'retry-after': '10' } }),
        idOf(message),
      )
    }
    const mcp = factory({ era: 'legacy', authInfo })
    const transport: SessionTransport = new SessionTransport({
      now: elapsed,
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => sessions.add(new StreamableSession({ id, owner, view, transport, mcp, begun })),
    })
    const begun = new OpenRequests<BegunCall>()
    const leave = notifier.add(mcp)
    mcp.onClosed(() => {
      leave()
      if (transport.sessionId === undefined) return
      for (const { cancellation } of begun.values()) cancellation.cancel(new Error('The session is over'))
      sessions.delete(transport.sessionId)
    })
    await mcp.connect(transport)
    transport.expect(message)
    await sendWebResponse(
      await transport.handleRequest(toWebRequest(exchange.req, res), { authInfo, parsedBody: message }),
      res,
      log,
    )
    if (transport.sessionId === undefined) await mcp.close()
  }
}

const STREAM_ONLY = 'This is answered with text/event-stream, which the Accept header does not admit'

/** How many `subscriptions/listen` streams one principal may have; the SDK's total is 1,024. */
const MAX_STREAMS_PER_OWNER = 256

function isInitialize(message: unknown): message is { readonly method: 'initialize'; readonly params?: unknown } {
  return isObject(message) && message['method'] === 'initialize'
}

function isKnownVersion({ headers }: IncomingMessage): boolean {
  const version = headers['mcp-protocol-version']
  return version === undefined || LEGACY_VERSIONS.has(String(version))
}

/** In place of a client that takes no stream, and so never sees the question. */
function cannotBeAsked(id: unknown): JSONRPCMessage {
  const message = 'The client cannot be asked: the Accept header of its request does not admit text/event-stream'
  return { jsonrpc: '2.0', id: id as RequestId, error: { code: INVALID_REQUEST, message } }
}

/** What the SDK's own handler would decide. What it would refuse goes to the handler of 2026-07-28, which knows the words. */
function era({ req }: Exchange, message: unknown): Era {
  const header = (name: string) => (typeof req.headers[name] === 'string' ? req.headers[name] : undefined)
  const version = header('mcp-protocol-version')
  const method = header('mcp-method')
  const name = header('mcp-name')
  const { kind } = classifyInboundRequest({
    httpMethod: 'POST',
    body: message,
    ...(version !== undefined && { protocolVersionHeader: version }),
    ...(method !== undefined && { mcpMethodHeader: method }),
    ...(name !== undefined && { mcpNameHeader: name }),
  })
  return kind === 'legacy' ? 'legacy' : 'modern'
}

function methodNotAllowed(): Refusal {
  return refusal(405, 'Without a session there is only POST', { headers: { allow: 'POST' } })
}
