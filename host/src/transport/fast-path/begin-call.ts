import { errorResult, type ToolResult } from '../../data/content.ts'
import { isObject } from '../../data/json.ts'
import { longTextsOf, makeWhole } from '../../data/long-text/long-texts.ts'
import { HostError } from '../../errors.ts'
import { traceOf } from '../../observability/tracing/trace-context.ts'
import type { ToolAnswer } from '../../server/call/types.ts'
import type { Caller } from '../../server/catalog/caller.ts'
import { TOOLS_CALL } from '../../server/catalog/search-tools.ts'
import type { SnapshotTool } from '../../server/catalog/snapshot.ts'
import { findTool, innerCallOf } from '../../server/catalog/view.ts'
import { BegunCall } from '../../server/mcp/deferred-call.ts'
import { callJson, type JsonPieces } from '../../server/mcp/result-json.ts'
import { MODERN } from '../../server/mcp/revisions.ts'
import type { Exchange } from '../http/http-exchange.ts'
import { isPlain } from './plain-tool.ts'
import { CAPABILITIES, type HotRequest } from './recognise.ts'
import type { ClientSaid, FastPathDeps } from './types.ts'

/** Begins a call, past three arguments as every call comes this way; undefined when it is not for this path. The result is undefined when the client wants none any more. */
export function beginCall(
  { registry, calls, inFlight }: FastPathDeps,
  { name, arguments: args, _meta }: HotRequest['params'],
  caller: Caller,
  client: ClientSaid,
  onNeeded?: (call: BegunCall) => void,
): { readonly call: BegunCall; readonly result: Promise<string | JsonPieces | undefined> } | undefined {
  const snapshot = registry.current
  const asked = String(name)
  if (asked === TOOLS_CALL) makeWhole(args)
  const tool = findTool(snapshot, caller, innerCallOf(snapshot, caller, asked, args)?.name ?? asked)
  if (typeof tool === 'string' || !isPlain(tool)) return undefined
  const texts = longTextsOf(args)
  if (texts && !calls.takesLongTexts(tool, texts.longest)) makeWhole(args)
  const { revision } = client
  const said = revision === MODERN && isObject(_meta) ? _meta[CAPABILITIES] : client.capabilities
  const call = new BegunCall({ capabilities: isObject(said) ? said : undefined, trace: traceOf(_meta, client.headers) }, onNeeded)
  const place = inFlight.begin(call.cancellation)
  const answer = calls.tool(snapshot, caller, asked, args, call)
  call.answer = answer
  const result = answer.then(
    (value) => {
      place.release()
      return callJson(plainResult(value, tool), revision, snapshot.policy.server)
    },
    (error: unknown) => {
      place.release()
      const { isCancelled, reason } = call.cancellation
      if (!isCancelled) throw error
      const isClosing = reason instanceof HostError && reason.code === 'HOST_CLOSING'
      return isClosing
        ? callJson(errorResult([reason.message, ...reason.fix].join('\n')), revision, snapshot.policy.server)
        : undefined
    },
  )
  return { call, result }
}

/**
 * A tool that was listed before its plugin was imported may turn out to be another one, or gone: the plugin refuses the call, which then begins
 * again at the SDK, with what is served now or the words for a tool that is unknown.
 */
export function hasNotRun(error: unknown): boolean {
  return error instanceof HostError && error.code === 'TOOL_UNKNOWN'
}

export function cancelWhenGone({ res }: Exchange, { cancellation }: BegunCall): void {
  const onClose = () => {
    if (!res.writableFinished) cancellation.cancel(new Error('The client went away'))
  }
  if (res.destroyed) onClose()
  else res.on('close', onClose)
}

function plainResult(answer: ToolAnswer, { name }: SnapshotTool): ToolResult {
  return answer.kind === 'result' ? answer.result : errorResult(`${name} asked for input without being interactive`)
}
