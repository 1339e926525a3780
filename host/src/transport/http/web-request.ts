import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { isObject } from '../../data/json.ts'
import { NO_STREAM_HEADER } from '../../server/mcp/call-io.ts'
import { acceptedForms } from './accept.ts'
import { eventOf, STREAM_HEAD, takeEarly, writeEvent } from './early-answer.ts'
import { endWatched } from './respond.ts'

/**
 * The request as the SDK takes it: method, the headers the protocol defines, and a signal that aborts when the client goes away before
 * its answer is whole. Credentials and cookies are not in it. It takes both forms of an answer: which one the client takes is decided
 * here, and the SDK's handler of sessions refuses what names less.
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
  headers.set('accept', 'application/json, text/event-stream')
  if (!acceptedForms(req.headers.accept).stream) headers.set(NO_STREAM_HEADER, 'true')
  return new Request(URL_OF_ANY, { method: req.method ?? 'GET', headers, signal: gone.signal })
}

/** Paths were decided before; the SDK looks at none. */
const URL_OF_ANY = 'http://localhost/mcp'
const PASSED: ReadonlySet<string> = new Set(['content-type', 'last-event-id', 'traceparent', 'tracestate'])

/** Sends the SDK's answer, in a form that the client takes: JSON with its length, an event stream as it comes. */
export async function sendWebResponse(response: Response, res: ServerResponse, log: Logger, onAsked?: OnAsked): Promise<void> {
  if (res.destroyed) {
    await response.body?.cancel()
    return
  }
  const headers = Object.fromEntries(response.headers)
  // While the listener drains, `connection: close` is set already and must win over the SDK's keep-alive.
  delete headers['connection']
  const forms = acceptedForms(res.req.headers.accept)
  const { body, status } = response
  if (!body) sendWhole(res, status, headers)
  else if (!isStream(headers)) {
    const json = Buffer.from(await response.arrayBuffer())
    if (forms.json || status !== 200) sendWhole(res, status, headers, json)
    else sendWhole(res, status, { ...headers, ...STREAM_HEAD }, Buffer.from(eventOf(json.toString())))
  } else if (forms.stream) {
    if (!takeEarly(res)) {
      res.writeHead(status, headers)
      res.flushHeaders()
    }
    await pipeEvents(body, res, log)
  } else {
    const answers = await answersIn(body, onAsked)
    delete headers['content-type']
    const [answer] = answers
    // A cancelled request has no answer.
    if (answer === undefined) sendWhole(res, 202, headers)
    else
      sendWhole(
        res,
        status,
        { ...headers, 'content-type': 'application/json' },
        Buffer.from(JSON.stringify(answers.length === 1 ? answer : answers)),
      )
  }
}

/** Takes a question of the server to a client that takes no stream, and so could never answer it. */
export type OnAsked = (question: { readonly id: unknown }) => void

function isStream(headers: Readonly<Record<string, string>>): boolean {
  return headers['content-type']?.startsWith('text/event-stream') ?? false
}

function sendWhole(res: ServerResponse, status: number, headers: Readonly<Record<string, string>>, body?: Buffer): void {
  if (res.headersSent) {
    const early = takeEarly(res)
    const rest = early === 'stream' && body && !isStream(headers) ? eventOf(body.toString()) : body
    if (early) endWatched(res, rest)
    return
  }
  res.writeHead(status, body ? { ...headers, 'content-length': body.length } : headers)
  endWatched(res, body)
}

/** The answers in an event stream, for a client that takes only those. What is said before them is not sent. */
async function answersIn(body: ReadableStream<Uint8Array>, onAsked: OnAsked | undefined): Promise<readonly unknown[]> {
  const answers: unknown[] = []
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    const events = (text + decoder.decode(chunk, { stream: true })).split('\n\n')
    text = events.pop() ?? ''
    for (const event of events) {
      const data = event.split('\n').find((line) => line.startsWith('data: {'))
      const message: unknown = data && JSON.parse(data.slice('data: '.length))
      if (!isObject(message) || message['id'] === undefined) continue
      if (message['method'] === undefined) answers.push(message)
      else onAsked?.({ id: message['id'] })
    }
  }
  return answers
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
