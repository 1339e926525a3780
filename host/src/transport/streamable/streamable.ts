import type { StreamableOptions, Streamable } from './types.ts'
import { acceptedForms } from '../http/accept.ts'
import { makeMessageWhole, readMessage } from '../http/body.ts'
import { lazily } from '../../data/lazily.ts'
import { MODERN } from '../../server/mcp/revisions.ts'
import { idOf, isRequest } from '../http/json-rpc.ts'
import { INTERNAL_ERROR, notAcceptable, refusal, refuse, type Refusal } from '../http/respond.ts'

/** Takes the fast path for the hot methods of 2026-07-28. The rest, and with it the SDK, is read when the first other request comes. */
export function createStreamable(options: StreamableOptions): Streamable {
  const { fastPath } = options
  const bySdk = lazily(async () => {
    // It reads the SDK in pieces, which is all there when it is imported.
    const factory = await options.factory()
    const { createSdkStreamable } = await import('./sdk-streamable.ts')
    return createSdkStreamable({ ...options, factory })
  })
  return {
    async handle(exchange) {
      const { req, res } = exchange
      if (req.method !== 'POST') return (await bySdk.get()).handle(exchange)
      const isModern = fastPath !== undefined && req.headers['mcp-protocol-version'] === MODERN
      const read = await readMessage(req, options.bodyBytes, { keepsTexts: isModern })
      if (read.refused) return refuse(res, read.refused)
      const { message } = read
      const forms = acceptedForms(req.headers.accept)
      if (!forms.json && !forms.stream) return refuse(res, notAcceptable(NEITHER), idOf(message))
      exchange.answer.mayBegin = isRequest(message)
      if (options.isDraining() && exchange.answer.mayBegin) return refuse(res, closing(), idOf(message))
      if (isModern) {
        if (!(await fastPath.modern(exchange, message))) return
        makeMessageWhole(message)
      }
      await (bySdk.made ?? (await bySdk.get())).handle(exchange, message)
    },
    prepare: [
      async () => void (await bySdk.get()),
      // Node reads its fetch for the first request that is made: 17 ms, of which these are the larger part.
      ...FETCH_PARTS.map((name) => () => void process.getBuiltinModule(name)),
      () => void new Request('http://localhost'),
    ],
    open: () => bySdk.made?.open() ?? { sessions: 0, streams: 0 },
    sweep: () => bySdk.made?.sweep(),
    async close() {
      await bySdk.made?.close()
    },
  }
}

const FETCH_PARTS = ['node:http2', 'node:worker_threads', 'node:stream/web']
const NEITHER = 'An answer is application/json or text/event-stream, and the Accept header admits neither'

function closing(): Refusal {
  return refusal(503, 'The server is shutting down; try again', { code: INTERNAL_ERROR, headers: { 'retry-after': '1' } })
}
