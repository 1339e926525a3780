import type { ServerResponse } from 'node:http'
import { createReusedMemory } from '../../data/memory/reused-memory.ts'
import type { JsonPieces, PreparedJson } from '../../server/mcp/result-json.ts'
import { takeEarly } from './early-answer.ts'
import { endWatched, finishEarly, sendJson } from './respond.ts'
import { writeSoon } from './write-batch.ts'

/** Sends a JSON-RPC result that is JSON already, at the end of this turn of the event loop. Does nothing when the client is gone. */
export function sendResult(
  res: ServerResponse,
  id: string | number,
  result: string | JsonPieces | PreparedJson,
  headers?: Readonly<Record<string, string>>,
): void {
  writeSoon(res, () => {
    if (isText(result)) {
      const isLarge = typeof result !== 'string' || result.length >= LARGE
      if (isLarge && !res.headersSent) sendLargeText(res, id, typeof result === 'string' ? [result] : result, headers)
      else sendJson(res, 200, envelope(id, result), headers)
    } else if (result.bytes.length < LARGE) sendJson(res, 200, envelope(id, result.text), headers)
    else sendLarge(res, id, result.bytes, headers)
  })
}

function isText(result: string | JsonPieces | PreparedJson): result is string | JsonPieces {
  return typeof result === 'string' || Array.isArray(result)
}

function sendLarge(
  res: ServerResponse,
  id: string | number,
  result: Buffer,
  headers: Readonly<Record<string, string>> | undefined,
): void {
  if (res.destroyed) return
  if (res.headersSent) return finishEarly(res, envelope(id, result.toString()))
  const head = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`
  res.writeHead(200, {
    ...headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(head) + result.length + 1,
  })
  res.cork()
  res.write(head)
  res.write(result)
  res.uncork()
  endWatched(res, '}')
}

/** Written at once into memory that is used again: a text that is put together of parts is copied twice before it is written. */
function sendLargeText(
  res: ServerResponse,
  id: string | number,
  result: JsonPieces,
  headers: Readonly<Record<string, string>> | undefined,
): void {
  if (res.destroyed) return
  const pieces = [`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`, ...result, '}']
  const sizes = pieces.map((piece) => Buffer.byteLength(piece))
  const length = sizes.reduce((sum, bytes) => sum + bytes, 0)
  const memory = answers.take(length)
  let at = 0
  pieces.forEach((piece, index) => {
    // ASCII is the same in both, and is copied rather than encoded.
    at += memory.write(piece, at, sizes[index] === piece.length ? 'latin1' : 'utf8')
  })
  res.writeHead(200, { ...headers, 'content-type': 'application/json', 'content-length': length })
  res.once('finish', () => answers.giveBack(memory))
  endWatched(res, memory.subarray(0, length))
}

const answers = createReusedMemory({ pieceBytes: 262_144, most: 32 })

/** The result as a message. */
export function envelope(id: string | number, result: string | JsonPieces): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${typeof result === 'string' ? result : result.join('')}}`
}

/** Ends the answer of a 2025 request that was cancelled and has none: a stream without an event. */
export function endWithNothing(res: ServerResponse, headers?: Readonly<Record<string, string>>): void {
  if (res.destroyed) return
  if (res.headersSent) {
    if (takeEarly(res)) endWatched(res)
    return
  }
  res.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'content-length': 0 })
  endWatched(res)
}

/** From here on copying a text costs more than a write in three parts. */
const LARGE = 32_768
