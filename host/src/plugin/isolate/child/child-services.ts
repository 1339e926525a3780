import type { Cache, HttpClient, HttpRequest, HttpResponse, LogFields, Logger, Metrics } from '@mcp-patchbay/plugin-api'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { responseOf } from '../../../network/response/response.ts'
import { withoutValues, type Subject } from '../../../network/request/subject.ts'
import { eventText, withBound } from '../../../observability/log/plugin-log.ts'
import { LINE_LIMITS, shortenFields } from '../../../observability/log/shorten.ts'
import { boundedMetrics } from '../../../observability/plugin-records.ts'
import { isError, messageOf } from '../../../observability/thrown.ts'
import { currentCall } from '../../run/inline-call-scope.ts'
import type { Notifications } from './child-notifications.ts'
import type { CacheOrder, HttpOrder } from '../channel/messages.ts'
import { hostError } from '../../../errors.ts'
import { MAX_CACHE_VALUE_BYTES } from '../channel/messages.ts'
import { HeaderTooLarge } from '../channel/frame-writer.ts'
import type { ReceivedMessage, Peer } from '../channel/peer.ts'

/** The call that the running code belongs to; 0 in background work. */
export function callNumber(): number {
  return Number(currentCall()?.requestId ?? 0)
}

/** `http` of a plugin in its own process: the host sends the requests. */
export function remoteHttp(peer: Peer, instance: string): HttpClient & AsyncDisposable {
  const ask = async (how: HttpOrder['how'], path: string, options: HttpRequest = {}): Promise<ReceivedMessage> => {
    const { body, ...rest } = options
    const sent = bodyOf(body, path)
    const order: HttpOrder = { call: callNumber(), how, path, options: rest, ...(sent ? { bodyAs: sent.as } : {}) }
    try {
      return await peer.request('http', { data: order, ...(sent ? { body: sent.bytes } : {}) }).answer
    } catch (error) {
      if (error instanceof HeaderTooLarge || error instanceof TypeError) throw unsent(path, error)
      throw error
    }
  }
  return Object.freeze({
    json: async <Body>(path: string, options?: HttpRequest) => {
      const { body } = await ask('json', path, options)
      return (body.length === 0 ? undefined : JSON.parse(body.toString())) as Body
    },
    text: async (path: string, options?: HttpRequest) => (await ask('text', path, options)).body.toString(),
    request: async (path: string, options?: HttpRequest) =>
      answerOf(await ask('request', path, options), { instance, method: options?.method }),
    async [Symbol.asyncDispose]() {},
  })
}

/** What cannot be sent is told as the host tells it in its own process. */
function bodyOf(body: unknown, path: string): { as: 'text' | 'bytes' | 'json'; bytes: string | Uint8Array } | undefined {
  if (body === undefined) return undefined
  if (typeof body === 'string') return { as: 'text', bytes: body }
  if (body instanceof Uint8Array) return { as: 'bytes', bytes: body }
  try {
    const text: string | undefined = JSON.stringify(body)
    if (text === undefined) throw new TypeError(`a ${typeof body} is not JSON`)
    return { as: 'json', bytes: text }
  } catch (cause) {
    throw new ServiceError('INVALID_INPUT', `${path} was not sent: its body cannot be written as JSON`, {
      fix: 'Give a string, bytes, or a value without cycles, bigints and functions',
      cause,
    })
  }
}

function unsent(path: string, cause: Error): ServiceError {
  return new ServiceError('INVALID_INPUT', `${path} was not sent: ${cause.message}`, {
    fix: 'Shorten the path, query and headers, and use only strings, numbers and booleans in them',
    cause,
  })
}

/** As the host reads an answer, with the same words for one that is not what was asked for. */
function answerOf({ data, body }: ReceivedMessage, { instance, method = 'GET' }: Asked): HttpResponse {
  const { status, headers, url, mayChange } = data as Pick<HttpResponse, 'status' | 'headers' | 'url'> &
    Pick<Subject, 'mayChange'>
  const answer = { status, headers, url, body: Buffer.from(body) }
  const at = new URL(url)
  const subject = {
    instance,
    method,
    path: withoutValues(at.pathname, at),
    redact: (text: string) => text,
    hints: NO_HINTS,
    mayChange,
  }
  return responseOf(answer, subject)
}

