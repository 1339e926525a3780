import type { ClientCapabilities, PriorDiscovery, StandardSchemaV1, Transport } from '@modelcontextprotocol/client'
import type { Logger } from '@mcp-patchbay/plugin-api'
import packageJson from '../../../../package.json' with { type: 'json' }
import { pause } from '../../../data/async.ts'
import { isObject } from '../../../data/json.ts'
import { readInPieces } from '../../../modules/reading/read-in-pieces.ts'
import { messageOf } from '../../../observability/thrown.ts'
import { createDirectCalls, type FollowedProgress } from './direct-calls.ts'
import type { Fields, OpenedTransport, RequestOptions, Sdk, ServerConnection } from './types.ts'

export interface ConnectOptions {
  readonly open: (sdk: Sdk) => OpenedTransport
  /** The transport of 2024, for a server that does not know the other one. */
  readonly openOlder?: ((sdk: Sdk) => OpenedTransport) | undefined
  /** What clients behind this host can do for the server. Without them it can ask no client. */
  readonly capabilities: ClientCapabilities
  readonly prior: PriorDiscovery | undefined
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly log: Logger
  /** A question of a 2025 server, in the middle of a call or outside. Rejects with what is answered as an error. */
  readonly onQuestion: (method: string, params: Fields, signal: AbortSignal) => Promise<Fields>
  readonly onNotification: (method: string, params: Fields) => void
}

/** The connection failed, with what the server printed. */
export class ConnectFailed extends Error {
  readonly output: string
  constructor(problem: string, output: string, cause: unknown) {
    super(problem, { cause })
    this.output = output
  }
}

/** How long a server may leave the question open by which rules it speaks, in milliseconds; one of 2025 may ignore it. */
const PROBE_MS = 6_000

/**
 * Connects to a server. What is known of its era from before saves the question; when it does not hold any more, it is asked again. A
 * server that cannot bear the question is started once more, and spoken to by the rules of 2025. Rejects with {@link ConnectFailed}.
 */
export async function connectServer(options: ConnectOptions): Promise<ServerConnection> {
  const { prior, signal } = options
  const attempts: readonly (PriorDiscovery | undefined)[] = prior ? [prior, undefined] : [undefined, LEGACY]
  let first: unknown
  for (const attempt of attempts) {
    try {
      return await connectOnce(options, attempt)
    } catch (error) {
      first ??= error
      if (signal.aborted) throw error
      if (options.openOlder && isUnknownThere(error)) return connectOnce({ ...options, open: options.openOlder }, LEGACY)
      if (!isWorthAnother(error, attempt)) throw error
    }
  }
  throw first
}

/** The address does not take what is sent to it: it may be one of HTTP+SSE. */
function isUnknownThere(error: unknown): boolean {
  const status = statusOf(error instanceof ConnectFailed ? error.cause : error)
  return status === 400 || status === 404 || status === 405
}

/** The HTTP status that a request of the SDK failed with. */
export function statusOf(error: unknown): number | undefined {
  const data: unknown = error instanceof Error && 'data' in error ? error.data : undefined
  const status = isObject(data) ? data['status'] : undefined
  return typeof status === 'number' ? status : undefined
}

const LEGACY: PriorDiscovery = { kind: 'legacy' }

/** A server that is gone after the question of its era may live without the question; what was known before may be wrong now. */
function isWorthAnother(error: unknown, attempt: PriorDiscovery | undefined): boolean {
  if (!(error instanceof ConnectFailed)) return false
  return attempt !== undefined || /negotiation failed/i.test(messageOf(error.cause))
}

