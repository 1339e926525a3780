import type { ServerResponse } from 'node:http'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { acceptedForms } from '../http/accept.ts'
import { STREAM_HEAD, writeEvent } from '../http/early-answer.ts'
import { NO_STORE, sendAnswer } from './admin-answer.ts'
import type { CallEnd, CallListener } from './admin-calls.ts'

/**
 * Sends one round of a call: to a client that takes event streams as one, with what the call says on its way and its end as the last event;
 * to any other as the end alone. The call is cancelled when the client goes.
 */
export async function sendCall(
  res: ServerResponse,
  run: (listener: CallListener) => Promise<CallEnd>,
  log: Logger,
): Promise<undefined> {
  const { accept } = res.req.headers
  const isStream = accept?.includes('text/event-stream') === true && acceptedForms(accept).stream
  const event = (type: string, data: object) => void writeEvent(res, `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`, log)
  if (isStream) {
    res.writeHead(200, { ...NO_STORE, ...STREAM_HEAD, 'cache-control': 'no-store, no-transform' })
    res.flushHeaders()
  }
  const end = await run({
    tell: (type, data) => {
      if (isStream) event(type, data)
    },
    onGone: (listener) => void res.on('close', listener),
  })
  if (!isStream) return sendAnswer(res, 200, JSON.stringify(end)) as undefined
  event(end.type, end)
  res.end()
  return undefined
}
