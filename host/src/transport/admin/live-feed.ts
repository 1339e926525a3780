import { bounded } from './bounded-json.ts'

/** One thing that happened, as JSON. */
export interface FeedEvent {
  /** Counts up from 1. */
  readonly id: number
  readonly type: string
  readonly json: string
}

/** What happens in a host, for those who watch it: the latest events, and each new one as it comes. */
export interface LiveFeed {
  /** `data` is cut where it is long, and its secrets are taken out. */
  push(type: string, data: object): void
  /** The events after this one that are still known, the oldest first; all of them after one that is of another run. */
  after(id: number): readonly FeedEvent[]
  /** Tells every later event, until the returned function is called. */
  subscribe(listener: (event: FeedEvent) => void): () => void
}

/** How many events are kept for who comes later, and how many characters of them. */
const MOST_KEPT = 300
const MOST_CHARACTERS = 2_000_000

export interface LiveFeedOptions {
  readonly redact: (text: string) => string
  /** Milliseconds since 1970. */
  readonly now: () => number
}

export function createLiveFeed({ redact, now }: LiveFeedOptions): LiveFeed {
  let kept: FeedEvent[] = []
  let characters = 0
  let last = 0
  const listeners = new Set<(event: FeedEvent) => void>()
  return {
    push(type, data) {
      const id = ++last
      const event = { id, type, json: redact(JSON.stringify({ id, type, at: now(), ...bounded(data) })) }
      kept.push(event)
      characters += event.json.length
      while (kept.length > MOST_KEPT || (characters > MOST_CHARACTERS && kept.length > 1)) {
        characters -= kept[0]?.json.length ?? 0
        kept = kept.slice(1)
      }
      for (const listener of listeners) listener(event)
    },
    after: (id) => kept.filter((event) => id > last || event.id > id),
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
