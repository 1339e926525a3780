import { randomUUID } from 'node:crypto'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { upstreamHeader } from '../../../auth/outbound/request-credentials.ts'
import type { CredentialUse } from '../../../auth/outbound/credential-use.ts'
import { isObject } from '../../../data/json.ts'
import { remoteAddress } from '../../../config/schema/account-rules.ts'
import { hostError, type HostError } from '../../../errors.ts'
import { isOwnTool } from '../../catalog/search-tools.ts'
import { inVersion } from '../call-layers.ts'
import type { CallDeps, CallIO, InputRequiredAnswer, Layer, PendingCall } from '../types.ts'

/** The key of the question. Questions of plugins cannot use it. */
const KEY = 'patchbay_account'

/**
 * Looks up what the caller has linked for the service of the plugin, so that the ladder of credentials can decide by it. A call that would
 * be refused, and would not be with an account, asks its caller to link one: by an address that the client opens, where it can, and waits
 * for it; else in the text of the error. A call that the service refused for want of scopes asks in the same way, once. `asks`: what is
 * called can ask.
 */
export function useAccount<Answer>(deps: CallDeps, asks: Asking<Answer>): readonly Layer<PendingCall, Answer>[] {
  const { accounts } = deps
  if (!accounts) return []
  const look = async (call: PendingCall): Promise<CredentialUse | undefined> => {
    const { item, caller } = call
    const { plugin, access } = item
    const { principal, credentials } = caller
    call.caller = { ...caller, account: await accounts.load(principal, plugin.instance) }
    if (plugin.entry.oauth) await plugin.activate?.()
    return plugin.credentialUse?.({ access, principal, credentials, account: call.caller.account })
  }

  return [
    async (call, next) => {
      const { item, caller } = call
      // A call that brings its own, or goes with what it is exchanged for, needs no other.
      if (isOwnTool(item) || caller.credentials?.of(item.plugin.instance) !== undefined) return next()
      return inVersion(call, async () => {
        const { state, response, io } = takeOwn(call.io)
        call.io = io
        const { principal } = caller
        const { plugin, access } = item
        const { instance } = plugin
        const wait = { ms: deps.limits().callTimeoutMs, signal: io.cancellation.signal, otherThan: state.link }

        const required = async (why: Why, { canAsk, scopes }: { canAsk: boolean; scopes?: readonly string[] | undefined }) => {
          const ways = await accounts.waysToLink(principal, instance)
          const { address } = ways
          const data = { plugin: instance, why, header: upstreamHeader(instance), ...(scopes && { scopes }), ...ways }
          const error = hostError('ACCOUNT_REQUIRED', data)
          const asked =
            canAsk && address !== undefined && canOpenUrl(io.clientCapabilities)
              ? asks({ address, message: error.message, ...(scopes && { scopes, link: linkOf(call) }) })
              : undefined
          if (asked === undefined) throw asServiceError(error, why === 'scopes' ? 'PERMISSION_DENIED' : 'AUTHENTICATION_FAILED')
          call.outcome = 'refused'
          return asked
        }

        let use = await look(call)
        /** What was asked for before was not given: an account, or one with more scopes. */
        const isMissing = () => wantsAccount(use) || (state.link !== undefined && linkOf(call) === state.link)
        if (response?.action === 'accept' && isMissing()) {
          const isLinked = await accounts.whenLinked(principal, instance, wait)
          if (isLinked && state.id !== undefined) io.elicitationComplete?.(state.id)
          if (isLinked) use = await look(call)
        }
        if (wantsAccount(use))
          return required(call.caller.account === undefined ? 'none' : 'again', { canAsk: response === undefined })
        if (isMissing()) return required('scopes', { canAsk: false, scopes: state.scopes })
        try {
          return await next()
        } catch (error) {
          const { account } = call.caller
          const lacking = account?.problem === undefined ? await account?.lacking() : undefined
          if (!lacking) throw error
          const { scopes, problem } = lacking
          if (problem) throw asServiceError(hostError('ACCOUNT_SCOPES', { plugin: instance, why: problem, scopes }, error))
          // A server elsewhere has run nothing of the call; what a plugin has sent before must not be sent twice.
          const isUndone = access === 'read' || remoteAddress(plugin.entry) !== undefined
          return required('scopes', { canAsk: isUndone && state.link === undefined, scopes })
        }
      })
    },
  ]
}

type Why = 'none' | 'again' | 'scopes'

function asServiceError(
  error: HostError,
  code: 'AUTHENTICATION_FAILED' | 'PERMISSION_DENIED' = 'PERMISSION_DENIED',
): ServiceError {
  return new ServiceError(code, error.message, {
    fix: [...error.fix, `See docs/errors.md#${error.code.toLowerCase()}`].join('. '),
    cause: error.cause,
  })
}

/** Which link the call goes with. */
function linkOf({ caller: { account } }: PendingCall): string | undefined {
  return account?.problem === undefined ? account?.fingerprint : undefined
}

interface Question {
  readonly address: string
  readonly message: string
  /** Of the account that lacks `scopes`. */
  readonly link?: string | undefined
  readonly scopes?: readonly string[]
}

/** Makes the answer that asks, where what is called can give one. */
type Asking<Answer> = (question: Question) => Answer | undefined

/** For tools and prompts. */
export function askForAccount({ address, message, link, scopes }: Question): InputRequiredAnswer {
  const elicitationId = randomUUID()
  const params = { mode: 'url', elicitationId, url: address, message: `${message}. Open the page to link it.` }
  return {
    kind: 'inputRequired',
    requests: { [KEY]: { method: 'elicitation/create', params } },
    state: { account: elicitationId, ...(link !== undefined && { link, scopes }) },
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

/** What the host keeps of its own question until it is answered. */
interface OwnState {
  readonly id?: string
  /** The link that lacks `scopes`. */
  readonly link?: string | undefined
  readonly scopes?: readonly string[]
}

/** The tool sees its own state, and no answer that was the host's. */
function takeOwn(io: CallIO): { state: OwnState; response: { action?: unknown } | undefined; io: CallIO } {
  const response = io.inputResponses?.[KEY]
  if (response === undefined) return { state: {}, response, io }
  const { [KEY]: _, ...others } = io.inputResponses ?? {}
  const { requestState: state, inputResponses: __, ...rest } = io
  const isOwn = isObject(state) && typeof state['account'] === 'string'
  const own: CallIO = {
    ...rest,
    ...(!isOwn && state !== undefined && { requestState: state }),
    ...(Object.keys(others).length > 0 && { inputResponses: others }),
  }
  return { state: isOwn ? readState(state) : {}, response, io: own }
}

function readState({ account, link, scopes }: Readonly<Record<string, unknown>>): OwnState {
  return {
    id: String(account),
    ...(typeof link === 'string' && { link }),
    scopes: Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === 'string') : [],
  }
}