async function connectOnce(options: ConnectOptions, prior: PriorDiscovery | undefined): Promise<ServerConnection> {
  const { open, capabilities, timeoutMs, signal, log, onQuestion, onNotification } = options
  await readInPieces('client')
  const sdk = await import('@modelcontextprotocol/client')
  const { transport, leave, exited, tail = () => '', write } = open(sdk)
  const closed = Promise.withResolvers<string>()
  let closing: string | undefined
  const declared = { ...capabilities }
  const client = new sdk.Client(CLIENT_INFO, {
    capabilities: declared,
    versionNegotiation: { mode: 'auto', probe: { timeoutMs: Math.min(PROBE_MS, timeoutMs) } },
    inputRequired: { autoFulfill: false },
    // What a server answers is checked by the host, once.
    jsonSchemaValidator: { getValidator: () => (input) => ({ valid: true, data: input as never, errorMessage: undefined }) },
  })
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK has one of each
  client.onerror = (error) => log.debug('server_message_refused', { reason: messageOf(error).slice(0, 500) })
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the same
  client.onclose = () => {
    if (closing !== undefined) closed.resolve(closing)
    else void Promise.resolve(exited).then((why) => closed.resolve(why ?? 'the connection was closed'))
  }
  client.fallbackRequestHandler = async ({ method, params }, ctx) => {
    const answer = await onQuestion(method, isObject(params) ? params : {}, ctx.mcpReq.signal)
    return { ...answer }
  }
  client.fallbackNotificationHandler = ({ method, params }) => {
    onNotification(method, isObject(params) ? params : {})
    return Promise.resolve()
  }
  try {
    await client.connect(transport, { timeout: timeoutMs, signal, ...(prior && { prior }) })
  } catch (error) {
    // Told before it is ended here, which is no news.
    const died = exited && (await Promise.race([exited, new Promise<undefined>((resolve) => setImmediate(resolve, undefined))]))
    await client.close().catch(() => {}) // it is gone, or was never there
    await transport.close().catch(() => {})
    const why = isTimeout(error) ? `it did not answer within ${timeoutMs} ms` : messageOf(error)
    throw new ConnectFailed(died ?? why, tail(), error)
  }
  const era = client.getProtocolEra() ?? 'legacy'
  const progress = createProgress(transport, onNotification)
  const envelope =
    era === 'modern' ? { ...ENVELOPE, [REVISION]: client.getNegotiatedProtocolVersion(), [CAPABILITIES]: declared } : undefined
  const direct = write && createDirectCalls({ era, write, envelope, follow: (tell) => progress.follow(tell) })
  if (direct) {
    receiveFirst(transport, (message) => direct.take(message))
    // By then it is known why.
    void closed.promise.then(() => direct.end())
  }

  async function bySdk(
    method: string,
    params: Fields,
    { until, timeoutMs: within = FOREVER, onProgress, onCancelled }: RequestOptions,
  ) {
    const followed = onProgress && progress.follow(onProgress)
    const abort = until?.signal
    if (onCancelled) abort?.addEventListener('abort', onCancelled, { once: true })
    try {
      // oxlint-disable-next-line no-underscore-dangle -- the protocol's name
      const sent = followed
        ? { ...params, _meta: { ...asObject(params['_meta']), progressToken: followed.token } }
        : { ...params }
      const options = { timeout: within, allowInputRequired: true, ...(abort && { signal: abort }) }
      return asObject(await client.request({ method, params: sent }, AS_IT_IS, options))
    } finally {
      if (onCancelled) abort?.removeEventListener('abort', onCancelled)
      followed?.end()
    }
  }

  const discover = client.getDiscoverResult()
  const server = client.getServerVersion()
  return {
    era,
    prior: discover ? { kind: 'modern', discover } : LEGACY,
    server: server && { name: server.name, version: server.version },
    capabilities: asObject(client.getServerCapabilities()),
    closed: closed.promise,
    tail,
    request(method, params, options) {
      if (direct && method === 'tools/call') return direct.request(params, options)
      return bySdk(method, params, options)
    },
    notify: (method, params) => client.notification({ method, ...(params && { params: { ...params } }) }),
    async listen(filter) {
      await client.listen({ ...filter })
    },
    async close(why) {
      closing = why
      if (leave) await Promise.race([leave(), pause(LEAVE_MS, signal)]).catch(() => {})
      await client.close()
    },
  }
}

/** How long a server is given to hear that its client is gone, in milliseconds. */
const LEAVE_MS = 1_000

/** The longest time that a timer takes: what ends a request is its signal. */
const FOREVER = 2_147_483_647

/** A schema that takes what comes: results are checked and copied by the host, like those of every plugin. */
const AS_IT_IS: StandardSchemaV1<unknown, unknown> = {
  '~standard': { version: 1, vendor: 'mcp-patchbay', validate: (value) => ({ value }) },
}

/** The SDK's own word for a request that took too long. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'REQUEST_TIMEOUT'
}

function asObject(value: unknown): Fields {
  return isObject(value) ? value : {}
}

/**
 * Takes progress and log lines off a transport before the SDK has them: it tells them a turn later, when the answer that came behind them
 * is known already and what is late is dropped.
 */
function createProgress(transport: Transport, onNotification: ConnectOptions['onNotification']) {
  const followed = new Map<unknown, NonNullable<RequestOptions['onProgress']>>()
  let count = 0
  receiveFirst(transport, ({ method, params }) => {
    if (method === 'notifications/message') onNotification(method, asObject(params))
    else if (method === 'notifications/progress') {
      const { progressToken, progress, total, message: text } = asObject(params)
      if (typeof progress !== 'number') return true
      const more = { ...(typeof total === 'number' && { total }), ...(typeof text === 'string' && { message: text }) }
      followed.get(progressToken)?.(progress, more)
    } else return false
    return true
  })
  return {
    follow(tell: NonNullable<RequestOptions['onProgress']>): FollowedProgress {
      const token = `progress${++count}`
      followed.set(token, tell)
      return { token, end: () => void followed.delete(token) }
    },
  }
}

/** Has `take` see each message before the SDK, which gets those that it does not take. */
function receiveFirst(transport: Transport, take: (message: Fields) => boolean): void {
  const next = transport.onmessage
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- a transport has one
  transport.onmessage = (message, extra) => {
    if (!take(message)) next?.(message, extra)
  }
}

const CLIENT_INFO = { name: 'mcp-patchbay', title: 'Patchbay', version: packageJson.version }
/** What a request of 2026-07-28 says of its client. */
const REVISION = 'io.modelcontextprotocol/protocolVersion'
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities'
const ENVELOPE = { 'io.modelcontextprotocol/clientInfo': CLIENT_INFO }
