import { LRUCache } from 'lru-cache'
import { errorResult, type ToolResult } from '../../data/content.ts'
import { isObject } from '../../data/json.ts'
import { HostError } from '../../errors.ts'
import { BegunCall, handOver } from '../../server/mcp/deferred-call.ts'
import type { Calls, ToolAnswer } from '../../server/call/types.ts'
import type { Caller } from '../../server/catalog/caller.ts'
import type { InFlight } from '../../server/call/in-flight.ts'
import type { Registry } from '../../server/catalog/registry.ts'
import type { SnapshotTool } from '../../server/catalog/snapshot.ts'
import { findTool, innerCallOf, viewOf, type View } from '../../server/catalog/view.ts'
import { MODERN, revisionOf, viewAt, type Revision } from '../../server/mcp/revisions.ts'
import { callJson, listJson, prepared, type PreparedJson } from '../../server/mcp/result-json.ts'
import type { Exchange } from '../http/http-exchange.ts'
import {
  CAPABILITIES,
  clientOf,
  isLegacyPost,
  isModernPost,
  isPlainClient,
  legacyRequest,
  modernRequest,
  type HotRequest,
} from './recognise.ts'
import type { OpenRequests } from '../../data/open-requests.ts'
import { endWithNothing, envelope, sendResult } from '../http/send-result.ts'

export interface DirectDeps {
  readonly registry: Registry
  readonly calls: Calls
  readonly inFlight: InFlight
}

/**
 * The short way for the hot methods. It answers a request when every guard holds; what is not quite ordinary goes on to the SDK, with
 * nothing written or run, and the SDK's words for what is wrong stay the only ones. A call that turns out to need a stream goes on to
 * the SDK while it runs.
 */
export interface Direct {
  /** A POST of 2026-07-28. Gives what is left for the SDK to serve: the exchange, or nothing. */
  modern(exchange: Exchange, message: unknown): Left
  /** A POST of a 2025 revision, in a session, where `begun` knows its calls, or without one. */
  legacy(exchange: Exchange, message: unknown, session?: DirectSession): Left
  /** The SDK answered this message of 2026-07-28 with `answer`: what it says of its client need not be checked again. */
  learn(caller: Caller, message: unknown, answer: string): void
  /** One message of a connection that is of one revision, as on stdio: its answer as a line, or undefined when it is the SDK's. */
  line(request: LineRequest): Promise<string | undefined> | string | undefined
}

export type Left = Exchange | undefined | Promise<Exchange | undefined>

/** What a 2025 session and its direct calls know of each other. */
export interface DirectSession {
  readonly id: string
  readonly begun: OpenRequests<BegunCall>
  /** What its client agreed on, and what it said that it can do. */
  readonly revision: Revision
  readonly capabilities: Capabilities
}

type Capabilities = Readonly<Record<string, unknown>> | undefined

/** What a client said of itself before this request. */
interface ClientSaid {
  readonly revision: Revision
  readonly capabilities: Capabilities
}

export interface LineRequest {
  readonly caller: Caller
  readonly message: unknown
  readonly revision: Revision
  /** What the client said when it connected; 2026-07-28 says it with each request. */
  readonly capabilities: Capabilities
  readonly begun: OpenRequests<BegunCall>
  /** Takes a call that the SDK must go on with: no answer comes from here then. */
  readonly leave: (call: BegunCall) => void
}

