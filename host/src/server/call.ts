import {
  isInputRequired,
  type InputRequest,
  type InputResponses,
  type PromptMessage,
  type ResourceContents,
} from '@mcp-patchbay/plugin-api'
import { errorResult, InvalidResult, toolResult, type ToolResult } from '../data/content.ts'
import { HostError, hostError } from '../errors.ts'
import type { ClientLogLevel } from '../service/running.ts'
import { approvalAnswer } from './approval.ts'
import { runIn, type CallDeps } from './call-life.ts'
import { hideCredentials, liveFor } from './call-credentials.ts'
import type { Caller } from './caller.ts'
import type { Cancellation } from './cancellation.ts'
import { errorText } from './error-text.ts'
import { refusal } from './filter.ts'
import { promptMessages, resourceContents } from './answers.ts'
import type { Snapshot, SnapshotItem, SnapshotResource, SnapshotTemplate } from './snapshot.ts'

/**
 * The way of every call from authorise to answer, whatever transport and era it came by. The snapshot must be read in the same tick as
 * the method is called, so that the version the call enters cannot be drained in between.
 */
export interface Calls {
  /** Throws `TOOL_UNKNOWN` for a tool that does not exist and, alike, for one that the caller may not see; `CALL_CANCELLED`. */
  tool(snapshot: Snapshot, caller: Caller, name: string, args: unknown, io: CallIO): Promise<ToolAnswer>
  /** Throws `RESOURCE_UNKNOWN`, `INTERNAL`, `CALL_TIMEOUT`, `CALL_CANCELLED`, and the plugin's `ServiceError`. */
  resource(
    snapshot: Snapshot,
    caller: Caller,
    uri: string,
    io: CallIO,
  ): Promise<{ readonly contents: readonly ResourceContents[] }>
  /** Throws `PROMPT_UNKNOWN`, `PROMPT_ARGUMENTS` and what `resource` throws. */
  prompt(
    snapshot: Snapshot,
    caller: Caller,
    name: string,
    args: Readonly<Record<string, string>>,
    io: CallIO,
  ): Promise<PromptAnswer>
}

/** What a transport offers a call. */
export interface CallIO {
  /** Happens when the client cancels or goes away. */
  readonly cancellation: Cancellation
  readonly requestId: string
  /** Absent when the client did not ask for progress. */
  readonly progress?: (progress: number, options?: { total?: number; message?: string }) => void
  /** Absent where the client asked for no log. */
  readonly log?: (level: ClientLogLevel, data: unknown, logger: string) => void
  readonly closeStream?: () => void
  readonly inputResponses?: InputResponses
  readonly clientCapabilities?: Readonly<Record<string, unknown>>
  /** Verified by whoever passes it. */
  readonly requestState?: unknown
}

export type ToolAnswer = { readonly kind: 'result'; readonly result: ToolResult } | InputRequiredAnswer
export type PromptAnswer =
  | { readonly kind: 'result'; readonly result: { readonly description?: string; readonly messages: readonly PromptMessage[] } }
  | InputRequiredAnswer

export interface InputRequiredAnswer {
  readonly kind: 'inputRequired'
  readonly requests: Readonly<Record<string, InputRequest>>
  readonly state: unknown
}