interface Asked {
  readonly instance: string
  readonly method: HttpRequest['method']
}

const NO_HINTS = { credentialVariables: [], baseUrlVariable: 'its base URL' }

const LONGEST_EVENT = 1_000

/** The host's log. */
export function remoteLog(notifications: Notifications, bound: LogFields = {}): Logger {
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (event: string, fields?: LogFields) =>
    notifications.notify('log', {
      call: callNumber(),
      level,
      event: eventText(event).slice(0, LONGEST_EVENT),
      fields: plain(withBound(bound, fields)),
    })
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => remoteLog(notifications, withBound(bound, fields)),
  }
}

/** What a log line can hold, whatever a plugin puts in it: a line is never worth an error. */
export function plain<Value>(value: Value): Value {
  try {
    const text = JSON.stringify(value, (_, part: unknown) => {
      if (isError(part))
        return { ...Object.fromEntries(Object.entries(part)), name: part.name, message: part.message, stack: part.stack }
      return typeof part === 'bigint' ? String(part) : part
    })
    if (text === undefined) return value
    const read: Value = JSON.parse(text)
    if (text.length <= LINE_LIMITS.line) return read
    return shortenFields({ value: read }, LINE_LIMITS.line)['value'] as Value
  } catch (error) {
    return { unreadable: messageOf(error) } as Value
  }
}

export function remoteMetrics(notifications: Notifications): Metrics {
  return boundedMetrics((one) => notifications.notify('metric', one))
}

/** The caches of this plugin: the host knows by the call whose they are, so `owner` only parts what is being loaded here. */
export function remoteCaches(peer: Peer): { namespace: (kind: string, ...owner: readonly string[]) => Cache } {
  const loading = new Map<string, Promise<unknown>>()
  const ask = async (order: CacheOrder, value?: string): Promise<unknown> => {
    const { length } = order.key
    if (length > MAX_SENT_KEY) throw hostError('CACHE_KEY', { problem: `has ${length} characters, which is too many` })
    return (await peer.request('cache', { data: order, ...(value === undefined ? {} : { body: value }) }).answer).data
  }

  return {
    namespace(...owner) {
      const call = callNumber()
      const get = async <Value>(key: string) => ((await ask({ call, what: 'get', key })) as { readonly found?: Value }).found
      const set = async (key: string, value: unknown, { ttlMs }: { ttlMs: number }) => {
        const json = jsonOf(value)
        // The host would not keep it either, and forgets what was there before.
        if (json !== undefined && json.length > MAX_CACHE_VALUE_BYTES) await ask({ call, what: 'delete', key })
        else await ask({ call, what: 'set', key, ttlMs }, json)
      }
      const load = async <Value>(key: string, options: { ttlMs: number }, work: () => Promise<Value>): Promise<Value> => {
        const found = await get<Value>(key)
        if (found !== undefined) return found
        const value = await work()
        if (isJson(value)) await set(key, value, options)
        return value
      }
      return {
        get,
        set,
        delete: async (key) => void (await ask({ call, what: 'delete', key })),
        async wrap<Value>(key: string, options: { ttlMs: number }, work: () => Promise<Value>): Promise<Value> {
          const flight = JSON.stringify([owner, key])
          let found = loading.get(flight) as Promise<Value> | undefined
          // Each caller gets its own object, because a caller could change it.
          if (found) return copyOf(await found)
          found = load(key, options, work).finally(() => loading.delete(flight))
          loading.set(flight, found)
          return found
        },
      }
    },
  }
}

/** Longer ones are refused before they are sent; how long a key may be the host says. */
const MAX_SENT_KEY = 65_536

/** Whether it can be kept; what cannot is given all the same. */
function isJson(value: unknown): boolean {
  return jsonOf(value) !== undefined
}

/** Undefined for what JSON cannot hold. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

function copyOf<Value>(value: Value): Value {
  return isJson(value) ? JSON.parse(JSON.stringify(value)) : value
}
