import type { AuthInfo, JSONRPCMessage, RequestId } from '@modelcontextprotocol/server'
import { isObject } from '../../data/json.ts'
import { OpenRequests } from '../../data/open-requests.ts'
import { callerOf } from '../../server/mcp/auth-info.ts'
import { handOver, type BegunCall } from '../../server/mcp/deferred-call.ts'
import { capabilitiesAt, MODERN, revisionOf, type Revision } from '../../server/mcp/revisions.ts'
import type { FastPath } from '../fast-path/types.ts'

/**
 * The fast path for one connection of lines. Which era it is of, and what its client says of itself, is the SDK's to find out: from
 * the first request that it answered on, others like it are answered here.
 */
export class FastLines {
  readonly #fastPath: FastPath
  readonly #authInfo: AuthInfo
  readonly #begun = new OpenRequests<BegunCall>()
  /** Requests that the SDK is answering and that may be taken next time. */
  readonly #passed = new Map<RequestId, unknown>()
  #revision: Revision | undefined
  /** What the client agreed on, where it did. */
  #negotiated: unknown
  #initializing: RequestId | undefined
  #capabilities: Readonly<Record<string, unknown>> | undefined
  /** The first message, while the SDK has seen none. */
  #first: { readonly id: RequestId; readonly meta: unknown } | undefined
  #isOver = false

  constructor(fastPath: FastPath, authInfo: AuthInfo) {
    this.#fastPath = fastPath
    this.#authInfo = authInfo
  }

  /**
   * The answer as a line; undefined when the message is the SDK's. A call may be given to `pass` while it runs, or be cancelled: then
   * the promise gives nothing.
   */
  answer(message: unknown, pass: (authInfo: AuthInfo) => void): Promise<string | undefined> | string | undefined {
    // A first request that says that it is of 2026-07-28, and asks nothing about it, makes the connection one of that revision.
    const isFirst = !this.#revision && !this.#isOver
    const revision = this.#revision ?? (isFirst ? MODERN : undefined)
    if (!revision) return undefined
    const handOff = (call: BegunCall | undefined) => pass(call ? handOver(this.#authInfo, call) : this.#authInfo)
    const answer = this.#fastPath.line({
      caller: callerOf(this.#authInfo),
      message,
      revision,
      capabilities: this.#capabilitiesAt(revision),
      begun: this.#begun,
      handOff,
    })
    if (isFirst && answer !== undefined && isObject(message) && isObject(message['params'])) {
      this.#revision = revision
      // oxlint-disable-next-line no-underscore-dangle -- the protocol's name
      this.#first = { id: message['id'] as RequestId, meta: message['params']['_meta'] }
    }
    return answer
  }

  /**
   * For the SDK, before anything else, when it is only begun with after a request was answered here: something of the same revision, from
   * which it learns what it would have from that request. It is the client's late cancellation of it, which asks for nothing.
   */
  lateCancellation(): JSONRPCMessage | undefined {
    if (!this.#first) return undefined
    const { id: requestId, meta: _meta } = this.#first
    return { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, _meta } } as JSONRPCMessage
  }

  /** The SDK gets a message, and says from then on of which revision the connection is. */
  handOff(): void {
    this.#isOver = true
  }

  /** The SDK gets this request. */
  passed(message: { readonly id: RequestId; readonly method: string; readonly params?: unknown }): void {
    // Who says hello again may be of another era.
    if (message.method === 'initialize' || message.method === 'server/discover') this.#revision = undefined
    if (message.method === 'initialize') this.#hello(message)
    if (message.method !== 'initialize' && this.#passed.size < MAX_PASSED) this.#passed.set(message.id, message)
  }

  #hello({ id, params }: { readonly id: RequestId; readonly params?: unknown }): void {
    this.#initializing = id
    const said = isObject(params) ? params['capabilities'] : undefined
    this.#capabilities = isObject(said) ? said : undefined
  }

  #capabilitiesAt(revision: Revision): Readonly<Record<string, unknown>> | undefined {
    return revision === MODERN ? undefined : capabilitiesAt(this.#capabilities, revision)
  }

  /** The SDK sends this answer. */
  answered(answer: JSONRPCMessage): void {
    if ('id' in answer && answer.id === this.#initializing && 'result' in answer)
      this.#negotiated = answer.result['protocolVersion']
    if (this.#passed.size === 0 || !('id' in answer) || answer.id === undefined) return
    const message = this.#passed.get(answer.id)
    if (!this.#passed.delete(answer.id) || !('result' in answer) || !isObject(message)) return
    this.#revision = isModern(message['params']) ? MODERN : revisionOf(this.#negotiated)
    if (this.#revision === MODERN) this.#fastPath.learn(callerOf(this.#authInfo), message, JSON.stringify(answer))
  }

  cancel(id: RequestId): void {
    this.#passed.delete(id)
    this.#begun.get(id)?.cancellation.cancel(new Error('The client cancelled the request'))
  }
}

const MAX_PASSED = 256

function isModern(params: unknown): boolean {
  const meta = isObject(params) ? params['_meta'] : undefined
  return isObject(meta) && meta['io.modelcontextprotocol/protocolVersion'] !== undefined
}
