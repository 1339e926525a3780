import {
  WebStandardStreamableHTTPServerTransport,
  type JSONRPCMessage,
  type RequestId,
  type WebStandardStreamableHTTPServerTransportOptions,
} from '@modelcontextprotocol/server'
import { isObject } from '../../data/json.ts'
import { OpenRequests } from '../../data/open-requests.ts'
import { cancellation, RecentEvents } from './event-store.ts'

/** The SDK's transport of one 2025 session, which also knows what it is busy with. */
export class SessionTransport extends WebStandardStreamableHTTPServerTransport {
  readonly events: RecentEvents
  /** Requests without an answer yet; true for those that came in a batch. */
  readonly #unanswered = new OpenRequests<boolean>()
  /** What changed since the client last began to listen, each change once. */
  readonly #changes = new Map<string, JSONRPCMessage>()

  constructor({ now, ...options }: WebStandardStreamableHTTPServerTransportOptions & { readonly now: () => number }) {
    const events = new RecentEvents(now)
    super({ ...options, eventStore: events, retryInterval: 1_000 })
    this.events = events
  }

  get isBusy(): boolean {
    return this.#unanswered.size > 0
  }

  /**
   * Takes note of the requests in a message that is about to be handled. The id of one that is not answered yet, or twice in a batch,
   * is returned and nothing noted: the SDK would send both answers to one of the two streams.
   */
  expect(message: unknown): RequestId | undefined {
    const requests = (Array.isArray(message) ? message : [message]).map(requestId).filter((id) => id !== undefined)
    const reused = requests.find((id, index) => this.#unanswered.has(id) || requests.indexOf(id) !== index)
    if (reused === undefined) for (const id of requests) this.#unanswered.add(id, Array.isArray(message))
    return reused
  }

  /** The message was refused before the server saw it. */
  forget(message: unknown): void {
    for (const part of Array.isArray(message) ? message : [message]) {
      const id = requestId(part)
      if (id !== undefined) this.#unanswered.delete(id)
    }
  }

  /**
   * After `notifications/cancelled`: there will be no answer, and the SDK would keep the request's stream open until the session ends.
   * Ends it; what is sent then reaches no client, but lets the SDK forget the request.
   */
  async cancelled(id: RequestId): Promise<void> {
    const batched = this.#unanswered.get(id)
    if (batched === undefined) return
    if (!batched) this.closeSSEStream(id)
    await this.send(cancellation(id))
  }

  /**
   * A client opens its stream some time after `initialize`, and may open another when one breaks. Without a Last-Event-ID it would never
   * hear of what changed in between, so the stream begins with that. A change that it has heard of already costs it one more list.
   */
  override async handleRequest(req: Request, options?: HandleRequestOptions): Promise<Response> {
    const begins = req.method === 'GET' && !req.headers.has('last-event-id')
    const missed = begins ? [...this.#changes] : []
    // The SDK knows the stream before it first waits: what changes from here on reaches it.
    const response = await super.handleRequest(req, options)
    if (!response.ok) return response
    for (const [key, message] of missed) {
      this.#changes.delete(key)
      await super.send(message)
    }
    return response
  }

  override async send(message: JSONRPCMessage, options?: { relatedRequestId?: RequestId }): Promise<void> {
    if (!('method' in message) && message.id !== undefined) this.#unanswered.delete(message.id)
    if ('method' in message && isChange(message.method)) this.#noteChange(message)
    await super.send(message, options)
  }

  #noteChange(message: JSONRPCMessage): void {
    this.#changes.set(JSON.stringify(message), message)
    const [oldest] = this.#changes.keys()
    if (this.#changes.size > MAX_CHANGES && oldest !== undefined) this.#changes.delete(oldest)
  }
}

function isChange(method: string): boolean {
  return method.endsWith('/list_changed') || method === 'notifications/resources/updated'
}

/** Three lists, and so many resources that a client subscribed to. */
const MAX_CHANGES = 64

type HandleRequestOptions = Parameters<WebStandardStreamableHTTPServerTransport['handleRequest']>[1]

function requestId(message: unknown): RequestId | undefined {
  if (!isObject(message) || typeof message['method'] !== 'string') return undefined
  const id = message['id']
  return typeof id === 'string' || typeof id === 'number' ? id : undefined
}
