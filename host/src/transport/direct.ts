import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { LRUCache } from 'lru-cache'
import { Cancellation } from '../server/cancellation.ts'
import { errorResult, type ToolResult } from '../data/content.ts'
import { isObject } from '../data/json.ts'
import { HostError } from '../errors.ts'
import type { Calls } from '../server/call.ts'
import { refusal } from '../server/filter.ts'
import type { InFlight } from '../server/in-flight.ts'
import type { Registry } from '../server/registry.ts'
import type { SnapshotTool } from '../server/snapshot.ts'
import { listBytes, resultBytes } from '../server/wire-bytes.ts'
import type { Exchange } from './exchange.ts'
import { sendJson } from './refusal.ts'

export interface DirectDeps {
  readonly registry: Registry
  readonly calls: Calls
  readonly inFlight: InFlight
}

/**
 * The short way for the hot methods of 2026-07-28. Answers a request when every guard holds, and gives false, with nothing written or
 * run, for everything that is not quite ordinary: then the SDK answers, and its words for what is wrong stay the only ones.
 */
export interface Direct {
  answer(exchange: Exchange, message: unknown): boolean | Promise<boolean>
  /** The SDK took this message: what it says of its client is sound, and need not be checked again. */
  learn(message: unknown): void
}

export function createDirect({ registry, calls, inFlight }: DirectDeps): Direct {
  const sound = new LRUCache<string, true>({ max: MAX_CLIENTS })

  return {
    answer(exchange, message) {
      const request = ordinaryRequest(exchange.req, message)
      if (!request || !sound.has(request.client)) return false
      if (request.method === 'tools/list') return list(exchange, request)
      if (request.method === 'tools/call') return call(exchange, request)
      return false
    },
    learn(message) {
      const client = isObject(message) && isObject(message['params']) ? clientOf(message['params']['_meta']) : undefined
      if (client !== undefined && client.length <= MAX_CLIENT_LENGTH) sound.set(client, true)
    },
  }

  function list({ res, caller }: Exchange, { id, params }: OrdinaryRequest): boolean {
    if (params['cursor'] !== undefined) return false
    sendJson(res, 200, `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${listBytes(registry.current, caller)}}`)
    return true
  }

  function call({ req, res, caller }: Exchange, { id, params }: OrdinaryRequest): boolean | Promise<boolean> {
    const { name, arguments: args, inputResponses, requestState } = params
    if (typeof name !== 'string' || req.headers['mcp-name'] !== name) return false
    if (inputResponses !== undefined || requestState !== undefined || (args !== undefined && !isObject(args))) return false
    const snapshot = registry.current
    const tool = snapshot.tools.get(name)
    if (!tool || !isPlain(tool) || refusal(tool, caller, snapshot.policy) !== undefined) return false

    const cancellation = new Cancellation()
    const onClose = () => res.writableFinished || cancellation.cancel(new Error('The client went away'))
    res.once('close', onClose)
    inFlight.begin(cancellation)
    const meta: unknown = params['_meta']
    const capabilities = isObject(meta) ? meta[CAPABILITIES] : undefined
    const io = { cancellation, requestId: randomUUID(), clientCapabilities: isObject(capabilities) ? capabilities : {} }
    const end = (result: ToolResult): true => {
      inFlight.end(cancellation)
      sendJson(res, 200, `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${resultBytes(result)}}`)
      return true
    }
    return calls.tool(snapshot, caller, name, args, io).then(
      (answer) =>
        end(answer.kind === 'result' ? answer.result : errorResult(`${name} asked for input without being interactive`)),
      (error: unknown) => {
        const { reason } = cancellation
        if (reason instanceof HostError && reason.code === 'HOST_CLOSING')
          return end(errorResult([reason.message, ...reason.fix].join('\n')))
        inFlight.end(cancellation)
        if (res.destroyed) return true
        throw error
      },
    )
  }
}

interface OrdinaryRequest {
  readonly id: string | number
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
  /** What it says of its client. */
  readonly client: string
}

const VERSION = '2026-07-28'
const PROTOCOL = 'io.modelcontextprotocol/protocolVersion'
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities'
const CLIENT = 'io.modelcontextprotocol/clientInfo'

/** Clients that differ in name, version or capabilities; each costs one request by the long way. */
const MAX_CLIENTS = 256
const MAX_CLIENT_LENGTH = 4_096

/** A request that says all it must and nothing unusual, and whose headers agree with it as the specification demands. */
function ordinaryRequest({ headers }: IncomingMessage, message: unknown): OrdinaryRequest | undefined {
  if (headers['mcp-protocol-version'] !== VERSION || headers['mcp-session-id'] !== undefined || !isObject(message))
    return undefined
  const { jsonrpc, id, method, params } = message
  if (jsonrpc !== '2.0' || typeof method !== 'string' || headers['mcp-method'] !== method || !isObject(params)) return undefined
  if (!(typeof id === 'string' || (typeof id === 'number' && Number.isSafeInteger(id))) || Object.keys(message).length !== 4)
    return undefined
  const client = clientOf(params['_meta'])
  return client === undefined ? undefined : { id, method, params, client }
}

/** The `_meta` of a request that asks for nothing: progress and log lines need a stream, which is the SDK's. */
function clientOf(meta: unknown): string | undefined {
  if (!isObject(meta) || meta[PROTOCOL] !== VERSION) return undefined
  for (const key in meta) if (key !== PROTOCOL && key !== CAPABILITIES && key !== CLIENT) return undefined
  return JSON.stringify([meta[CAPABILITIES], meta[CLIENT]])
}

const plain = new WeakMap<SnapshotTool, boolean>()

/** A tool that answers by itself: it asks nobody anything, and no header repeats its arguments. */
function isPlain(tool: SnapshotTool): boolean {
  let known = plain.get(tool)
  if (known === undefined) {
    const { interactive, approval, wire } = tool.surface
    const output = wire.outputSchema
    known =
      !interactive &&
      approval === undefined &&
      (output === undefined || output['type'] === 'object') &&
      !JSON.stringify(wire.inputSchema).includes('"x-mcp-header"')
    plain.set(tool, known)
  }
  return known
}
