import type { IncomingMessage } from 'node:http'
import { isObject } from '../../data/json.ts'
import { acceptedForms } from '../http/accept.ts'

/** A message of one of the hot methods, as ordinary as the fast path takes it. */
export interface HotRequest {
  readonly message: object
  readonly id: string | number
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

/** A hot request of 2026-07-28 that says all it must and nothing unusual. */
export function modernRequest(message: unknown): HotRequest | undefined {
  const request = hotRequest(message, MODERN_METHODS)
  if (!request) return undefined
  const { method, params } = request
  for (const key in params) if (key !== '_meta' && !isKnown(method, key)) return undefined
  return asksForNothing(params['_meta']) ? request : undefined
}

/** A hot request of a 2025 revision: one with metadata asks for progress, or is of another revision. */
export function legacyRequest(message: unknown): HotRequest | undefined {
  const request = hotRequest(message, LEGACY_METHODS)
  if (!request) return undefined
  for (const key in request.params) if (!isKnown(request.method, key)) return undefined
  return request
}

/** A client that says its name, its version and nothing that would have to be looked at: the SDK need not be read for it. */
export function isPlainClient({ params }: HotRequest): boolean {
  const meta = params['_meta']
  if (!isObject(meta)) return false
  const { [CLIENT]: info, [CAPABILITIES]: capabilities } = meta
  if (!isObject(capabilities) || !isObject(info)) return false
  for (const _capability in capabilities) return false
  for (const key in info) if (key !== 'name' && key !== 'version') return false
  return typeof info['name'] === 'string' && typeof info['version'] === 'string'
}

/** What a request of 2026-07-28 says of its client, in a word; undefined for one that says more than is worth keeping. */
export function clientOf({ params }: HotRequest): string | undefined {
  const meta = params['_meta']
  if (!isObject(meta)) return undefined
  const client = JSON.stringify([meta[CAPABILITIES], meta[CLIENT]])
  return client.length > MAX_CLIENT_LENGTH ? undefined : client
}

/** Headers that say what the body says, as the specification demands. */
export function isModernPost({ headers }: IncomingMessage, { method, params }: HotRequest): boolean {
  return (
    headers['mcp-protocol-version'] === VERSION &&
    headers['mcp-method'] === method &&
    (method !== 'tools/call' || headers['mcp-name'] === params['name']) &&
    headers['mcp-session-id'] === undefined &&
    acceptedForms(headers.accept).json
  )
}

/** Headers of a client of a 2025 revision that takes JSON. */
export function isLegacyPost({ headers }: IncomingMessage): boolean {
  const { accept, 'mcp-protocol-version': version } = headers
  return (
    acceptedForms(accept).json &&
    (version === undefined || LEGACY_VERSIONS.has(String(version))) &&
    headers['mcp-method'] === undefined &&
    headers['mcp-name'] === undefined
  )
}

function hotRequest(message: unknown, methods: ReadonlySet<unknown>): HotRequest | undefined {
  if (!isObject(message)) return undefined
  const { jsonrpc, id, method, params = NONE } = message
  if (jsonrpc !== '2.0' || typeof method !== 'string' || !methods.has(method) || !isObject(params)) return undefined
  if (typeof id !== 'string' && !(typeof id === 'number' && Number.isSafeInteger(id))) return undefined
  for (const key in message) if (!ENVELOPE.has(key)) return undefined
  if (method === 'tools/call') {
    const { name, arguments: args } = params
    if (typeof name !== 'string' || (args !== undefined && !isObject(args))) return undefined
  }
  return { message, id, method, params }
}

const NONE: Readonly<Record<string, unknown>> = Object.freeze({})
const ENVELOPE: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params'])

function isKnown(method: string, key: string): boolean {
  return method === 'tools/call' && (key === 'name' || key === 'arguments')
}

/** Progress and log lines need a stream, which is the SDK's. */
function asksForNothing(meta: unknown): boolean {
  if (!isObject(meta) || meta[PROTOCOL] !== VERSION) return false
  for (const key in meta) if (key !== PROTOCOL && key !== CAPABILITIES && key !== CLIENT && !TRACE.has(key)) return false
  return true
}

const VERSION = '2026-07-28'
const PROTOCOL = 'io.modelcontextprotocol/protocolVersion'
/** Where the `_meta` of a request has what its client can do. */
export const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities'
/** What says of which trace a request is. */
const TRACE: ReadonlySet<string> = new Set(['traceparent', 'tracestate', 'baggage'])
const CLIENT = 'io.modelcontextprotocol/clientInfo'
/** Written out, since the SDK is not loaded before it is needed; a test compares them with the SDK's. */
export const LEGACY_VERSIONS: ReadonlySet<string> = new Set([
  '2025-11-25',
  '2025-06-18',
  '2025-03-26',
  '2024-11-05',
  '2024-10-07',
])
const MODERN_METHODS: ReadonlySet<unknown> = new Set(['tools/call', 'tools/list', 'server/discover'])
const LEGACY_METHODS: ReadonlySet<unknown> = new Set(['tools/call', 'tools/list', 'ping'])

/** Who has more to say of itself is checked by the SDK each time. */
const MAX_CLIENT_LENGTH = 4_096
