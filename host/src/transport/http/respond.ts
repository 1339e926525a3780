import type { ServerResponse } from 'node:http'
import { eventOf, takeEarly } from './early-answer.ts'
import { endInPieces, PIECE } from './sending/pieces.ts'
import { unreadAnswers } from './sending/unread-answers.ts'

/** An answer of ours to a request that is not passed on: the HTTP status, and a JSON-RPC error that says what to change. */
export interface Refusal {
  readonly status: number
  readonly code: number
  readonly message: string
  readonly headers?: Readonly<Record<string, string>>
}

export const PARSE_ERROR = -32700
export const INVALID_REQUEST = -32600
export const INVALID_PARAMS = -32602
export const INTERNAL_ERROR = -32603
/** What the SDK's own session transport says of a session it does not know. */
export const SESSION_NOT_FOUND = -32001

/** Makes a refusal. The code is `Invalid Request` unless something more exact is meant. */
export function refusal(status: number, message: string, { code = INVALID_REQUEST, headers }: RefusalOptions = {}): Refusal {
  return { status, code, message, ...(headers && { headers }) }
}

/** The client takes no form that there is. */
export function notAcceptable(message: string): Refusal {
  return refusal(406, message)
}

/** Sends it. `id` is that of the request, where it could be read. */
export function refuse(
  res: ServerResponse,
  { status, code, message, headers }: Refusal,
  id: string | number | null = null,
): void {
  sendJson(res, status, JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id }), headers)
}

/** Sends `body`, JSON already, with its length. Does nothing when the client is gone. */
export function sendJson(res: ServerResponse, status: number, body: string, headers?: Readonly<Record<string, string>>): void {
  if (res.destroyed) return
  if (res.headersSent) return finishEarly(res, body)
  const length = Buffer.byteLength(body)
  res.writeHead(status, { ...headers, 'content-type': 'application/json', 'content-length': length })
  // ASCII is the same in both encodings, and latin1 copies it without encoding.
  endWatched(res, body, length === body.length ? 'latin1' : 'utf8')
}

/** Ends with its JSON an answer whose head was sent early; any other that has begun is left alone. */
export function finishEarly(res: ServerResponse, json: string): void {
  const form = takeEarly(res)
  if (form) endWatched(res, form === 'stream' ? eventOf(json) : json)
}

/** Ends a response, and its connection when the client takes nothing of it for some 15 to 30 seconds. */
export function endWatched(res: ServerResponse, body?: string | Uint8Array, encoding: BufferEncoding = 'utf8'): void {
  const { socket } = res
  if (socket && body !== undefined && body.length > PIECE)
    endInPieces(
      res,
      typeof body === 'string' ? Buffer.from(body, encoding) : Buffer.from(body.buffer, body.byteOffset, body.length),
    )
  else {
    res.end(body, encoding)
    // Mostly the kernel has taken everything by now.
    if (!socket || socket.writableLength === 0) return
    unreadAnswers.add(res)
  }
  // A socket that times out without a listener is destroyed. Before Node sets the time between requests, or a pipelined one goes on.
  socket.setTimeout(STALLED_MS)
  res.prependOnceListener('finish', () => socket.setTimeout(0))
}

/** Node looks at the progress of a write each time this passes, and gives up when there was none. */
const STALLED_MS = 15_000

interface RefusalOptions {
  readonly code?: number
  readonly headers?: Readonly<Record<string, string>>
}
