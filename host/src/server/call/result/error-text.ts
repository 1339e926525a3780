import type { Logger } from '@mcp-patchbay/plugin-api'
import { markdown, ServiceError } from '@mcp-patchbay/plugin-api/host'
import { InvalidResult } from '../../../data/content.ts'
import { HostError, hostError } from '../../../errors.ts'
import { messageOf } from '../../../observability/thrown.ts'
import { callFields, type TraceContext } from '../../../observability/tracing/trace-context.ts'
import { PluginThrew } from '../running-call.ts'

/**
 * What a model reads when a call failed. A plugin's `ServiceError` speaks for itself; a `HostError` is the host's own; anything else is
 * logged whole and shown with the request id, so that no stack, path or secret leaves: as `PLUGIN_THREW` when the plugin threw it, as
 * `INTERNAL` when the host failed.
 */
export function errorText(error: unknown, call: FailedCall, log: Logger): string {
  const { name, plugin, requestId, trace } = call
  const about = { plugin, tool: name, ...callFields(requestId, trace) }
  if (error instanceof ServiceError) {
    const { fix = '', retryAfterMs } = error
    const seconds = `${Math.ceil((retryAfterMs ?? 0) / 1000)} s`
    // The host's own advice has it already.
    const wait = retryAfterMs === undefined || fix.includes(seconds) ? [] : [`Wait ${seconds}, then try again`]
    log.info('call_failed', { ...about, code: error.code })
    return markdown.error({
      what: `${name} failed: ${messageOf(error)}`,
      cause: causes[error.code],
      fix: [...(fix ? [fix.slice(0, 8_192)] : []), ...wait],
    })
  }
  if (error instanceof HostError) return markdown.error({ what: error.message, fix: error.fix })
  if (error instanceof InvalidResult) {
    log.error('invalid_result', { ...about, problem: error.message })
    return markdown.error({ what: `${name} ${error.message}`, cause: `a fault of the plugin "${plugin}", not of the request` })
  }
  const isOfPlugin = error instanceof PluginThrew
  log.error('call_failed', { ...about, error: isOfPlugin ? error.cause : error })
  const shown = isOfPlugin ? hostError('PLUGIN_THREW', { plugin, requestId }) : hostError('INTERNAL', { requestId })
  return markdown.error({ what: `${name} failed: ${shown.message}`, fix: shown.fix })
}

interface FailedCall {
  readonly name: string
  readonly plugin: string
  readonly requestId: string
  readonly trace: TraceContext | undefined
}

const causes: Readonly<Record<ServiceError['code'], string>> = {
  AUTHENTICATION_FAILED: 'this call had no credential that the service accepts',
  PERMISSION_DENIED: 'the credential may not do this',
  NOT_FOUND: 'the service has no such thing, or the credential may not see it',
  RATE_LIMITED: 'too many requests',
  INVALID_INPUT: 'the service refused the input',
  UPSTREAM_FAILED: 'the service is not working',
  TIMEOUT: 'the service did not answer in time',
}
