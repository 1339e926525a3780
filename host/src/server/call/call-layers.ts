import type { PendingCall, Outcome, ToolAnswer, CallDeps, Layer } from './types.ts'
import { errorResult } from '../../data/content.ts'
import { HostError, hostError } from '../../errors.ts'
import { requireApproval } from './approval/approval.ts'
import { auditLine, deniedLine, givenArguments } from './audit-line.ts'
import { deniedCall, endedCall } from './ended-call.ts'
import { beginSpan, endSpan } from './call-span.ts'
import { createSingleUse } from './approval/single-use.ts'
import { shown } from '../../observability/thrown.ts'
import { errorText } from './result/error-text.ts'
import type { RefusalCode } from '../catalog/visibility.ts'
import { isOwnTool } from '../catalog/search-tools.ts'
import { liveOf, type SnapshotTool } from '../catalog/snapshot.ts'

/** Tells the audit of a call that the caller may not make. */
export function deny(
  call: Pick<PendingCall, 'kind' | 'name' | 'caller' | 'io'>,
  reason: RefusalCode,
  { audit, metrics, onEnded }: CallDeps,
): void {
  metrics.denied(call.kind, reason)
  audit?.record(() => deniedLine(call, reason))
  onEnded?.(() => deniedCall(call, reason))
}

/** Outermost: measures every tool call and makes the text that a model reads of every error. */
export function observeTool(deps: CallDeps): Layer<PendingCall<SnapshotTool>, ToolAnswer> {
  return async (call, next) => {
    const startedAt = deps.now()
    const given = deps.audit?.isOn() ? givenArguments(call) : undefined
    const span = beginSpan(call, deps.tracing)
    let isAsking = false
    try {
      const answer = await next()
      isAsking = answer.kind === 'inputRequired'
      return answer
    } catch (error) {
      call.outcome = outcomeOf(error)
      if (call.outcome === 'cancelled' || call.outcome === 'unknown') throw error
      const { name, item, io } = call
      const { requestId, trace } = io
      const text = errorText(error, { name, plugin: item.plugin.instance, requestId, trace }, deps.log)
      return { kind: 'result', result: errorResult(shown(deps.redact(text))) }
    } finally {
      const ms = deps.now() - startedAt
      endSpan(span, call)
      // Listed before it was imported, and not there: to be told apart from no other tool that is not there.
      if (call.outcome !== 'unknown')
        deps.metrics.call({ plugin: call.item.plugin.instance, tool: call.name, outcome: call.outcome }, ms)
      deps.audit?.record(() => auditLine(call, ms, given))
      deps.onEnded?.(() => endedCall(call, ms, isAsking))
    }
  }
}

/** The same for what is read and asked for. Outside a tool result an error is the protocol's: what is not the host's own is hidden behind an id. */
export function observeOther<Answer>(deps: CallDeps, method?: string): Layer<PendingCall, Answer> {
  return async (call, next) => {
    const startedAt = deps.now()
    const span = beginSpan(call, deps.tracing, method)
    try {
      return await next()
    } catch (error) {
      call.outcome = outcomeOf(error)
      if (error instanceof HostError) throw error
      const { item, io } = call
      const { requestId, trace } = io
      const text = errorText(error, { name: item.name, plugin: item.plugin.instance, requestId, trace }, deps.log)
      throw hostError('CALL_FAILED', { name: item.name, problem: shown(deps.redact(text)) }, error)
    } finally {
      const ms = deps.now() - startedAt
      endSpan(span, call)
      deps.audit?.record(() => auditLine(call, ms))
      deps.onEnded?.(() => endedCall(call, ms))
    }
  }
}

/** Refuses calls beyond `limits.rate`. */
export function limitRate<Answer>({ rate }: CallDeps): readonly Layer<PendingCall, Answer>[] {
  if (!rate) return []
  return [
    (call, next) => {
      const counted = rate(call.caller.principal)
      return counted ? inVersion(call, () => counted.then(next)) : next()
    },
  ]
}

/** Refuses arguments that do not fit, and asks for the approval that a tool wants. */
export function checkTool({ tickets = createSingleUse() }: CallDeps): Layer<PendingCall<SnapshotTool>, ToolAnswer> {
  const approved = requireApproval(tickets)
  return (call, next) => {
    const { name, item, args } = call
    const problems = item.validateInput(args)
    if (problems) {
      call.outcome = 'error'
      return Promise.resolve({ kind: 'result', result: errorResult(`Invalid arguments for ${name}: ${problems.join('; ')}`) })
    }
    return item.needsApproval ? approved(call, next) : next()
  }
}

/** Before a layer waits: the version that was looked at must not be drained meanwhile, since the call will run in it. The host's own tools have none. */
export function inVersion<Answer>({ item }: PendingCall, work: () => Promise<Answer>): Promise<Answer> {
  if (isOwnTool(item)) return work()
  return new Promise((resolve, reject) => {
    const place = liveOf(item).enter({ cancel: reject })
    work()
      .then(resolve, reject)
      .finally(() => place.release())
  })
}

function outcomeOf(error: unknown): Outcome {
  const code = error instanceof HostError ? error.code : undefined
  switch (code) {
    case 'CALL_CANCELLED':
      return 'cancelled'
    case 'CALL_TIMEOUT':
      return 'timeout'
    case 'RATE_LIMITED':
      return 'limited'
    case 'TOOL_UNKNOWN':
      return 'unknown'
    default:
      return 'error'
  }
}
