import type { Logger } from '@mcp-patchbay/plugin-api'
import { markdown, ServiceError } from '@mcp-patchbay/plugin-api/host'
import { InvalidResult } from '../../../data/content.ts'
import { HostError, hostError } from '../../../errors.ts'

/**
 * What a model reads when a call failed. A plugin's `ServiceError` speaks for itself; a `HostError` is the host's own; anything else is
 * logged whole and shown as `INTERNAL` with the request id, so that no stack, path or secret leaves.
 */
export function errorText(error: unknown, call: { name: string; plugin: string; requestId: string }, log: Logger): string {
  const { name, plugin, requestId } = call
  if (error instanceof ServiceError) {
    const wait = error.retryAfterMs === undefined ? [] : [`Wait ${Math.ceil(error.retryAfterMs / 1000)} s, then try again`]
    log.info('call_failed', { plugin, tool: name, call: requestId, code: error.code })
    return markdown.error({
      what: `${name} failed: ${error.message}`,
      cause: causes[error.code],
      fix: [...(error.fix ? [error.fix] : []), ...wait],
    })
  }
  if (error instanceof HostError) return markdown.error({ what: error.message, fix: error.fix })
  if (error instanceof InvalidResult) {
    log.error('invalid_result', { plugin, tool: name, call: requestId, problem: error.message })
    return markdown.error({ what: `${name} ${error.message}`, cause: `a fault of the plugin "${plugin}", not of the request` })
  }
  log.error('call_failed', { plugin, tool: name, call: requestId, error })
  const internal = hostError('INTERNAL', { requestId })
  return markdown.error({ what: `${name} failed: ${internal.message}`, fix: internal.fix })
}

const causes: Readonly<Record<ServiceError['code'], string>> = {
  AUTHENTICATION_FAILED: 'the service did not accept the credential',
  PERMISSION_DENIED: 'the credential may not do this',
  NOT_FOUND: 'the service has no such thing, or the credential may not see it',
  RATE_LIMITED: 'too many requests',
  INVALID_INPUT: 'the service refused the input',
  UPSTREAM_FAILED: 'the service is not working',
  TIMEOUT: 'the service did not answer in time',
}
