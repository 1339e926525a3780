import { randomUUID } from 'node:crypto'
import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError } from '@modelcontextprotocol/server'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { HostError, hostError, type ErrorCode } from '../../errors.ts'

/**
 * The JSON-RPC error a client gets for what a handler threw. Codes that speak of the request are invalid params; those made for a
 * client keep their words; anything else is logged whole and shown as `INTERNAL` with an id that is in the log.
 */
export function protocolError(error: unknown, log: Logger): ProtocolError {
  if (error instanceof ProtocolError) return error
  if (error instanceof HostError) {
    if (error.code === 'RESOURCE_UNKNOWN') return new ResourceNotFoundError(error.message.slice('Resource not found: '.length))
    if (INVALID_PARAMS.has(error.code)) return new ProtocolError(ProtocolErrorCode.InvalidParams, error.message)
    if (FOR_CLIENTS.has(error.code)) return new ProtocolError(ProtocolErrorCode.InternalError, error.message)
  }
  const requestId = randomUUID()
  log.error('request_failed', { call: requestId, error })
  return new ProtocolError(ProtocolErrorCode.InternalError, hostError('INTERNAL', { requestId }).message)
}

const INVALID_PARAMS: ReadonlySet<ErrorCode> = new Set(['TOOL_UNKNOWN', 'PROMPT_UNKNOWN', 'PROMPT_ARGUMENTS', 'CURSOR_UNKNOWN'])
const FOR_CLIENTS: ReadonlySet<ErrorCode> = new Set([
  'CALL_FAILED',
  'CALL_TIMEOUT',
  'CALL_CANCELLED',
  'RATE_LIMITED',
  'PLUGIN_RELOADED',
  'HOST_CLOSING',
  'SUBSCRIPTION_LIMIT',
  'INTERNAL',
])
