import { setImmediate as turn } from 'node:timers/promises'
import type { StreamableOptions, Streamable } from './types.ts'
import { acceptedForms } from '../http/accept.ts'
import { readMessage } from '../http/body.ts'
import { lazily } from '../../data/lazily.ts'
import { idOf, isRequest } from '../http/json-rpc.ts'
import { INTERNAL_ERROR, notAcceptable, refusal, refuse, type Refusal } from '../http/respond.ts'

/** Takes the fast path for the hot methods of 2026-07-28. The rest, and with it the SDK, is read when the first other request comes. */
export function createStreamable(options: StreamableOptions): Streamable {
  const { fastPath } = options
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
      if (fastPath && req.headers['mcp-protocol-version'] === '2026-07-28' && !(await fastPath.modern(exchange, message))) return
      await (bySdk.made ?? (await bySdk.get())).handle(exchange, message)
    },
    async prepare() {
      await bySdk.get()
      // Between two pieces those who call have their turn.
      await turn()
      // Node reads its fetch for the first request that is made: 20 ms.
      void new Request('http://localhost')
    },
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
