import type { ProtocolEra } from '@modelcontextprotocol/client'
import { isObject } from '../../../data/json.ts'
import { OpenRequests } from '../../../data/open-requests.ts'
import type { Fields, RequestOptions } from './types.ts'

/**
 * Calls of tools over a pipe, past the SDK. Its own way of a request took 35 µs and left a timer, a signal and some twenty closures to
 * collect: more than all else that a relayed call costs. The host has its own time limits, and checks results where it checks those of all
 * plugins.
 */
export interface DirectCalls {
  /** Sends `tools/call`. Gives the result as the server sent it; rejects with its error, and when the connection is over. */
  request(params: Fields, options: RequestOptions): Promise<Fields>
  /** Takes a message of the server; false for one that answers none of these calls. */
  take(message: Fields): boolean
  /** The connection is over. */
  end(): void
}

export interface DirectCallsOptions {
  readonly era: ProtocolEra
  /** Sends a message. Throws when the server does not read any more. */
  readonly write: (line: string, expectsAnswer: boolean) => void
  /** What every request of 2026-07-28 says of its client. */
  readonly envelope: Fields | undefined
  readonly follow: (tell: NonNullable<RequestOptions['onProgress']>) => FollowedProgress
}

/** A call whose progress the server is asked for. */
export interface FollowedProgress {
  readonly token: string
  end(): void
}

/** An error that the server answered with; `code` and `data` are its own. */
export class ServerError extends Error {
  readonly code: number
  readonly data: unknown
  constructor(message: string, code: number, data: unknown) {
    super(message)
    this.code = code
    this.data = data
  }
}

export function createDirectCalls({ era, write, envelope, follow }: DirectCallsOptions): DirectCalls {
  const open = new OpenRequests<OpenCall>()
  let lastId = FIRST_ID - 1

  function cancel(id: number, call: OpenCall, reason: unknown): void {
    if (open.get(id) !== call) return
    close(id, call)
    const params = { requestId: id, reason: String(reason), ...(envelope && { _meta: envelope }) }
    try {
      write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params }), false)
    } catch {
      // it does not read any more, and has ended with it
    }
    call.reject(reason)
  }

  function close(id: number, call: OpenCall): void {
    open.delete(id)
    call.end?.()
  }

  return {
    request: (params, { until, onProgress, onCancelled }) =>
      new Promise((resolve, reject) => {
        const id = (lastId = lastId === LAST_ID ? FIRST_ID : lastId + 1)
        const followed = onProgress && follow(onProgress)
        const meta = followed || envelope ? metaOf(params, envelope, followed) : undefined
        const sent = JSON.stringify(meta ? { ...params, _meta: meta } : params)
        const call: OpenCall = { resolve, reject, end: followed && (() => followed.end()) }
        try {
          write(`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":${sent}}`, true)
        } catch (error) {
          call.end?.()
          return reject(error)
        }
        open.add(id, call)
        const onCancel = (reason: unknown) => {
          cancel(id, call, reason)
          onCancelled?.()
        }
        if (until?.onCancel) until.onCancel(onCancel)
        else if (until) followSignal(until.signal, call, onCancel)
      }),
    take(message) {
      const { id } = message
      // Some answer a number with its digits.
      const number = typeof id === 'number' ? id : Number(id)
      const call = number >= FIRST_ID && !('method' in message) ? open.get(number) : undefined
      if (!call) return false
      close(number, call)
      settle(call, message, era)
      return true
    },
    end() {
      for (const call of open.values()) {
        call.end?.()
        call.reject(Object.assign(new Error('Connection closed'), { code: 'CONNECTION_CLOSED' }))
      }
      open.clear()
    },
  }
}

interface OpenCall {
  readonly resolve: (result: Fields) => void
  readonly reject: (error: unknown) => void
  /** What is to be done once it is answered, or never will be. */
  end: (() => void) | undefined
}

/** The SDK counts its own requests from 0. Numbers of 32 bits, since some servers keep an id in one. */
const FIRST_ID = 1_000_000_000
const LAST_ID = 2_147_483_647

function metaOf(params: Fields, envelope: Fields | undefined, followed: FollowedProgress | undefined): Fields {
  const { _meta: own } = params
  return { ...envelope, ...(isObject(own) && own), ...(followed && { progressToken: followed.token }) }
}

function followSignal(signal: AbortSignal, call: OpenCall, onCancel: (reason: unknown) => void): void {
  const { end } = call
  const onAbort = () => onCancel(signal.reason)
  call.end = () => {
    signal.removeEventListener('abort', onAbort)
    end?.()
  }
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
}

function settle({ resolve, reject }: OpenCall, { result, error }: Fields, era: ProtocolEra): void {
  if (isObject(result)) {
    const problem = era === 'modern' ? resultProblem(result) : undefined
    return problem === undefined ? resolve(result) : reject(new Error(`Invalid result for tools/call: ${problem}`))
  }
  const { code, message, data } = isObject(error) ? error : {}
  if (typeof code === 'number' && typeof message === 'string') return reject(new ServerError(message, code, data))
  reject(new Error('the server answered with neither a result nor an error'))
}

/** What 2026-07-28 demands of a result besides its content, which is checked like that of all plugins. */
function resultProblem({ resultType, content, inputRequests, requestState }: Fields): string | undefined {
  if (resultType === undefined) return 'it has no resultType'
  if (resultType === 'complete') return Array.isArray(content) ? undefined : 'it has no content'
  if (resultType !== 'input_required') return `its resultType is ${JSON.stringify(resultType).slice(0, 100)}`
  const asks = isObject(inputRequests) && Object.keys(inputRequests).length > 0
  return asks || typeof requestState === 'string' ? undefined : 'it requires input, and names none and no state'
}
