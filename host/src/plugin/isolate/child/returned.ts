import { isInputRequired, isToolResult } from '@mcp-patchbay/plugin-api/host'
import { InvalidResult } from '../../../data/content.ts'
import { isError } from '../../../observability/thrown.ts'
import type { CallResult, ResultKind } from '../channel/peer.ts'

/** What a plugin returned, as it is sent. Throws `InvalidResult` for what JSON cannot hold and for more than `maxBytes`. */
export function writeReturned(value: unknown, maxBytes: number): CallResult {
  if (typeof value === 'string') return writeSized('text', value, maxBytes)
  if (value === undefined) return { as: 'nothing' }
  if (isInputRequired(value)) return writeSized('input', toJson({ requests: value.requests, state: value.state }), maxBytes)
  if (isToolResult(value)) return writeSized('result', toJson(value), maxBytes)
  if (typeof value === 'number' && !Number.isFinite(value)) return { as: 'no number' }
  const json = toJson(value)
  return writeSized(isChanged(value, json) ? 'object' : 'json', json, maxBytes)
}

/** An object that is something else in JSON, as a Date is a text: the host judges what the plugin returned. */
function isChanged(value: unknown, json: string): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !json.startsWith('{')
}

/** A text that is sent as it is. Throws `InvalidResult` for more than `maxBytes`. */
export function writeSized(as: ResultKind, body: string, maxBytes: number): CallResult {
  if (body.length * 3 > maxBytes) {
    const bytes = Buffer.byteLength(body)
    if (bytes > maxBytes)
      throw new InvalidResult(
        `returned a result that is too large (${bytes} bytes, ${maxBytes} are allowed); ask for less or in pages`,
      )
  }
  return { as, body }
}

function toJson(value: unknown): string {
  let json: string | undefined
  try {
    json = JSON.stringify(value)
  } catch (error) {
    const [problem = ''] = isError(error) ? error.message.split('\n', 1) : []
    throw new InvalidResult(`returned a value that JSON cannot hold: ${problem}`)
  }
  if (json === undefined) throw new InvalidResult(`returned a ${typeof value}`)
  return json
}
