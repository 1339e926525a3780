import type { Logger } from '@mcp-patchbay/plugin-api'
import type { Announcer } from '../../server/catalog/change-notifier.ts'
import type { HostServerFactory } from '../../server/mcp/mcp-server.ts'
import { acceptedForms } from '../http/accept.ts'
import { readMessage } from '../http/body.ts'
import type { Direct } from '../fast-path/fast-path.ts'
import type { Exchange, OpenConnections } from '../http/http-exchange.ts'
import { lazily } from '../../data/lazily.ts'
import { idOf, isRequest } from '../http/json-rpc.ts'
import { INTERNAL_ERROR, notAcceptable, refusal, refuse, type Refusal } from '../http/respond.ts'
import type { StepUp } from './step-up.ts'

export interface StreamableOptions {
  /** Asked for when the short way leaves something. */
  readonly factory: () => Promise<HostServerFactory>
  readonly announcer: Announcer
  readonly direct?: Direct | undefined
  readonly stepUp?: StepUp | undefined
  readonly log: Logger
  readonly bodyBytes: number
  readonly sessions: { readonly mode: 'stateful' | 'stateless'; readonly max: number; readonly idleMs: number }
  /** How many of `sessions.max` one caller may have. */
  readonly maxSessionsPerOwner: number
  /** True once no new request is to be begun. */
  readonly isDraining: () => boolean
  readonly now: () => number
}

/** Streamable HTTP at one path. */
export interface Streamable {
  readonly handle: (exchange: Exchange) => Promise<void>
  readonly open: () => OpenConnections
  /** Reads what only some requests need, before one does. */
  readonly prepare: () => Promise<unknown>
  /** Closes sessions that nobody used for long. */
  readonly sweep: () => void
  /** Ends every stream and session; streams of 2026-07-28 end as the protocol wants it. */
  readonly close: () => Promise<void>
}

/** Takes the short way for the hot methods of 2026-07-28. The rest, and with it the SDK, is read when the first other request comes. */
export function createStreamable(options: StreamableOptions): Streamable {
  const { direct } = options
  const bySdk = lazily(async () => {
    const [{ createSdkStreamable }, factory] = await Promise.all([import('./sdk-streamable.ts'), options.factory()])
    return createSdkStreamable({ ...options, factory })
  })
  return {
    async handle(exchange) {
      const { req, res } = exchange
      if (req.method !== 'POST') return (await bySdk.get()).handle(exchange)
      const read = await readMessage(req, options.bodyBytes)
      if (read.refused) return refuse(res, read.refused)
      const { message } = read
      const forms = acceptedForms(req.headers.accept)
      if (!forms.json && !forms.stream) return refuse(res, notAcceptable(NEITHER), idOf(message))
      exchange.answer.mayBegin = isRequest(message)
      if (options.isDraining() && exchange.answer.mayBegin) return refuse(res, closing(), idOf(message))
      if (direct && req.headers['mcp-protocol-version'] === '2026-07-28' && !(await direct.modern(exchange, message))) return
      await (bySdk.made ?? (await bySdk.get())).handle(exchange, message)
    },
    prepare: () => bySdk.get(),
    open: () => bySdk.made?.open() ?? { sessions: 0, streams: 0 },
    sweep: () => bySdk.made?.sweep(),
    async close() {
      await bySdk.made?.close()
    },
  }
}

const NEITHER = 'An answer is application/json or text/event-stream, and the Accept header admits neither'

function closing(): Refusal {
  return refusal(503, 'The server is shutting down; try again', { code: INTERNAL_ERROR, headers: { 'retry-after': '1' } })
}
