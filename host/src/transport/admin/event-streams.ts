import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { STREAM_HEAD, writeEvent } from '../http/early-answer.ts'
import { refusal } from '../http/respond.ts'
import { NO_STORE, sendRefusal } from './admin-answer.ts'
import type { FeedEvent, LiveFeed } from './live-feed.ts'

/** The open streams of what happens. */
export interface EventStreams extends Disposable {
  /** Sends what is known after `after` (or the header `Last-Event-ID`), then what comes. Resolves at once; the stream goes on. */
  open(req: IncomingMessage, res: ServerResponse, after: string | null): void
}

const MOST_STREAMS = 16
/** What is between the host and its reader lets a silent connection go. */
const WARM_MS = 15_000

export function createEventStreams(feed: LiveFeed, log: Logger): EventStreams {
  const open = new Set<ServerResponse>()
  const warm = setInterval(() => {
    for (const res of open) writeEvent(res, ': keepalive\n\n', log)
  }, WARM_MS).unref()
  return {
    open(req, res, after) {
      if (open.size >= MOST_STREAMS) return sendRefusal(res, refusal(503, `There are ${MOST_STREAMS} streams open: close one`))
      const last = Number(req.headers['last-event-id'] ?? after ?? 0)
      res.writeHead(200, { ...NO_STORE, ...STREAM_HEAD, 'cache-control': 'no-store, no-transform' })
      res.write(': open\n\n')
      open.add(res)
      const tell = (event: FeedEvent) => void writeEvent(res, streamed(event), log)
      for (const event of feed.after(Number.isFinite(last) ? last : 0)) tell(event)
      const leave = feed.subscribe(tell)
      res.on('close', () => {
        leave()
        open.delete(res)
      })
    },
    [Symbol.dispose]() {
      clearInterval(warm)
      for (const res of open) res.end()
    },
  }
}

function streamed({ id, type, json }: FeedEvent): string {
  return `id: ${id}\nevent: ${type}\ndata: ${json}\n\n`
}
