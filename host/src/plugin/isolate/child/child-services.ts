import { AsyncLocalStorage } from 'node:async_hooks'
import type {
  Cache,
  HttpClient,
  HttpRequest,
  HttpResponse,
  LogFields,
  Logger,
  MetricLabels,
  Metrics,
} from '@mcp-patchbay/plugin-api'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { responseOf } from '../../../network/response/response.ts'
import { withoutValues } from '../../../network/request/subject.ts'
import { isError } from '../../../observability/thrown.ts'
import type { Tells } from './child-notifications.ts'
import type { CacheOrder, HttpOrder } from '../channel/messages.ts'
import type { Packet, Peer } from '../channel/peer.ts'

const calls = new AsyncLocalStorage<number>()

/** Runs `work` as the call of that number, through everything it awaits. */
export function inCallNumber<Result>(call: number, work: () => Result): Result {
  return calls.run(call, work)
}

/** The call that the running code belongs to; 0 in background work. */
export function callNumber(): number {
  return calls.getStore() ?? 0
}

/** `http` of a plugin in its own process: the host sends the requests. */
export function remoteHttp(peer: Peer, instance: string): HttpClient & AsyncDisposable {
  const ask = async (how: HttpOrder['how'], path: string, options: HttpRequest = {}): Promise<Packet> => {
    const { body, ...rest } = options
    const bodyAs = typeof body === 'string' ? 'text' : body instanceof Uint8Array ? 'bytes' : undefined
    const order: HttpOrder = {
      call: callNumber(),
      how,
      path,
      options: bodyAs === undefined ? { ...rest, body } : rest,
      ...(bodyAs === undefined ? {} : { bodyAs }),
    }
    return peer.ask('http', { data: asJson(order, path), ...(bodyAs === undefined ? {} : { body: body as string | Uint8Array }) })
      .answer
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
function asJson(order: HttpOrder, path: string): HttpOrder {
  try {
    JSON.stringify(order)
    return order
  } catch (cause) {
    throw new ServiceError('INVALID_INPUT', `${path} was not sent: its body cannot be written as JSON`, {
      fix: 'Give a string, bytes, or a value without cycles, bigints and functions',
      cause,
    })
  }
}

/** As the host reads an answer, with the same words for one that is not what was asked for. */
function answerOf({ data, body }: Packet, { instance, method = 'GET' }: Asked): HttpResponse {
  const { status, headers, url } = data as Pick<HttpResponse, 'status' | 'headers' | 'url'>
  const answer = { status, headers, url, body: Buffer.from(body) }
  const at = new URL(url)
  const subject = { instance, method, path: withoutValues(at.pathname, at), redact: (text: string) => text, hints: NO_HINTS }
  return responseOf(answer, subject)
}

interface Asked {
  readonly instance: string
  readonly method: HttpRequest['method']
}

const NO_HINTS = { credentialVariables: [], baseUrlVariable: 'its base URL' }

/** The host's log. */
export function remoteLog(tells: Tells, bound: LogFields = {}): Logger {
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (event: string, fields?: LogFields) =>
    tells.tell('log', { level, event, fields: plain({ ...bound, ...fields }) })
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => remoteLog(tells, { ...bound, ...fields }),
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
    return text === undefined ? value : JSON.parse(text)
  } catch (error) {
    return { unreadable: String(error) } as Value
  }
}

export function remoteMetrics(tells: Tells): Metrics {
  const record = (kind: string) => (name: string, value?: number, labels?: MetricLabels) =>
    tells.tell('metric', { kind, name, value: value ?? 1, ...(labels ? { labels } : {}) })
  return { count: record('count'), gauge: record('gauge'), observe: record('observe') }
}

/** The caches of this plugin: the host knows by the call whose they are, so `owner` only parts what is being loaded here. */
export function remoteCaches(peer: Peer): { namespace: (kind: string, ...owner: readonly string[]) => Cache } {
  const loading = new Map<string, Promise<unknown>>()
  const ask = async (order: CacheOrder): Promise<unknown> => (await peer.ask('cache', { data: order }).answer).data

  return {
    namespace(...owner) {
      const call = callNumber()
      const get = async <Value>(key: string) => ((await ask({ call, what: 'get', key })) as { readonly found?: Value }).found
      const set = async (key: string, value: unknown, { ttlMs }: { ttlMs: number }) => {
        await ask({ call, what: 'set', key, value, ttlMs })
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
          // Nobody shares an object with another caller, who may change it.
          if (found) return copyOf(await found)
          found = load(key, options, work).finally(() => loading.delete(flight))
          loading.set(flight, found)
          return found
        },
      }
    },
  }
}

/** Whether it can be kept; what cannot is given all the same. */
function isJson(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined
  } catch {
    return false
  }
}

function copyOf<Value>(value: Value): Value {
  return isJson(value) ? JSON.parse(JSON.stringify(value)) : value
}
