import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  parseJSONRPCMessage,
  type AuthInfo,
  type JSONRPCMessage,
  type MessageExtraInfo,
  type Transport,
} from '@modelcontextprotocol/server'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { ChangeNotifier } from '../../server/catalog/change-notifier.ts'
import type { HostServerFactory } from '../../server/mcp/mcp-server.ts'
import { viewIn } from '../../data/address.ts'
import { readMessage } from '../http/body.ts'
import { STREAM_HEAD, writeEvent } from '../http/early-answer.ts'
import { waitForChanges, type Exchange } from '../http/http-exchange.ts'
import { ownerOf } from './listen-bus.ts'
import { PARSE_ERROR, refusal, refuse, SESSION_NOT_FOUND } from '../http/respond.ts'
import { Sessions, type Session } from './sessions.ts'
import type { StepUp } from './step-up.ts'

export interface SseOptions {
  readonly factory: HostServerFactory
  readonly notifier: ChangeNotifier
  readonly stepUp?: StepUp | undefined
  readonly log: Logger
  readonly bodyBytes: number
  readonly max: number
  readonly maxPerOwner: number
  /** True once no new request is to be begun. */
  readonly isDraining: () => boolean
  readonly now: () => number
  readonly elapsed: () => number
  /** Of the public address: clients resolve where they post to against it. */
  readonly prefix: string
}

/** HTTP+SSE of 2024-11-05: one stream down, POSTs up. */
export interface Sse {
  /** GET /sse */
  readonly get: (exchange: Exchange) => Promise<void>
  /** POST /messages?sessionId=… */
  readonly post: (exchange: Exchange) => Promise<void>
  /** How many streams there are. */
  readonly open: () => number
  readonly close: () => Promise<void>
}

/** Serves HTTP+SSE. A session lasts as long as its stream, belongs to the caller that opened it, and ends with that caller's credential. */
export function createSse(options: SseOptions): Sse {
  const { factory, notifier, log, max, maxPerOwner, now, elapsed } = options
  const sessions = new Sessions<SseTransport>({ max, maxPerOwner, idleMs: Infinity, now: elapsed })

  return {
    async get(exchange) {
      const { res, caller, authInfo } = exchange
      const owner = ownerOf(caller)
      if (res.destroyed) return
      if (options.isDraining() || !sessions.makeRoom(owner))
        return refuse(
          res,
          refusal(503, 'No more streams can be opened now; try again later', { headers: { 'retry-after': '10' } }),
        )
      const transport = new SseTransport(res, { owner, view: viewIn(exchange.path), prefix: options.prefix }, log)
      const mcp = factory({ era: 'legacy', authInfo })
      const leave = notifier.add(mcp)
      sessions.add(transport)
      mcp.onClosed(() => {
        leave()
        sessions.delete(transport.id)
      })
      waitForChanges(exchange, now)
      await mcp.connect(transport)
    },

    async post({ req, res, path, caller, authInfo }) {
      const id = new URLSearchParams(req.url?.split('?', 2)[1]).get('sessionId') ?? ''
      const session = sessions.find(id, ownerOf(caller), viewIn(path))
      if (!session) {
        log.info('session_refused', { principal: caller.principal.id, tenant: caller.principal.tenant })
        req.resume()
        return refuse(res, refusal(404, 'Session not found', { code: SESSION_NOT_FOUND }))
      }
      const read = await readMessage(req, options.bodyBytes)
      if (read.refused) return refuse(res, read.refused)
      let message: JSONRPCMessage
      try {
        message = parseJSONRPCMessage(read.message)
      } catch {
        return refuse(res, refusal(400, 'The body is not a JSON-RPC message', { code: PARSE_ERROR }))
      }
      if (options.isDraining() && 'method' in message && 'id' in message)
        return refuse(res, refusal(503, 'The server is shutting down; try again', { headers: { 'retry-after': '1' } }))
      const denied = options.stepUp?.({ caller, path }, message, 'legacy')
      if (denied) return refuse(res, denied, 'id' in message ? message.id : null)
      session.onmessage?.(message, { authInfo, ...traceHeaders(req) })
      res.writeHead(202, { 'content-type': 'text/plain' }).end('Accepted')
    },

    open: () => sessions.size,
    close: () => sessions.closeAll(),
  }
}

/** All of the request that a call reads. */
function traceHeaders({ headers: { traceparent, tracestate } }: IncomingMessage): Pick<MessageExtraInfo, 'request'> {
  if (typeof traceparent !== 'string') return {}
  const headers = { traceparent, ...(typeof tracestate === 'string' && { tracestate }) }
  return { request: new Request('http://localhost/messages', { method: 'POST', headers }) }
}

const KEEP_ALIVE_MS = 15_000
/** All answers come on one stream: a client that reads may have several large ones in one turn of the event loop. */
const MAX_UNREAD = 67_108_864

/** One client's stream, as the SDK's server wants it. */
class SseTransport implements Transport, Session {
  readonly id = randomUUID()
  readonly sessionId = this.id
  readonly owner: string
  readonly view: string
  /** A session lives as long as its connection, and no other connection can take it over. */
  readonly isBusy = true
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage, extra?: MessageExtraInfo & { authInfo?: AuthInfo }) => void
  readonly #res: ServerResponse
  readonly #prefix: string
  readonly #log: Logger
  #isOpen = false
  #keepAlive: NodeJS.Timeout | undefined

  constructor(
    res: ServerResponse,
    { owner, view, prefix }: Pick<Session, 'owner' | 'view'> & Pick<SseOptions, 'prefix'>,
    log: Logger,
  ) {
    this.#res = res
    this.owner = owner
    this.view = view
    this.#prefix = prefix
    this.#log = log
  }

  start(): Promise<void> {
    this.#res.writeHead(200, STREAM_HEAD)
    this.#isOpen = true
    this.#write(`event: endpoint\ndata: ${this.#prefix}/messages${this.view}?sessionId=${this.id}\n\n`)
    this.#keepAlive = setInterval(() => this.#write(': keepalive\n\n'), KEEP_ALIVE_MS).unref()
    this.#res.once('close', () => void this.close())
    return Promise.resolve()
  }

  send(message: JSONRPCMessage): Promise<void> {
    if (!this.#isOpen) return Promise.reject(new Error('The stream is closed'))
    this.#write(`event: message\ndata: ${JSON.stringify(message)}\n\n`)
    return Promise.resolve()
  }

  close(): Promise<void> {
    if (this.#isOpen) {
      this.#isOpen = false
      clearInterval(this.#keepAlive)
      this.#res.end()
      this.onclose?.()
    }
    return Promise.resolve()
  }

  #write(event: string): void {
    writeEvent(this.#res, event, this.#log, MAX_UNREAD)
  }
}