export function createDirect({ registry, calls, inFlight }: DirectDeps): Direct {
  const clients = new LRUCache<string, true>({ max: MAX_CLIENTS })
  const discoveries = new WeakMap<View, PreparedJson>()
  /** What the client of a `server/discover` saw that the SDK is answering now. */
  const asked = new WeakMap<object, View>()

  return {
    modern(exchange, message) {
      const request = modernRequest(message)
      if (!request || !isModernPost(exchange.req, request)) return exchange
      const { res, caller } = exchange
      const { id, method, params } = request
      if (method === 'tools/call') {
        const started = isKnownClient(request, MODERN)
          ? start(params, caller, { revision: MODERN, capabilities: undefined })
          : undefined
        if (!started) return exchange
        cancelWhenGone(exchange, started.call)
        return started.result.then((result) => {
          if (result !== undefined) sendResult(res, id, result)
          return undefined
        })
      }
      const result = prepare(request, caller, MODERN)
      if (!result) return exchange
      sendResult(res, id, result)
      return undefined
    },

    legacy(exchange, message, session) {
      const request = legacyRequest(message)
      if (!request || !isLegacyPost(exchange.req)) return exchange
      const { res, caller } = exchange
      if (request.method === 'tools/call') return callLegacy(exchange, request, session)
      const result = prepare(request, caller, revisionIn(exchange, session))
      if (!result) return exchange
      sendResult(res, request.id, result, sessionHeader(session))
      return undefined
    },

    line({ caller, message, revision, capabilities, begun, leave }) {
      const request = revision === MODERN ? modernRequest(message) : legacyRequest(message)
      if (!request) return undefined
      const { id, method, params } = request
      if (method !== 'tools/call') {
        const result = prepare(request, caller, revision)
        return result && envelope(id, result.text)
      }
      if (begun.has(id) || !isKnownClient(request, revision)) return undefined
      let isLeft = false
      const started = start(params, caller, { revision, capabilities }, (call) => {
        if (isLeft) return
        isLeft = true
        begun.delete(id)
        leave(call)
      })
      if (!started) return undefined
      if (!isLeft) begun.add(id, started.call)
      return started.result.then((result) => {
        if (isLeft) return undefined
        begun.delete(id)
        return result === undefined ? undefined : envelope(id, result)
      })
    },

    learn(caller, message, answer) {
      const request = modernRequest(message)
      if (!request || !isObject(message)) return
      const client = clientOf(request)
      if (client !== undefined) clients.set(client, true)
      const view = asked.get(message)
      // Published meanwhile: it cannot be told which of the two views the answer is of.
      if (!view || view !== viewOf(registry.current, caller)) return
      const parsed: unknown = JSON.parse(answer)
      if (isObject(parsed) && isObject(parsed['result'])) discoveries.set(view, prepared(JSON.stringify(parsed['result'])))
    },
  }

  /** One of a 2025 revision was checked when it connected. */
  function isKnownClient(request: HotRequest, revision: Revision): boolean {
    if (revision !== MODERN || isPlainClient(request)) return true
    const client = clientOf(request)
    return client !== undefined && clients.has(client)
  }

  /** The answer of a method that only looks: of its view, and prepared with it. */
  function prepare(request: HotRequest, caller: Caller, revision: Revision): PreparedJson | undefined {
    const { method, params, message } = request
    const isLegacy = revision !== MODERN
    const isKnown = isKnownClient(request, revision)
    if (!isKnown && method !== 'server/discover') return undefined
    if (method === 'ping') return isLegacy ? EMPTY : undefined
    const view = viewAt(viewOf(registry.current, caller), revision)
    if (method === 'tools/list') {
      if (params['cursor'] !== undefined || (isLegacy && !isSameForLegacy(view))) return undefined
      return listJson(view, revision)
    }
    if (isLegacy) return undefined
    const known = isKnown ? discoveries.get(view) : undefined
    if (!known) asked.set(message, view)
    return known
  }

  /** Begins a call; undefined when it is not for this path. The result is undefined when the client wants none any more. */
  function start(
    { name, arguments: args, _meta }: HotRequest['params'],
    caller: Caller,
    client: ClientSaid,
    onNeeded?: (call: BegunCall) => void,
  ): { readonly call: BegunCall; readonly result: Promise<string | undefined> } | undefined {
    const snapshot = registry.current
    const asked = String(name)
    const tool = findTool(snapshot, caller, innerCallOf(snapshot, caller, asked, args)?.name ?? asked)
    if (typeof tool === 'string' || !isPlain(tool)) return undefined
    const { revision } = client
    const said = revision === MODERN && isObject(_meta) ? _meta[CAPABILITIES] : client.capabilities
    const call = new BegunCall(isObject(said) ? said : undefined, onNeeded)
    const place = inFlight.begin(call.cancellation)
    const answer = calls.tool(snapshot, caller, asked, args, call)
    call.answer = answer
    const result = answer.then(
      (value) => {
        place.leave()
        return callJson(plainResult(value, tool), revision, snapshot.policy.server)
      },
      (error: unknown) => {
        place.leave()
        const { isCancelled, reason } = call.cancellation
        if (!isCancelled) throw error
        const isClosing = reason instanceof HostError && reason.code === 'HOST_CLOSING'
        return isClosing
          ? callJson(errorResult([reason.message, ...reason.fix].join('\n')), revision, snapshot.policy.server)
          : undefined
      },
    )
    return { call, result }
  }

  /** Answers as JSON what is soon done and says nothing before; anything else goes on in a stream of the SDK. */
  function callLegacy(exchange: Exchange, { id, params }: HotRequest, session: DirectSession | undefined): Left {
    const { res, caller, authInfo } = exchange
    const { promise, resolve, reject } = Promise.withResolvers<Exchange | undefined>()
    let isLeft = false
    const leave = (call: BegunCall) => {
      if (isLeft || res.destroyed) return
      isLeft = true
      session?.begun.delete(id)
      resolve({ ...exchange, authInfo: handOver(authInfo, call) })
    }
    const started = start(params, caller, { revision: revisionIn(exchange, session), capabilities: session?.capabilities }, leave)
    if (!started) return exchange
    const { call, result } = started
    // With a session a client that lost its connection may come back for the answer, once the SDK has the call.
    const timer = session ? setTimeout(leave, SOON_MS, call) : undefined
    if (session) session.begun.add(id, call)
    else cancelWhenGone(exchange, call)
    const over = () => {
      clearTimeout(timer)
      session?.begun.delete(id)
    }
    result.then(
      (json) => {
        over()
        if (isLeft) return
        isLeft = true
        if (json === undefined) endWithNothing(res, sessionHeader(session))
        else sendResult(res, id, json, sessionHeader(session))
        resolve(undefined)
      },
      (error: unknown) => {
        over()
        reject(error)
      },
    )
    return promise
  }
}

