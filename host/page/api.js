/** @import { CallEnd, CallRequest, FeedEvent } from './types.d.ts' */

const KEY = 'patchbay-token'

/** An answer that is no 2xx, or none at all. */
export class ApiError extends Error {
  /**
   * @param {number} status 0 when the host did not answer.
   * @param {{ code?: string, message?: string, fix?: readonly string[] }} error
   */
  constructor(status, { code = '', message = 'The host does not answer', fix = [] }) {
    super(message)
    this.status = status
    this.code = code
    this.fix = fix
  }
}

/** @type {string | null} */
let token = null

/**
 * Takes the token out of the address, where it must not stay: histories are kept and shared. A ticket is changed for the token. Gives false
 * when there is none.
 */
export async function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1))
  const [sent, ticket] = [given.get('token'), given.get('ticket')]
  if (sent !== null || ticket !== null) history.replaceState(null, '', location.pathname)
  if (sent !== null) setToken(sent)
  else if (ticket !== null) {
    const response = await fetch('/admin/session', request({ ticket }))
    if (response.ok) setToken(String((await response.json()).token))
  }
  token ??= sessionStorage.getItem(KEY)
  return token !== null
}

/** @param {string} value */
export function setToken(value) {
  token = value
  sessionStorage.setItem(KEY, value)
}

export function forgetToken() {
  token = null
  sessionStorage.removeItem(KEY)
}

/**
 * @param {string} path
 * @returns {Promise<any>}
 */
export function get(path) {
  return ask(path, { headers: headers() })
}

/**
 * @param {string} path
 * @param {object} body
 * @returns {Promise<any>}
 */
export function post(path, body) {
  return ask(path, request(body))
}

/**
 * One round of a call. Resolves with its end; `tell` hears of progress and log lines before. Rejects when it is aborted.
 * @param {string} path
 * @param {CallRequest | { responses: object }} body
 * @param {{ tell: (type: string, data: any) => void, signal: AbortSignal }} options
 * @returns {Promise<CallEnd>}
 */
export async function call(path, body, { tell, signal }) {
  const response = await open(path, { ...request(body, 'text/event-stream'), signal })
  /** @type {CallEnd | undefined} */
  let end
  await readEvents(response, (type, data) => {
    if (type === 'progress' || type === 'log') tell(type, data)
    else end = data
  })
  if (!end) throw new ApiError(0, { message: 'The host ended the answer before the call was over' })
  return end
}

/**
 * Follows what happens, from the event after `after` on, until the connection ends.
 * @param {number} after
 * @param {{ onOpen: () => void, onEvent: (event: FeedEvent) => void }} listeners
 */
export async function follow(after, { onOpen, onEvent }) {
  const response = await open(`/admin/events?after=${after}`, { headers: headers('text/event-stream') })
  onOpen()
  await readEvents(response, (_type, data) => onEvent(data))
}

/** @param {string} [accept] */
function headers(accept = 'application/json') {
  return { accept, ...(token !== null && { authorization: `Bearer ${token}` }) }
}

/**
 * @param {object} body
 * @param {string} [accept]
 */
function request(body, accept) {
  return { method: 'POST', headers: { ...headers(accept), 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/**
 * @param {string} path
 * @param {RequestInit} init
 */
async function ask(path, init) {
  const response = await open(path, init)
  return response.json()
}

/**
 * @param {string} path
 * @param {RequestInit} init
 */
async function open(path, init) {
  /** @type {Response} */
  let response
  try {
    response = await fetch(path, { ...init, cache: 'no-store' })
  } catch (error) {
    if (init.signal?.aborted) throw error
    throw new ApiError(0, {})
  }
  if (response.ok) return response
  const body = await response.json().catch(() => ({}))
  throw new ApiError(response.status, body.error ?? { message: `The host answered ${response.status}` })
}

/**
 * Reads an event stream to its end: names and JSON.
 * @param {Response} response
 * @param {(type: string, data: any) => void} onEvent
 */
async function readEvents(response, onEvent) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const read = await reader?.read().catch((error) => {
      if (error instanceof DOMException && error.name === 'AbortError') throw error
      return undefined
    })
    if (!read || read.done) return
    const blocks = (rest + read.value).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const field = (/** @type {string} */ name) =>
        block
          .split('\n')
          .filter((line) => line.startsWith(`${name}: `))
          .map((line) => line.slice(name.length + 2))
          .join('\n')
      const data = field('data')
      if (data !== '') onEvent(field('event'), JSON.parse(data))
    }
  }
}
