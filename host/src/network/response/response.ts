import type { HttpResponse } from '@mcp-patchbay/plugin-api'
import type { Answer } from '../resilience/outcome.ts'
import { decodeText } from './response-body.ts'
import { notJson, notText } from './status-error.ts'
import type { Subject } from '../request/subject.ts'

/** The whole answer for a plugin that looks at statuses itself. Reading it as text or JSON throws `UPSTREAM_FAILED` when it is neither. */
export function responseOf(answer: Answer, subject: Subject): HttpResponse {
  const { status, headers, url, body } = answer
  return Object.freeze({
    status,
    headers,
    url,
    body,
    text: () => readText(answer, subject),
    json: <Body>() => readJson(answer, subject) as Body,
  })
}

/** Throws `UPSTREAM_FAILED` for bytes that are not text. */
export function readText(answer: Answer, subject: Subject): string {
  try {
    return decodeText(answer.body, answer.headers['content-type'])
  } catch {
    throw notText(answer, subject)
  }
}

/**
 * The value, or `UPSTREAM_FAILED`; undefined where HTTP allows no body: status 204, 205 and 304, and any answer to HEAD.
 */
export function readJson(answer: Answer, subject: Subject): unknown {
  if (subject.method === 'HEAD' || BODYLESS.has(answer.status)) return undefined
  let text: string
  try {
    text = decodeText(answer.body, undefined) // RFC 8259: JSON is UTF-8, even if the content type says otherwise
  } catch {
    throw notText(answer, subject)
  }
  try {
    return JSON.parse(text)
  } catch {
    throw notJson(answer, subject)
  }
}

const BODYLESS: ReadonlySet<number> = new Set([204, 205, 304])
