import type { Logger } from '@mcp-patchbay/plugin-api'
import type { ClientLogLevel } from '../../run/running.ts'
import type { Fields } from '../connect/types.ts'
import type { OpenCalls } from './open-calls.ts'
import type { PoolOptions } from './types.ts'

export interface ServerMessagesOptions extends Pick<PoolOptions, 'isShared' | 'roots' | 'onResourceChanged'> {
  readonly log: Logger
  readonly onListChanged: () => void
}

/** What a server sends of its own accord over one connection, with the calls that run there. */
export interface ServerMessages {
  hear(calls: OpenCalls, method: string, params: Fields): void
  /** Answers a question of the server. Rejects with "Method not found" for a question that no call can be asked. */
  answer(calls: OpenCalls, question: ServerQuestion): Promise<Fields>
}

export interface ServerQuestion {
  readonly method: string
  readonly params: Fields
  readonly signal: AbortSignal
}

/** Leads notifications and questions of a server to the call that they belong to, or to the pool. */
export function createServerMessages(options: ServerMessagesOptions): ServerMessages {
  const { isShared, roots, log, onListChanged, onResourceChanged } = options

  function hear(calls: OpenCalls, method: string, params: Fields): void {
    if (method === 'notifications/resources/updated' && typeof params['uri'] === 'string') onResourceChanged(params['uri'])
    else if (/^notifications\/(?:tools|prompts|resources)\/list_changed$/.test(method)) onListChanged()
    else if (method === 'notifications/message') {
      const level = clientLevel(params['level'])
      const data = params['data']
      // A line does not say which call it is of.
      if (calls.size === 1 || (!isShared && calls.size > 0)) calls.last?.log(level, data)
      else log.debug('server_log', { severity: level, data })
    }
  }

  async function answer(calls: OpenCalls, { method, params, signal }: ServerQuestion): Promise<Fields> {
    if (method === 'roots/list' && roots) return { roots: roots }
    // It does not say which call it asks for: all of them are the same caller's.
    const call = isShared ? undefined : (calls.lastNotAsking ?? calls.last)
    if (!call || !ASKED.has(method)) throw Object.assign(new Error('Method not found'), { code: METHOD_NOT_FOUND })
    return call.ask(method, params, signal)
  }

  return { hear, answer }
}

/** What a server of 2025 may ask its client for. */
const ASKED: ReadonlySet<string> = new Set(['elicitation/create', 'sampling/createMessage', 'roots/list'])
const METHOD_NOT_FOUND = -32_601

/** The levels of the protocol are eight, and a plugin has four. */
function clientLevel(level: unknown): ClientLogLevel {
  if (level === 'debug' || level === 'info' || level === 'warning') return level
  return level === 'notice' ? 'info' : 'error'
}
