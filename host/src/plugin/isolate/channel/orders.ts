import type { InlineOptions } from '../../run/inline.ts'
import type { CallRequest } from '../../run/running.ts'
import { writeConfig } from './config-codec.ts'
import type { CallOrder, StartOrder } from './messages.ts'

/** What a tool may do, as the host knows it. */
export interface Rights {
  readonly access: 'read' | 'write'
  readonly safePaths: readonly string[]
}

export const READING: Rights = Object.freeze({ access: 'read', safePaths: [] })

export function scopeOf(request: CallRequest, { access, safePaths }: Rights) {
  const { signal, requestId, principal, credentials, account } = request
  const timeLeftMs = () => (request.dueAt ?? Infinity) - performance.now()
  return { access, safePaths, signal, timeLeftMs, requestId, principal, credentials, account }
}

export function startOrder({ instance, surface, config, tenants = new Map(), hasBackground = true }: InlineOptions): StartOrder {
  return {
    instance,
    surface,
    config: writeConfig(config),
    tenants: [...tenants].map(([tenant, own]) => [tenant, writeConfig(own)]),
    hasBackground,
  }
}

export function wireRequest(
  request: CallRequest,
  hidden: Pick<CallOrder['request'], 'principal' | 'credentialKey'>,
): CallOrder['request'] {
  const { requestId, inputResponses, clientCapabilities, requestState } = request
  return {
    requestId,
    ...hidden,
    ...(inputResponses === undefined ? {} : { inputResponses }),
    clientCapabilities,
    ...(requestState === undefined ? {} : { requestState }),
  }
}
