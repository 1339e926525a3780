import type { ServerResponse } from 'node:http'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { acceptedForms } from './accept.ts'
import { unreadAnswers } from './sending/unread-answers.ts'

/** An answer whose head was sent before the answer itself was known. */
type EarlyForm = 'stream' | 'json'

const early = new WeakMap<ServerResponse, EarlyForm>()

/** The head of an event stream. */
export const STREAM_HEAD = Object.freeze({
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
})

/**
 * Begins an answer that takes long: as an event stream, or for a client that takes none as JSON, which may begin with white space. What
 * is between the client and the host then sees that something is sent.
 */
export function beginEarly(res: ServerResponse, headers: Readonly<Record<string, string>> | undefined): void {
  const form = acceptedForms(res.req.headers.accept).stream ? 'stream' : 'json'
  early.set(res, form)
  res.writeHead(200, { ...headers, ...(form === 'stream' ? STREAM_HEAD : { 'content-type': 'application/json' }) })
  keepWarm(res)
}

/** Sends something that means nothing, when the answer was begun early and is not known yet. */
export function keepWarm(res: ServerResponse): void {
  const form = early.get(res)
  if (form === undefined || res.destroyed || res.writableEnded) return
  res.write(form === 'stream' ? ': keepalive\n\n' : '\n')
}

/** How an answer was begun early; undefined when it was not. Whoever asks sends the rest of it. */
export function takeEarly(res: ServerResponse): EarlyForm | undefined {
  const form = early.get(res)
  if (form !== undefined) early.delete(res)
  return form
}

/** Whether the head was sent before the answer was known. */
export function isEarly(res: ServerResponse): boolean {
  return early.has(res)
}

/** A message as an event of a stream. */
export function eventOf(json: string): string {
  return `event: message\ndata: ${json}\n\n`
}

/**
 * Writes to a stream whose client may be slow: with more than `maxUnread` bytes unread, by default a megabyte, the client is let go,
 * since memory is everybody's. False when the stream is over.
 */
export function writeEvent(res: ServerResponse, event: string | Uint8Array, log: Logger, maxUnread = MAX_UNREAD): boolean {
  if (res.destroyed) return false
  if (res.writableLength > maxUnread) {
    log.warn('slow_reader_dropped', { unread: res.writableLength })
    res.destroy()
    return false
  }
  if (!res.write(event)) unreadAnswers.add(res)
  return true
}

const MAX_UNREAD = 1_048_576
