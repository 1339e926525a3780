import { elicit } from '@mcp-patchbay/plugin-api/host'
import { errorResult } from '../../../data/content.ts'
import { isObject } from '../../../data/json.ts'
import { argumentsDigest } from './arguments-digest.ts'
import { approvalQuestion } from './approval-question.ts'
import type { CallIO, Layer, PendingCall, ToolAnswer } from '../types.ts'
import type { SingleUse } from './single-use.ts'
import type { SnapshotTool } from '../../catalog/snapshot.ts'

/** The question's key; a plugin's own questions cannot have it, since names of its tools begin elsewhere. */
const KEY = 'patchbay_approval'

/** What a question leaves with the client. `given`: the yes was said, and this is the state of a question of the tool's own. */
interface ApprovalState {
  readonly approval: string
  readonly ticket: string
  readonly given?: true
  readonly inner?: unknown
}

/**
 * For a tool with `approval: 'required'`: asks the person, and runs the tool after a yes. The state carries a digest of the arguments and a
 * ticket that counts once, so that a yes to one call is no yes to another, nor to the same one again. A tool that asks questions of its own
 * goes on under the yes it has, round by round, each state once. Where the client cannot ask, the call is refused.
 */
export function requireApproval(tickets: SingleUse): Layer<PendingCall<SnapshotTool>, ToolAnswer> {
  return async (call, next) => {
    const { name, item, caller, args, io } = call
    const digest = argumentsDigest(args)
    const refuse = (why: string): ToolAnswer => {
      call.outcome = 'refused'
      return { kind: 'result', result: errorResult(`${name} ${why}`) }
    }
    const state = stateOf(io.requestState)
    const answer = io.inputResponses?.[KEY]
    if (!answer && !state?.given) {
      if (!isObject(io.clientCapabilities?.['elicitation']))
        return refuse("needs a person's approval, and this client cannot ask for it. It did not run.")
      call.outcome = 'refused'
      const asked: ApprovalState = { approval: digest, ticket: tickets.issue() }
      const question = approvalQuestion({
        name,
        plugin: item.plugin.instance,
        tenant: caller.principal.tenant,
        args,
        schema: item.wire.inputSchema,
      })
      return { kind: 'inputRequired', requests: { [KEY]: elicit(question, SCHEMA) }, state: asked }
    }
    const isApproved = answer?.action === 'accept' && answer.content?.['approve'] === true
    if (state?.approval !== digest || !(state.given || isApproved)) return refuse('was not approved, so it did not run.')
    if (!(await tickets.use(state.ticket)))
      return refuse(
        'was not approved, so it did not run: a yes counts for one call. Call it again, and the person is asked again.',
      )
    call.io = withState(io, state.inner)
    const result = await next()
    if (result.kind !== 'inputRequired') return result
    const going: ApprovalState = { approval: digest, ticket: tickets.issue(), given: true, inner: result.state }
    return { ...result, state: going }
  }
}

const SCHEMA = { type: 'object', properties: { approve: { type: 'boolean', title: 'Run it' } }, required: ['approve'] }

function stateOf(state: unknown): ApprovalState | undefined {
  if (!isObject(state) || typeof state['approval'] !== 'string' || typeof state['ticket'] !== 'string') return undefined
  const { approval, ticket, given, inner } = state
  return { approval, ticket, inner, ...(given === true && { given }) }
}

/** The tool sees its own state, and no answer that was the host's. */
function withState(io: CallIO, requestState: unknown): CallIO {
  const { [KEY]: _, ...inputResponses } = io.inputResponses ?? {}
  const { requestState: __, inputResponses: ___, ...rest } = io
  return {
    ...rest,
    ...(requestState !== undefined && { requestState }),
    ...(Object.keys(inputResponses).length > 0 && { inputResponses }),
  }
}
