import { ServiceError, serviceErrorCode } from '@mcp-patchbay/plugin-api/host'
import { HostError, hostError } from '../../../errors.ts'
import { messageOf } from '../../../observability/thrown.ts'
import { statusOf, type ServerConnection } from '../connect/server-connection.ts'

/** What a failed request to a server is for the caller: its own words for its own errors, and whether it may have run where it is gone. */
export async function callError(
  error: unknown,
  { instance, connection, mayHaveRun }: { instance: string; connection: ServerConnection; mayHaveRun: boolean },
): Promise<unknown> {
  if (error instanceof HostError || error instanceof ServiceError) return error
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'CONNECTION_CLOSED' || code === 'NOT_CONNECTED') {
    const why = await Promise.race([connection.closed, Promise.resolve().then(() => 'its connection was closed')])
    return hostError('PLUGIN_RESTARTED', { plugin: instance, why, mayHaveRun })
  }
  const text = messageOf(error).slice(0, 8_192)
  const status = statusOf(error)
  const ofStatus = status === undefined ? undefined : serviceErrorCode(status)
  if (ofStatus) return new ServiceError(ofStatus, `${instance} answered ${status}`, { cause: error })
  if (code === RESOURCE_NOT_FOUND) return new ServiceError('NOT_FOUND', text, { cause: error })
  if (code === INVALID_PARAMS) return new ServiceError('INVALID_INPUT', text, { cause: error })
  return new ServiceError('UPSTREAM_FAILED', text, { cause: error })
}

const INVALID_PARAMS = -32_602
const RESOURCE_NOT_FOUND = -32_002
