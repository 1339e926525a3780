import type { InputRequest } from '@mcp-patchbay/plugin-api'
import { ServiceError, serviceErrorCode } from '@mcp-patchbay/plugin-api/host'
import { isObject } from '../../../data/json.ts'
import { HostError, hostError } from '../../../errors.ts'
import { messageOf } from '../../../observability/thrown.ts'
import { statusOf } from '../connect/server-connection.ts'
import type { ServerConnection } from '../connect/types.ts'

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

/**
 * The addresses that a server of 2025-11-25 wants opened before it does anything: as questions of a call, which is sent once more when
 * the caller has opened them. Undefined for any other error.
 */
export function addressesToOpen(error: unknown): Readonly<Record<string, InputRequest>> | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== URL_ELICITATION_REQUIRED) return undefined
  const data: unknown = 'data' in error ? error.data : undefined
  const list: readonly unknown[] = isObject(data) && Array.isArray(data['elicitations']) ? data['elicitations'] : []
  const questions = list.filter(isObject).map((params) => ({ method: 'elicitation/create', params }) as const)
  return questions.length > 0
    ? Object.fromEntries(questions.map((question, index) => [`address${index + 1}`, question]))
    : undefined
}

const URL_ELICITATION_REQUIRED = -32_042
const INVALID_PARAMS = -32_602
const RESOURCE_NOT_FOUND = -32_002