export function createCalls(deps: CallDeps): Calls {
  return {
    async tool(snapshot, caller, name, args = {}, io) {
      using _ = hideCredentials(caller, deps.redact)
      const startedAt = deps.now()
      const tool = snapshot.tools.get(name)
      if (!tool || isRefused(tool, caller, snapshot)) throw hostError('TOOL_UNKNOWN', { name })
      const labels = { plugin: tool.plugin.instance, tool: name }
      const done = (outcome: string, answer: ToolAnswer): ToolAnswer => {
        deps.metrics.call({ ...labels, outcome }, deps.now() - startedAt)
        return answer
      }
      const failed = (outcome: string, text: string) => done(outcome, { kind: 'result', result: errorResult(deps.redact(text)) })

      const problems = tool.validateInput(args)
      if (problems) return failed('error', `Invalid arguments for ${name}: ${problems.join('; ')}`)
      if (tool.surface.approval === 'required') {
        const answer = approvalAnswer({ name, args, io })
        if (answer) return done('refused', answer)
      }
      const run = async (): Promise<ToolAnswer> => {
        const timeoutMs = tool.timeoutMs ?? deps.limits().callTimeoutMs
        const value = await runIn(liveFor(tool, caller), { name, timeoutMs, caller, io }, deps, (running, request) =>
          running.callTool(tool.localName, args, request),
        )
        if (isInputRequired(value)) {
          if (!tool.surface.interactive) throw new InvalidResult('returned inputRequired without declaring interactive: true')
          return { kind: 'inputRequired', requests: value.requests, state: value.state }
        }
        const structured = tool.validateOutput !== undefined
        const result = toolResult(value, { structured, maxBytes: deps.limits().resultBytes })
        const faults = tool.validateOutput?.(result.structuredContent)
        if (faults) throw new InvalidResult(`returned a value that does not fit its output schema: ${faults.join('; ')}`)
        return { kind: 'result', result }
      }
      try {
        return done('ok', await (deps.results ? deps.results.answer({ tool, caller, args, io }, run) : run()))
      } catch (error) {
        if (error instanceof HostError && error.code === 'CALL_CANCELLED') {
          deps.metrics.call({ ...labels, outcome: 'cancelled' }, deps.now() - startedAt)
          throw error
        }
        // Listed before it was imported, and not there: to be told apart from no other tool that is not there.
        if (error instanceof HostError && error.code === 'TOOL_UNKNOWN') throw error
        const outcome = error instanceof HostError && error.code === 'CALL_TIMEOUT' ? 'timeout' : 'error'
        return failed(outcome, errorText(error, { name, plugin: tool.plugin.instance, requestId: io.requestId }, deps.log))
      }
    },

    async resource(snapshot, caller, uri, io) {
      using _ = hideCredentials(caller, deps.redact)
      const found = findResource(snapshot, uri)
      if (!found || isRefused(found.item, caller, snapshot)) throw hostError('RESOURCE_UNKNOWN', { uri })
      const { item, params } = found
      const { callTimeoutMs, resultBytes } = deps.limits()
      try {
        const value = await runIn(
          liveFor(item, caller),
          { name: item.name, timeoutMs: callTimeoutMs, caller, io },
          deps,
          (running, request) => running.readResource(item.localName, uri, params, request),
        )
        return { contents: resourceContents(value, { uri, mimeType: item.wire['mimeType'], maxBytes: resultBytes }) }
      } catch (error) {
        throw protocolError(error, item, io)
      }
    },

    async prompt(snapshot, caller, name, args, io) {
      using _ = hideCredentials(caller, deps.redact)
      const prompt = snapshot.prompts.get(name)
      if (!prompt || isRefused(prompt, caller, snapshot)) throw hostError('PROMPT_UNKNOWN', { name })
      const problems = prompt.validateArguments(args)
      if (problems) throw hostError('PROMPT_ARGUMENTS', { name, problems })
      const { callTimeoutMs, resultBytes } = deps.limits()
      try {
        const value = await runIn(
          liveFor(prompt, caller),
          { name, timeoutMs: callTimeoutMs, caller, io },
          deps,
          (running, request) => running.getPrompt(prompt.localName, args, request),
        )
        if (isInputRequired(value)) {
          if (!prompt.surface.interactive) throw new InvalidResult('returned inputRequired without declaring interactive: true')
          return { kind: 'inputRequired', requests: value.requests, state: value.state }
        }
        const description = prompt.wire['description']
        const messages = promptMessages(value, resultBytes)
        return { kind: 'result', result: { ...(typeof description === 'string' ? { description } : {}), messages } }
      } catch (error) {
        throw protocolError(error, prompt, io)
      }
    },
  }

  /** Outside a tool result an error is the protocol's: what the host throws goes as it is, anything else is hidden behind an id. */
  function protocolError(error: unknown, item: SnapshotItem, io: CallIO): unknown {
    if (error instanceof HostError) return error
    const text = errorText(error, { name: item.name, plugin: item.plugin.instance, requestId: io.requestId }, deps.log)
    return hostError('CALL_FAILED', { name: item.name, problem: deps.redact(text) }, error)
  }
}

/** Refused callers learn nothing: their answer is that of a name nobody has. */
function isRefused(item: SnapshotItem, caller: Caller, { policy }: Snapshot): boolean {
  return refusal(item, caller, policy) !== undefined
}

/** The resource, or the template that matches, with the template's values. */
export function findResource(
  { resources, templates }: Snapshot,
  uri: string,
): { item: SnapshotResource | SnapshotTemplate; params: Readonly<Record<string, string>> } | undefined {
  const item = resources.get(uri)
  if (item) return { item, params: {} }
  for (const template of templates) {
    const params = template.match(uri)
    if (params) return { item: template, params }
  }
  return undefined
}
