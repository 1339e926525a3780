import type { HttpClient, HttpRequest, Logger, MetricLabels, Metrics, QueryValue } from '@mcp-patchbay/plugin-api'
import type { PluginCaches } from '../../cache/cache.ts'
import { isObject } from '../../data/json.ts'
import { callFields } from '../../observability/tracing/trace-context.ts'
import { pluginLogger } from '../../observability/log/plugin-log.ts'
import { parseBounded, TooCostly, type JsonBounds } from '../../data/json-cost.ts'
import { OpenRequests } from '../../data/open-requests.ts'
import { createWindowLimit } from '../../data/window-limit.ts'
import { hostError } from '../../errors.ts'
import type { CallScope } from '../../network/http-call-scope.ts'
import { mayChange } from '../../network/request/access.ts'
import { JsonText } from '../../network/request/request-body.ts'
import { inCall, outsideCalls } from '../run/inline-call-scope.ts'
import { pluginCache } from '../run/plugin-cache.ts'
import type { CallRequest, ClientLogLevel } from '../run/running.ts'
import { createDenials } from './denials.ts'
import { MAX_CACHE_VALUE_BYTES, NOTIFICATIONS_PER_SECOND } from './channel/messages.ts'
import { pacedProgress, type PacedProgress } from './channel/paced-progress.ts'
import type { ReceivedMessage, SentMessage } from './channel/peer.ts'
import type { ProcessOwner } from './spawn.ts'

/** What the host does for one plugin in its own process. */
export interface BrokerOptions {
  readonly instance: string
  readonly http: HttpClient
  readonly log: Logger
  readonly metrics: Metrics
  readonly cache: PluginCaches
  readonly digest: string
  readonly resourceChanged?: (uri: string) => void
  readonly now: () => number
  /** The process read a file, and what was in it. */
  readonly onRead?: (file: string, digest: string) => void
  readonly onListed?: (folder: string) => void
}

/** A call that is in the process now: with it go the rights of what the process asks for in its name. */
export interface BrokeredCall {
  readonly request: CallRequest
  readonly scope: CallScope
  /** The broker's. */
  progress?: PacedProgress | undefined
}

export interface Broker extends ProcessOwner {
  begin(id: number, call: BrokeredCall): void
  end(id: number): void
}

/**
 * Answers what a plugin's process asks for. The channel says which plugin it is; the process says only in which of its calls it asks, and
 * for a call that is not there, or over, it gets what background work gets. Nothing of what it sends is trusted to have its form.
 */
