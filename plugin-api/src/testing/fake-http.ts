import type { HttpClient, HttpRequest, HttpResponse, QueryValue } from '../context.ts'
import { ServiceError, serviceErrorCode } from '../errors.ts'
import { matchesPath } from './path-pattern.ts'

/** One answer of a service that is not there. The first route that fits a request answers it. */
export interface FakeRoute extends FakeReply {
  /** Default: any method. */
  readonly method?: NonNullable<HttpRequest['method']>
  /** A path below `apiUrl` or an absolute URL, without query: the text itself, a glob (`/repos/*\/issues`, `**` for anything), a RegExp. */
  readonly path: string | RegExp
  /** The request must carry these; it may carry more. */
  readonly query?: Readonly<Record<string, QueryValue | readonly QueryValue[]>>
  /** Answers instead of the reply given here; its errors are the request's. */
  readonly reply?: (request: FakeRequest) => FakeReply | Promise<FakeReply>
}

export interface FakeReply {
  /** Default 200. */
  readonly status?: number
  /** At most one of these three. */
  readonly json?: unknown
  readonly text?: string
  readonly bytes?: Uint8Array
  readonly headers?: Readonly<Record<string, string>>
  /** Where the answer came from, if redirects led elsewhere. */
  readonly url?: string
}

/** What a plugin sent, as a service would see it. */
export interface FakeRequest {
  readonly method: NonNullable<HttpRequest['method']>
  /** Without query. */
  readonly path: string
  /** Every value as text; a repeated key holds an array. */
  readonly query: Readonly<Record<string, string | readonly string[]>>
  readonly headers: Readonly<Record<string, string>>
  /** What was given as `body`, as it was given. */
  readonly body: unknown
}

export interface FakeHttp extends HttpClient {
  /** Every request so far, answered or not. */
  readonly requests: readonly FakeRequest[]
}

/**
 * An `HttpClient` that answers from `routes` and behaves like the host's: `json` and `text` throw a `ServiceError` for a status of 400
 * or more. A request that fits no route throws an error that lists them. `callTool` holds it to the tool's `access`.
 */
export function fakeHttp(routes: readonly FakeRoute[] = []): FakeHttp {
  const requests: FakeRequest[] = []

  async function request(path: string, options: HttpRequest = {}): Promise<HttpResponse> {
    if (!/^(?:\/(?!\/)|https?:\/\/)/i.test(path))
      throw new ServiceError('INVALID_INPUT', `The path "${path}" neither begins with one / nor is an absolute URL`)
    const sent = requestOf(path, options)
    requests.push(sent)
    const route = routes.find((candidate) => fits(candidate, sent))
    if (!route) throw new Error(unmatched(sent, routes))
    const response = responseOf(sent, (await route.reply?.(sent)) ?? route)
    if (options.maxBytes !== undefined && response.body.length > options.maxBytes)
      throw new ServiceError('UPSTREAM_FAILED', `The answer is longer than ${options.maxBytes} bytes`)
    return response
  }

  async function successful(path: string, options?: HttpRequest): Promise<HttpResponse> {
    const response = await request(path, options)
    const code = serviceErrorCode(response.status)
    if (!code) return response
    const wait = Number(response.headers['retry-after'])
    const message = `${options?.method ?? 'GET'} ${path} answered ${response.status}`
    throw new ServiceError(code, message, wait > 0 ? { retryAfterMs: wait * 1000 } : {})
  }

  return {
    requests,
    request,
    text: async (path, options) => (await successful(path, options)).text(),
    json: async <Body>(path: string, options?: HttpRequest) => (await successful(path, options)).json<Body>(),
  }
}

function requestOf(path: string, { method = 'GET', query = {}, headers = {}, body }: HttpRequest): FakeRequest {
  const [bare = '', search = ''] = path.split('#', 1)[0]?.split(/\?(.*)/s, 2) ?? []
  const pairs = [...new URLSearchParams(search)]
  for (const [key, value] of Object.entries(query))
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) pairs.push([key, String(one)])
  const together: Record<string, string | readonly string[]> = {}
  for (const [key, value] of pairs) together[key] = Object.hasOwn(together, key) ? [together[key] ?? [], value].flat() : value
  return { method, path: bare, query: together, headers: { ...headers }, body }
}

function fits({ method, path, query = {} }: FakeRoute, sent: FakeRequest): boolean {
  if (method && method !== sent.method) return false
  if (!(typeof path === 'string' ? matchesPath(path, sent.path) : sent.path.search(path) >= 0)) return false
  return Object.entries(query).every(
    ([key, value]) => [value].flat().map(String).join('\0') === [sent.query[key] ?? []].flat().join('\0'),
  )
}

function responseOf(sent: FakeRequest, reply: FakeReply): HttpResponse {
  const { status = 200, json, text, bytes, headers = {}, url } = reply
  const type = json !== undefined ? 'application/json' : text !== undefined ? 'text/plain; charset=utf-8' : undefined
  const body = bytes ?? new TextEncoder().encode(json === undefined ? (text ?? '') : JSON.stringify(json))
  const sentHeaders: Record<string, string> = {
    ...(type ? { 'content-type': type } : {}),
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  }
  const read = () => {
    const charset = /;\s*charset="?([^\s";]+)/i.exec(sentHeaders['content-type'] ?? '')?.[1] ?? 'utf-8'
    return new TextDecoder(charset).decode(body)
  }
  return {
    status,
    headers: sentHeaders,
    url: url ?? new URL(sent.path, 'https://service.test').href,
    body,
    text: read,
    json<Body>() {
      if (sent.method === 'HEAD' || status === 204) return undefined as Body
      try {
        return JSON.parse(read()) as Body
      } catch (cause) {
        throw new ServiceError('UPSTREAM_FAILED', 'The answer is not JSON', { cause })
      }
    },
  }
}

function unmatched(sent: FakeRequest, routes: readonly FakeRoute[]): string {
  const search = new URLSearchParams(
    Object.entries(sent.query).flatMap(([key, value]) => [value].flat().map((one): [string, string] => [key, one])),
  ).toString()
  const known = routes.map(
    ({ method, path, query }) => `  ${method ?? 'ANY'} ${String(path)}${query ? ` ${JSON.stringify(query)}` : ''}`,
  )
  return [
    `fakeHttp has no route for ${sent.method} ${sent.path}${search ? `?${search}` : ''}. ${known.length ? 'It has:' : 'It has none.'}`,
    ...known,
  ].join('\n')
}
