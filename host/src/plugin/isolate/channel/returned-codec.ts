import type { InputRequest, ToolResult, WholeResult } from '@mcp-patchbay/plugin-api'
import { inputRequired, toolResult } from '@mcp-patchbay/plugin-api/host'
import { limit } from '../../../data/content.ts'
import { isObject } from '../../../data/json.ts'
import type { ReceivedMessage } from './peer.ts'

/** Throws `InvalidResult` for more than may be sent on, before it is copied or parsed. */
export function readReturned({ data, body }: ReceivedMessage, maxBytes: number): unknown {
  const as = isObject(data) ? data['as'] : undefined
  if (as === 'nothing') return undefined
  if (as === 'no number') return NaN
  limit(body.length, maxBytes)
  if (as === 'text') return body.toString()
  const value: unknown = JSON.parse(body.toString())
  if (as === 'object') return { toJSON: () => value }
  if (as === 'result') return readWhole(isObject(value) ? value : {})
  if (as !== 'input') return value
  const { requests, state } = isObject(value) ? value : {}
  return inputRequired({ requests: (isObject(requests) ? requests : {}) as Readonly<Record<string, InputRequest>>, state })
}

/** Its parts are checked where the results of all plugins are. */
function readWhole({ content, structuredContent, isError, meta }: Readonly<Record<string, unknown>>): ToolResult {
  return toolResult({
    content: content as WholeResult['content'],
    structuredContent,
    isError: isError === true,
    ...(meta !== undefined && { meta: meta as Readonly<Record<string, unknown>> }),
  })
}
