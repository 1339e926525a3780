import type { AuthInfo, JSONRPCMessage, RequestId } from '@modelcontextprotocol/server'
import { isObject } from '../data/json.ts'
import { callerOf } from '../server/auth-info.ts'
import { handOver, type BegunCall } from '../server/begun-call.ts'
import type { Dress } from '../server/wire-bytes.ts'
import type { Direct } from './direct.ts'
import { OpenRequests } from '../data/open-requests.ts'

/**
 * The direct path for one connection of lines. Which era it is of, and what its client says of itself, is the SDK's to find out: from
 * the first request that it answered on, others like it are answered here.
 */
export class DirectLines {
  readonly #direct: Direct
  readonly #authInfo: AuthInfo
  readonly #begun = new OpenRequests<BegunCall>()
  /** Requests that the SDK is answering and that may be taken next time. */
  readonly #passed = new Map<RequestId, unknown>()
  #dress: Dress | undefined

  constructor(direct: Direct, authInfo: AuthInfo) {
    this.#direct = direct
    this.#authInfo = authInfo
  }

  /**
   * The answer as a line; undefined when the message is the SDK's. A call may be given to `pass` while it runs, or be cancelled: then
   * the promise gives nothing.
   */
  answer(message: unknown, pass: (authInfo: AuthInfo) => void): Promise<string | undefined> | string | undefined {
    if (!this.#dress) return undefined
    const leave = (call: BegunCall) => pass(handOver(this.#authInfo, call))
    return this.#direct.line({ caller: callerOf(this.#authInfo), message, dress: this.#dress, begun: this.#begun, leave })
  }

  /** The SDK gets this request. */
  passed(message: { readonly id: RequestId; readonly method: string }): void {
    // Who says hello again may be of another era.
    if (message.method === 'initialize' || message.method === 'server/discover') this.#dress = undefined
    if (message.method !== 'initialize' && this.#passed.size < MAX_PASSED) this.#passed.set(message.id, message)
  }

  /** The SDK sends this answer. */
  answered(answer: JSONRPCMessage): void {
    if (this.#passed.size === 0 || !('id' in answer) || answer.id === undefined) return
    const message = this.#passed.get(answer.id)
    if (!this.#passed.delete(answer.id) || !('result' in answer) || !isObject(message)) return
    this.#dress = isModern(message['params']) ? 'modern' : 'legacy'
    if (this.#dress === 'modern') this.#direct.learn(callerOf(this.#authInfo), message, JSON.stringify(answer))
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