/** Clients that differ in name, version or capabilities; each that is not plain costs one request by the long way. */
const MAX_CLIENTS = 256

/** A call that takes longer has better a stream that its client can come back to. */
const SOON_MS = 50

const EMPTY = prepared('{}')

const plain = new WeakMap<SnapshotTool, boolean>()

/** A tool that answers by itself: it asks nobody anything, and no header repeats its arguments. */
function isPlain(tool: SnapshotTool): boolean {
  let known = plain.get(tool)
  if (known === undefined) {
    const { interactive, wire } = tool.surface
    known =
      !interactive &&
      !tool.needsApproval &&
      hasObjectOutput(wire.outputSchema) &&
      !JSON.stringify(wire.inputSchema).includes('"x-mcp-header"')
    plain.set(tool, known)
  }
  return known
}

const sameForLegacy = new WeakMap<View, boolean>()

/** 2025 clients know outputs that are objects; others the SDK wraps for them. */
function isSameForLegacy(view: View): boolean {
  let known = sameForLegacy.get(view)
  if (known === undefined) sameForLegacy.set(view, (known = view.tools.every((tool) => hasObjectOutput(tool['outputSchema']))))
  return known
}

function hasObjectOutput(schema: unknown): boolean {
  return schema === undefined || (isObject(schema) && schema['type'] === 'object')
}

function plainResult(answer: ToolAnswer, { name }: SnapshotTool): ToolResult {
  return answer.kind === 'result' ? answer.result : errorResult(`${name} asked for input without being interactive`)
}

function cancelWhenGone({ res }: Exchange, { cancellation }: BegunCall): void {
  const onClose = () => {
    if (!res.writableFinished) cancellation.cancel(new Error('The client went away'))
  }
  if (res.destroyed) onClose()
  else res.on('close', onClose)
}

/** Without a session every request says its own. */
function revisionIn({ req }: Exchange, session: DirectSession | undefined): Revision {
  return session?.revision ?? revisionOf(req.headers['mcp-protocol-version'])
}

function sessionHeader(session: DirectSession | undefined): Readonly<Record<string, string>> | undefined {
  return session && { 'mcp-session-id': session.id }
}
