import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { endWatched } from './respond.ts'

/**
 * The request as the SDK takes it: method, the headers the protocol defines, and a signal that aborts when the client goes away before
 * its answer is whole. Credentials and cookies are not in it.
 */
export function toWebRequest(req: IncomingMessage, res: ServerResponse): Request {
  const gone = new AbortController()
  const onClose = () => {
    if (!res.writableFinished) gone.abort(new Error('The client went away'))
  }
  if (res.destroyed) onClose()
  else res.once('close', onClose)
  const headers = new Headers()
  for (const [name, value] of Object.entries(req.headers)) {
    if (typeof value === 'string' && (PASSED.has(name) || name.startsWith('mcp-'))) headers.set(name, value)
  }
  return new Request(URL_OF_ANY, { method: req.method ?? 'GET', headers, signal: gone.signal })
}

/** Paths were decided before; the SDK looks at none. */
const URL_OF_ANY = 'http://localhost/mcp'
const PASSED: ReadonlySet<string> = new Set(['accept', 'content-type', 'last-event-id'])

/** Sends the SDK's answer: JSON with its length, an event stream as it comes. */
export async function sendWebResponse(response: Response, res: ServerResponse, log: Logger): Promise<void> {
  if (res.destroyed) {
    await response.body?.cancel()
    return
  }
  const headers = Object.fromEntries(response.headers)
  // While the listener drains, `connection: close` is set already and must win over the SDK's keep-alive.
  delete headers['connection']
  if (!response.body) {
    res.writeHead(response.status, headers)
    endWatched(res)
  } else if (headers['content-type']?.startsWith('text/event-stream')) {
    res.writeHead(response.status, headers)
    res.flushHeaders()
    await pipeEvents(response.body, res, log)
  } else {
    const body = Buffer.from(await response.arrayBuffer())
    res.writeHead(response.status, { ...headers, 'content-length': body.length })
    endWatched(res, body)
  }
}

/** Copies an event stream until either side ends it. The SDK's streams buffer without bound, so nothing is left in them. */
async function pipeEvents(body: ReadableStream<Uint8Array>, res: ServerResponse, log: Logger): Promise<void> {
  const reader = body.getReader()
  const cancel = () => void reader.cancel().catch(() => undefined)
  res.once('close', cancel)
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    if (!writeEvent(res, value, log)) return
  }
  res.off('close', cancel)
  if (!res.destroyed) endWatched(res)
}

/**
 * Writes to a stream whose client may be slow: with more than a megabyte unread the client is let go, since memory is everybody's.
 * False when the stream is over.
 */
export function writeEvent(res: ServerResponse, event: string | Uint8Array, log: Logger): boolean {
  if (res.destroyed) return false
  if (res.writableLength > MAX_UNREAD) {
    log.warn('slow_reader_dropped', { unread: res.writableLength })
    res.destroy()
    return false
  }
  res.write(event)
  return true
}

const MAX_UNREAD = 1_048_576
