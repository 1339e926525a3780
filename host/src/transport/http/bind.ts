import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { hostError } from '../../errors.ts'

/** Not imported: the import of `node:http` reads each of its exports, one of which is a WebSocket and with it undici, for 20 ms. */
const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http')

/** How long a client may take; Node's own limits are a minute for headers and five for a request. Milliseconds. */
export interface Timeouts {
  /** For the headers of one request, also on a connection that never sends any. */
  readonly headersMs: number
  /** For the whole request, body included. */
  readonly requestMs: number
  /** How often the two are looked at. */
  readonly checkMs: number
  /** How long a connection may stay without a next request. */
  readonly keepAliveMs: number
}

const DEFAULT_TIMEOUTS: Timeouts = { headersMs: 10_000, requestMs: 30_000, checkMs: 1_000, keepAliveMs: 30_000 }

export interface BindOptions {
  /** `http` or `management`, for errors. */
  readonly what: string
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  readonly handle: (req: IncomingMessage, res: ServerResponse) => void
  /** The methods of a path, for requests that Node's parser hands over as an error or a tunnel; undefined where there is nothing. */
  readonly allow: (path: string) => string | undefined
  /** Told of the status that answered what could not be parsed. */
  readonly onUnparsed?: (status: number) => void
  readonly timeouts?: Partial<Timeouts> | undefined
  readonly log: Logger
}

/** A bound listener. */
export interface Bound {
  readonly server: Server
  readonly host: string
  readonly port: number
  /** With the port it got: `http://127.0.0.1:3000`. */
  readonly origin: string
}

/** Starts to listen, with limits on time and size of what comes in. Throws `LISTEN_FAILED`. */
export async function bind({
  what,
  host,
  port,
  handle,
  allow,
  onUnparsed = () => {},
  timeouts,
  log,
}: BindOptions): Promise<Bound> {
  const { headersMs, requestMs, checkMs, keepAliveMs } = { ...DEFAULT_TIMEOUTS, ...timeouts }
  const server = createServer(
    {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: checkMs,
      keepAliveTimeout: keepAliveMs,
      maxHeaderSize: 16 * 1024,
    },
    handle,
  )
  server.on('clientError', (error: ClientError, socket: Socket) => answerUnparsed(error, socket, { allow, onUnparsed }))
  server.on('connect', (req: IncomingMessage, socket: Socket) => {
    // Node no longer listens to this socket: an error of it, such as a reset by the client, would be unhandled and end the process.
    socket.on('error', () => socket.destroy())
    onUnparsed(405)
    socket.end(rawAnswer(405, allow(req.url ?? '') ?? 'GET'), () => socket.destroy())
  })
  server.listen({ host, port })
  try {
    await once(server, 'listening')
  } catch (error) {
    throw hostError('LISTEN_FAILED', { what, address: `${host}:${port}`, problem: problemOf(error) }, error)
  }
  // A connection that cannot be accepted, for want of memory, say, is not the end of the others.
  server.on('error', (error) => log.warn('accept_failed', { listener: what, error }))
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('A listener on a port has no port')
  const shown = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
  return { server, host: bound.address, port: bound.port, origin: `http://${shown}:${bound.port}` }
}

interface ClientError extends Error {
  readonly code?: string
  readonly rawPacket?: Buffer
}

/** What the parser refuses is answered and the connection closed: it cannot be known where the next request would begin. */
function answerUnparsed(
  error: ClientError,
  socket: Socket,
  { allow, onUnparsed }: Pick<Required<BindOptions>, 'allow' | 'onUnparsed'>,
): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const { status, methods } = unparsedAnswer(error, allow)
  onUnparsed(status)
  socket.end(rawAnswer(status, methods), () => socket.destroy())
}

function unparsedAnswer(
  { code, rawPacket }: ClientError,
  allow: BindOptions['allow'],
): { readonly status: number; readonly methods?: string } {
  if (code === 'HPE_HEADER_OVERFLOW') return { status: 431 }
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return { status: 413 }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return { status: 408 }
  // A method that Node does not know: still one that the path does not have.
  const target =
    code === 'HPE_INVALID_METHOD' &&
    rawPacket &&
    /^[A-Z-]{1,32} (\/\S{0,1024}) HTTP\/1\.[01]\r\n/.exec(rawPacket.toString('latin1'))
  const methods = target && allow(target[1] ?? '')
  return methods ? { status: 405, methods } : { status: 400 }
}

function rawAnswer(status: number, allow?: string): string {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Length: 0',
    ...(allow ? [`Allow: ${allow}`] : []),
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

function problemOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') return 'the port is in use'
  if (code === 'EACCES') return 'the process may not bind to it'
  if (code === 'EADDRNOTAVAIL') return 'this machine has no such address'
  return error instanceof Error ? error.message : String(error)
}
