import { randomUUID } from 'node:crypto'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { upstreamHeader } from '../../../auth/outbound/request-credentials.ts'
import type { CredentialUse } from '../../../auth/outbound/credential-use.ts'
import { isObject } from '../../../data/json.ts'
import { hostError } from '../../../errors.ts'
import { isOwnTool } from '../../catalog/search-tools.ts'
import { inVersion } from '../call-layers.ts'
import type { CallDeps, CallIO, InputRequiredAnswer, Layer, PendingCall } from '../types.ts'

/** The question's key; a plugin's own questions cannot have it. */
const KEY = 'patchbay_account'

/**
 * Looks up what the caller has linked for the service of the plugin, so that the ladder of credentials can decide by it. A call that would
 * be refused, and would not be with an account, asks its caller to link one: by an address that the client opens, where it can, and waits
 * for it; else in the text of the error. `asks`: what is called can ask.
 */
export function useAccount<Answer>(deps: CallDeps, asks: Asking<Answer>): readonly Layer<PendingCall, Answer>[] {
  const { accounts } = deps
  if (!accounts) return []
  const look = async (call: PendingCall): Promise<CredentialUse | undefined> => {
    const { item, caller } = call
    const { plugin, access } = item
    const { principal, credentials } = caller
    call.caller = { ...caller, account: await accounts.load(principal, plugin.instance) }
    if (plugin.entry.oauth) await plugin.wake?.()
    return plugin.credentialUse?.({ access, principal, credentials, account: call.caller.account })
  }

  return [
    async (call, next) => {
      const { item, caller } = call
      // A call that brings its own, or goes with what it is exchanged for, needs no other.
      if (isOwnTool(item) || caller.credentials?.of(item.plugin.instance) !== undefined) return next()
      return inVersion(call, async () => {
        const { requestState, response, io } = takeOwn(call.io)
        call.io = io
        let use = await look(call)
        if (!wantsAccount(use)) return next()
        const { principal } = caller
        const { instance } = item.plugin
        if (response?.action === 'accept') {
          const isLinked = await accounts.whenLinked(principal, instance, deps.limits().callTimeoutMs, io.cancellation.signal)
          if (isLinked && requestState !== undefined) io.elicitationComplete?.(requestState)
          if (isLinked) use = await look(call)
          if (!wantsAccount(use)) return next()
        }
        const ways = await accounts.waysToLink(principal, instance)
        const error = hostError('ACCOUNT_REQUIRED', {
          plugin: instance,
          why: call.caller.account === undefined ? 'none' : 'again',
          header: upstreamHeader(instance),
          ...ways,
        })
        const { address } = ways
        const canAsk = response === undefined && address !== undefined && canOpenUrl(io.clientCapabilities)
        const asked = canAsk ? asks({ instance, address, message: error.message }) : undefined
        if (asked !== undefined) {
          call.outcome = 'refused'
          return asked
        }
        throw new ServiceError('AUTHENTICATION_FAILED', error.message, {
          fix: [...error.fix, 'See docs/errors.md#account_required'].join('. '),
        })
      })
    },
  ]
}

/** Makes the answer that asks, where what is called can give one. */
type Asking<Answer> = (question: { instance: string; address: string; message: string }) => Answer | undefined

/** For tools and prompts. */
export function askForAccount({ address, message }: { address: string; message: string }): InputRequiredAnswer {
  const elicitationId = randomUUID()
  const params = { mode: 'url', elicitationId, url: address, message: `${message}. Open the page to link it.` }
  return {
    kind: 'inputRequired',
    requests: { [KEY]: { method: 'elicitation/create', params } },
    state: { account: elicitationId },
  }
}

/** For what cannot ask: resources, completions. */
export const asksNothing = (): undefined => undefined

function wantsAccount(use: CredentialUse | undefined): boolean {
  return use?.by === 'refused' && use.wantsAccount === true
}

function canOpenUrl(capabilities: CallIO['clientCapabilities']): boolean {
  return isObject(capabilities?.['elicitation']) && isObject(capabilities['elicitation']['url'])
}

/** The tool sees its own state, and no answer that was the host's. */
function takeOwn(io: CallIO): { requestState: string | undefined; response: { action?: unknown } | undefined; io: CallIO } {
  const response = io.inputResponses?.[KEY]
  if (response === undefined) return { requestState: undefined, response, io }
  const { [KEY]: _, ...others } = io.inputResponses ?? {}
  const { requestState: state, inputResponses: __, ...rest } = io
  const isOwn = isObject(state) && typeof state['account'] === 'string'
  const own: CallIO = {
    ...rest,
    ...(!isOwn && state !== undefined && { requestState: state }),
    ...(Object.keys(others).length > 0 && { inputResponses: others }),
  }
  return { requestState: isOwn ? String(state['account']) : undefined, response, io: own }
}
