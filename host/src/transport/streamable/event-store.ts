import type { EventStore, JSONRPCMessage, RequestId } from '@modelcontextprotocol/server'

/**
 * The last events of one session, so that a client whose stream broke, or was closed by a long call, gets what it missed with
 * Last-Event-ID. Bounded in number, size and age; the newest is always kept. Without the optional `getStreamIdForEventId` the SDK lets the
 * newer connection have a stream that an older one still holds: the older one may have died without a sign.
 */
export class RecentEvents implements EventStore {
  readonly #now: () => number
  readonly #events: StoredEvent[] = []
  readonly #streams = new Map<string, StreamState>()
  #size = 0
  #count = 0

  constructor(now: () => number) {
    this.#now = now
  }

  storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
    const before = this.#streams.get(stream)
    if (isCancellation(message) && before) {
      this.#streams.set(stream, { last: before.last, isOver: true })
      return Promise.resolve(`${stream}_${before.last}`)
    }
    const number = ++this.#count
    // The SDK marks the beginning of a stream with an empty message: an id, and nothing to send again.
    const size = Object.keys(message).length === 0 ? 0 : JSON.stringify(message).length
    this.#streams.set(stream, { last: number, isOver: size > 0 && !('method' in message) })
    if (size > 0) {
      this.#events.push({ stream, number, message, size, at: this.#now() })
      this.#size += size
      this.#trim(({ length }) => length > MAX_EVENTS || this.#size > MAX_SIZE)
    }
    return Promise.resolve(`${stream}_${number}`)
  }

  async replayEventsAfter(
    id: string,
    { send }: { send: (id: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const from = this.#parse(id)
    if (!from) throw new Error('Unknown event')
    // What comes in while they are sent is sent as well.
    let last = from.number
    for (;;) {
      const next = this.#events.find(({ stream, number }) => stream === from.stream && number > last)
      if (!next) return from.stream
      last = next.number
      await send(`${next.stream}_${next.number}`, next.message)
    }
  }

  /**
   * Whether nothing more comes after this event: its stream had its answer, and the client has it. The SDK would open a stream and
   * close it at once, and its v1 client, which counts only results as answers, would come again each second after every error.
   */
  isLast(id: string): boolean {
    const event = this.#parse(id)
    if (!event) return true
    const state = this.#streams.get(event.stream)
    return state === undefined || (state.isOver && event.number >= state.last)
  }

  /** Drops what is older than a minute. */
  expire(): void {
    const oldest = this.#now() - MAX_AGE_MS
    this.#trim(([first]) => first !== undefined && first.at < oldest)
  }

  #trim(isTooMuch: (events: readonly StoredEvent[]) => boolean): void {
    while (this.#events.length > 1 && isTooMuch(this.#events)) {
      const dropped = this.#events.shift()
      if (!dropped) return
      this.#size -= dropped.size
      const state = this.#streams.get(dropped.stream)
      if (state?.isOver && state.last === dropped.number) this.#streams.delete(dropped.stream)
    }
  }

  #parse(id: string): { stream: string; number: number } | undefined {
    const [, stream, number] = /^([\w-]{1,64})_(\d{1,15})$/.exec(id) ?? []
    return stream === undefined ? undefined : { stream, number: Number(number) }
  }
}

/** Stands for an answer that is never sent, since the request was cancelled: it ends the stream and is no event of it. */
export function cancellation(id: RequestId): JSONRPCMessage {
  return { jsonrpc: '2.0', id, error: { code: REQUEST_CANCELLED, message: 'The request was cancelled' } }
}

function isCancellation(message: JSONRPCMessage): boolean {
  return 'error' in message && message.error.code === REQUEST_CANCELLED
}

const REQUEST_CANCELLED = -32_800
const MAX_EVENTS = 64
const MAX_SIZE = 262_144
const MAX_AGE_MS = 60_000

interface StoredEvent {
  readonly stream: string
  readonly number: number
  readonly message: JSONRPCMessage
  /** In characters of JSON. */
  readonly size: number
  readonly at: number
}

interface StreamState {
  /** The number of its newest event. */
  readonly last: number
  readonly isOver: boolean
}