export function createBroker({ instance, http, log, metrics, cache, digest, now, ...heard }: BrokerOptions): Broker {
  const calls = new OpenRequests<BrokeredCall>()
  const notifications = createWindowLimit({
    limit: NOTIFICATIONS_PER_SECOND,
    now,
    onNext: (dropped) => {
      if (dropped > 0) log.warn('plugin_notifications_dropped', { dropped, allowedPerSecond: NOTIFICATIONS_PER_SECOND })
    },
  })
  const denials = createDenials(log, now)

  async function answerHttp({ data, body }: ReceivedMessage): Promise<SentMessage> {
    const { call, how, path, options, bodyAs } = objectOf(data)
    if (typeof path !== 'string') throw new TypeError('A request needs a path')
    const request = requestOf(objectOf(options), bodyAs, body)
    const scope = calls.get(Number(call))?.scope
    const send = async (): Promise<SentMessage> => {
      if (how === 'json') return { body: JSON.stringify(await http.json(path, request)) ?? '' }
      if (how === 'text') return { body: await http.text(path, request) }
      const { status, headers, url, body: answer } = await http.request(path, request)
      return { data: { status, headers, url, mayChange: mayChange(request.method, scope) }, body: answer }
    }
    return scope ? inCall(scope, send) : outsideCalls(send)
  }

  async function answerCache({ data, body }: ReceivedMessage): Promise<SentMessage> {
    const { call, what, key, ttlMs } = objectOf(data)
    const { principal } = calls.get(Number(call))?.scope ?? {}
    const own = pluginCache(cache, { instance, digest, principal })
    if (what === 'get') {
      const found = await own.get(key as string)
      return { data: found === undefined ? {} : { found } }
    }
    // A value that is too large to be kept takes the place of the one before all the same: that is gone.
    if (what === 'set' && body.length > MAX_CACHE_VALUE_BYTES) await own.delete(key as string)
    else if (what === 'set') await own.set(key as string, cacheValue(body), { ttlMs: ttlMs as number })
    else if (what === 'delete') await own.delete(key as string)
    else throw new TypeError('A cache can get, set and delete')
    return {}
  }

  function write(data: Readonly<Record<string, unknown>>): void {
    const { level, event, fields, call: number } = data
    if (!isLogLevel(level) || typeof event !== 'string') return
    const request = calls.get(Number(number))?.request
    pluginLogger(request ? log.child({ ...callFields(request.requestId, request.trace) }) : log)[level](event, objectOf(fields))
  }

  function count(data: Readonly<Record<string, unknown>>): void {
    const { kind, name, value, labels } = data
    if ((kind !== 'count' && kind !== 'gauge' && kind !== 'observe') || typeof name !== 'string' || typeof value !== 'number')
      return
    metrics[kind](name, value, textsOf(labels))
  }

  return {
    instance,
    begin(id, call) {
      calls.add(id, call)
    },
    end(id) {
      calls.get(id)?.progress?.end()
      calls.delete(id)
    },
    async onRequest(what, message) {
      if (what === 'http') return answerHttp(message)
      if (what === 'cache') return answerCache(message)
      throw new TypeError('The host answers http and cache')
    },
    onNotification(what, sent) {
      const data = objectOf(sent)
      if (what === 'dropped') return isCount(data['times']) ? notifications.drop(data['times']) : undefined
      if (!notifications.take()) return
      const call = calls.get(Number(data['call']))
      if (what === 'log') write(data)
      else if (what === 'denied') denials.note(data, call?.request.requestId)
      else if (what === 'metric') count(data)
      else if (what === 'read' && typeof data['file'] === 'string' && typeof data['digest'] === 'string')
        heard.onRead?.(data['file'], data['digest'])
      else if (what === 'listed' && typeof data['folder'] === 'string') heard.onListed?.(data['folder'])
      else if (what === 'progress' && call && typeof data['progress'] === 'number') {
        call.progress ??= pacedProgress(call.request.progress, now)
        call.progress.tell(data['progress'], optionsOf(data))
      } else if (what === 'clientLog' && isClientLevel(data['level'])) call?.request.log(data['level'], data['data'])
      else if (what === 'closeStream') call?.request.closeStream()
      else if (what === 'resourceChanged' && typeof data['uri'] === 'string') heard.resourceChanged?.(data['uri'])
    },
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0
}

/** The value that a plugin's process wants to be kept. Undefined, which a cache refuses, for one that it did not send. */
function cacheValue(body: Buffer): unknown {
  if (body.length === 0) return undefined
  try {
    return parseBounded(body.toString(), CACHE_VALUE_BOUNDS)
  } catch (error) {
    throw hostError('CACHE_VALUE', { problem: error instanceof TooCostly ? error.message : 'is not JSON' })
  }
}

const CACHE_VALUE_BOUNDS: JsonBounds = { depth: 200, values: 1_000_000 }

/** The request with what the contract knows and nothing else; the network layer judges the rest. A body is passed on unparsed. */
function requestOf(options: Readonly<Record<string, unknown>>, bodyAs: unknown, body: Buffer): HttpRequest {
  const { method, query, headers, timeoutMs, maxBytes, withoutCredential } = options
  const sent = bodyOf(bodyAs, body)
  return {
    ...(typeof method === 'string' ? { method: method as 'GET' } : {}),
    ...(isObject(query) ? { query: Object.fromEntries(Object.entries(query).filter(isQuery)) } : {}),
    ...(isObject(headers) ? { headers: textsOf(headers) } : {}),
    ...(sent === undefined ? {} : { body: sent }),
    ...(typeof timeoutMs === 'number' ? { timeoutMs } : {}),
    ...(typeof maxBytes === 'number' ? { maxBytes } : {}),
    ...(withoutCredential === true ? { withoutCredential } : {}),
  }
}

function bodyOf(as: unknown, body: Buffer): string | Uint8Array | JsonText | undefined {
  if (as === 'bytes') return Buffer.from(body)
  if (as === 'text') return body.toString()
  return as === 'json' ? new JsonText(body.toString()) : undefined
}

function isQuery(entry: [string, unknown]): entry is [string, QueryValue | QueryValue[]] {
  const [, value] = entry
  return Array.isArray(value) ? value.every(isPlain) : isPlain(value)
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function textsOf(value: unknown): MetricLabels {
  return Object.fromEntries(
    Object.entries(objectOf(value)).flatMap(([key, text]) => (isPlain(text) ? [[key, String(text)]] : [])),
  )
}

function optionsOf({ total, message }: Readonly<Record<string, unknown>>): { total?: number; message?: string } {
  return {
    ...(typeof total === 'number' ? { total } : {}),
    ...(typeof message === 'string' ? { message: message.slice(0, 1_000) } : {}),
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {}
}

function isLogLevel(level: unknown): level is 'debug' | 'info' | 'warn' | 'error' {
  return level === 'debug' || level === 'info' || level === 'warn' || level === 'error'
}

function isClientLevel(level: unknown): level is ClientLogLevel {
  return level === 'warning' || (isLogLevel(level) && level !== 'warn')
}
