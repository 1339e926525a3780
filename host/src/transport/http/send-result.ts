import type { ServerResponse } from 'node:http'
import { createReusedMemory } from '../../data/memory/reused-memory.ts'
import type { PreparedJson } from '../../server/mcp/result-json.ts'
import { takeEarly } from './early-answer.ts'
import { endWatched, finishEarly, sendJson } from './respond.ts'
import { writeSoon } from './write-batch.ts'

/** Sends a JSON-RPC result that is JSON already, at the end of this turn of the event loop. Does nothing when the client is gone. */
export function sendResult(
  res: ServerResponse,
  id: string | number,
  result: string | PreparedJson,
  headers?: Readonly<Record<string, string>>,
): void {
  writeSoon(res, () => {
    if (typeof result === 'string' && result.length >= LARGE && !res.headersSent) sendLargeText(res, id, result, headers)
    else if (typeof result === 'string') sendJson(res, 200, envelope(id, result), headers)
    else if (result.bytes.length < LARGE) sendJson(res, 200, envelope(id, result.text), headers)
    else sendLarge(res, id, result.bytes, headers)
  })
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
  result: string,
  headers: Readonly<Record<string, string>> | undefined,
): void {
  if (res.destroyed) return
  const head = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`
  const headBytes = Buffer.byteLength(head)
  const bytes = Buffer.byteLength(result)
  const memory = answers.take(headBytes + bytes + 1)
  memory.write(head)
  // ASCII is the same in both, and is copied rather than encoded.
  memory.write(result, headBytes, bytes === result.length ? 'latin1' : 'utf8')
  memory.write('}', headBytes + bytes)
  const length = headBytes + bytes + 1
  res.writeHead(200, { ...headers, 'content-type': 'application/json', 'content-length': length })
  res.once('finish', () => answers.giveBack(memory))
  endWatched(res, memory.subarray(0, length))
}

const answers = createReusedMemory({ pieceBytes: 262_144, most: 32 })

/** The result as a message. */
export function envelope(id: string | number, result: string): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`
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
