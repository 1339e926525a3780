import type {
  ToolAnswer,
  PromptAnswer,
  ResourceAnswer,
  InputRequiredAnswer,
  Calls,
  PendingCall,
  CallDeps,
  Layer,
} from './types.ts'
import {
  findResource,
  type Snapshot,
  type SnapshotPrompt,
  type SnapshotResource,
  type SnapshotTemplate,
  type SnapshotTool,
} from '../catalog/snapshot.ts'
import { isInputRequired, isToolResult } from '@mcp-patchbay/plugin-api/host'
import { InvalidResult, serialise, toolResult, wholeResult, type Bounds } from '../../data/content.ts'
import { isObject } from '../../data/json.ts'
import { longestUnseen } from '../../data/schema/unseen-texts.ts'
import { HostError, hostError } from '../../errors.ts'
import { mountedContents, mountedMessages, mountResults } from './result/mounted-results.ts'
import { promptMessages, resourceContents } from './result/resource-and-prompt-results.ts'
import { createCompletions } from './completion.ts'
import { createListings } from './listing/resource-listing.ts'
import { askForAccount, asksNothing, useAccount } from './account/account-layer.ts'
import { hidingCredentials, liveFor } from './call-credentials.ts'
import { checkTool, deny, limitRate, observeOther, observeTool } from './call-layers.ts'
import { runIn, type CallTimes } from './running-call.ts'
import { Deadlines } from './deadlines.ts'
import { isOwnTool } from '../catalog/search-tools.ts'
import { findTool, innerCallOf } from '../catalog/view.ts'
import { refusal } from '../catalog/visibility.ts'
import { searchAnswer, unknownTool } from './search-answers.ts'
import { compose, layersOf } from './middleware.ts'
import { isCacheable } from './result/result-cache.ts'

/**
 * The way of a call is an onion: observe (metrics, audit, the text of errors), rate, arguments and approval, what the config adds, the
 * cache, and the plugin in the middle. Whether the caller may make it at all is decided before.
 */
export function createCalls(deps: CallDeps): Calls {
  const { results, middleware = [], redact, log } = deps
  const times: CallTimes = { deadlines: new Deadlines(), log, redact: redact.answer, tracing: deps.tracing }
  const bounds = () => ({ maxBytes: deps.limits().resultBytes, redact: redact.answer })
  const callTool = compose<PendingCall<SnapshotTool>, ToolAnswer>(
    [
      observeTool(deps),
      ...limitRate<ToolAnswer>(deps),
      checkTool(deps),
      ...useAccount<ToolAnswer>(deps, askForAccount),
      ...layersOf(middleware, ({ tool }) => tool),
      mountResults(),
      ...(results ? [results] : []),
    ],
    async (call) => {
      const { item, name, caller, args, io } = call
      const timeoutMs = item.timeoutMs ?? deps.limits().callTimeoutMs
      const value = await runIn(liveFor(item, caller), { name, timeoutMs, caller, io }, times, (running, request) =>
        running.callTool(item.localName, args, request),
      )
      const questions = questionsIn(value, item, bounds())
      if (questions) return questions
      const structured = item.validateOutput !== undefined
      const within = { structured, ...bounds() }
      const result = isToolResult(value) ? wholeResult(value, within) : toolResult(value, within)
      if (result.isError) {
        call.outcome = 'error'
        return { kind: 'result', result }
      }
      const faults = item.validateOutput?.(result.structuredContent)
      if (faults) throw new InvalidResult(`returned a value that does not fit its output schema: ${faults.join('; ')}`)
      return { kind: 'result', result }
    },
  )

  const callOwnTool = compose<OwnToolCall, ToolAnswer>(
    [observeTool(deps), ...limitRate<ToolAnswer>(deps), checkTool(deps), ...layersOf(middleware, ({ tool }) => tool)],
    (call) => searchAnswer(call, bounds()),
  )

  const readResource = compose<FoundResource, ResourceAnswer>(
    [
      observeOther(deps),
      ...limitRate<ResourceAnswer>(deps),
      ...useAccount<ResourceAnswer>(deps, asksNothing),
      ...layersOf(middleware, ({ resource }) => resource),
    ],
    async ({ item, name: asked, params, caller, io }) => {
      const { callTimeoutMs } = deps.limits()
      const { uris } = item
      const uri = uris?.toPlugin(asked) ?? asked
      const value = await runIn(
        liveFor(item, caller),
        { name: item.name, timeoutMs: callTimeoutMs, caller, io },
        times,
        (running, request) => running.readResource(item.localName, uri, params, request),
      )
      const contents = resourceContents(value, { uri, mimeType: item.wire['mimeType'], ...bounds() })
      return { contents: mountedContents(contents, { asked, uri, uris }) }
    },
  )

  const getPrompt = compose<PendingPrompt, PromptAnswer>(
    [
      observeOther(deps),
      ...limitRate<PromptAnswer>(deps),
      checkPrompt(),
      ...useAccount<PromptAnswer>(deps, askForAccount),
      ...layersOf(middleware, ({ prompt }) => prompt),
    ],
    async ({ item, name, caller, args, io }) => {
      const { callTimeoutMs } = deps.limits()
      const value = await runIn(
        liveFor(item, caller),
        { name, timeoutMs: callTimeoutMs, caller, io },
        times,
        (running, request) => running.getPrompt(item.localName, args, request),
      )
      const questions = questionsIn(value, item, bounds())
      if (questions) return questions
      const { description, messages } = promptParts(value, item.wire['description'])
      const checked = mountedMessages(promptMessages(messages, bounds()), item.uris)
      return {
        kind: 'result',
        result: { ...(typeof description === 'string' && { description: bounds().redact(description) }), messages: checked },
      }
    },
  )

  return {
    tool(snapshot, caller, name, args = {}, io) {
      const inner = innerCallOf(snapshot, caller, name, args)
      const of = inner ? inner.name : name
      const item = findTool(snapshot, caller, of)
      if (typeof item === 'string') {
        deny({ kind: 'tool', name: of, caller, io }, item, deps)
        return inner ? Promise.resolve(unknownTool(of)) : Promise.reject(hostError('TOOL_UNKNOWN', { name }))
      }
      const call: PendingCall<SnapshotTool> = {
        kind: 'tool',
        name: of,
        item,
        caller,
        args: inner ? inner.args : args,
        io,
        outcome: 'ok',
      }
      if (isOwnTool(item)) return callOwnTool({ ...call, snapshot })
      const answer = hidingCredentials(caller, redact, () => callTool(call))
      return inner ? answer.catch((error: unknown) => unknownOr(of, error)) : answer
    },

    takesLongTexts(item, longest) {
      const looks = item.needsApproval || isCacheable(item) || deps.audit?.isOn() || middleware.some(({ tool }) => tool)
      return (
        !looks && item.plugin.live?.running.takesLongTexts === true && longest <= longestUnseen(item.surface.wire.inputSchema)
      )
    },

    resource(snapshot, caller, uri, io) {
      const found = findResource(snapshot, uri)
      const refused = found ? refusal(found.item, caller, snapshot.policy) : 'unknown'
      if (!found || refused) {
        deny({ kind: 'resource', name: uri, caller, io }, refused ?? 'unknown', deps)
        return Promise.reject(hostError('RESOURCE_UNKNOWN', { uri }))
      }
      const call: FoundResource = { kind: 'resource', name: uri, ...found, caller, args: found.params, io, outcome: 'ok' }
      return hidingCredentials(caller, redact, () => readResource(call))
    },

    resources: createListings(deps, times, bounds),
    complete: createCompletions(deps, times, bounds),

    prompt(snapshot, caller, name, args, io) {
      const item = snapshot.prompts.get(name)
      const refused = item ? refusal(item, caller, snapshot.policy) : 'unknown'
      if (!item || refused) {
        deny({ kind: 'prompt', name, caller, io }, refused ?? 'unknown', deps)
        return Promise.reject(hostError('PROMPT_UNKNOWN', { name }))
      }
      const call: PendingPrompt = { kind: 'prompt', name, item, caller, args, io, outcome: 'ok' }
      return hidingCredentials(caller, redact, () => getPrompt(call))
    },
  }
}

interface OwnToolCall extends PendingCall<SnapshotTool> {
  readonly snapshot: Snapshot
}

/** A tool that was listed before it was imported, and did not exist after all, is answered like any that does not exist. */
function unknownOr(name: string, error: unknown): ToolAnswer {
  if (error instanceof HostError && error.code === 'TOOL_UNKNOWN') return unknownTool(name)
  throw error
}

interface FoundResource extends PendingCall<SnapshotResource | SnapshotTemplate> {
  readonly params: Readonly<Record<string, string>>
}

interface PendingPrompt extends PendingCall<SnapshotPrompt> {
  readonly args: Readonly<Record<string, string>>
}

/** A prompt's messages with what is said of them: by the prompt itself, else by the list. */
function promptParts(value: unknown, listed: unknown): { readonly description: unknown; readonly messages: unknown } {
  if (!isObject(value) || !Array.isArray(value['messages'])) return { description: listed, messages: value }
  return { description: value['description'] ?? listed, messages: value['messages'] }
}

type Questions = Pick<InputRequiredAnswer, 'requests' | 'state'>

/** What a plugin asks the client for instead of an answer. One that did not declare that it asks has made a mistake. */
function questionsIn(
  value: unknown,
  { surface }: SnapshotTool | SnapshotPrompt,
  bounds: Bounds,
): InputRequiredAnswer | undefined {
  if (!isInputRequired(value)) return undefined
  if (!surface.interactive) throw new InvalidResult('returned inputRequired without declaring interactive: true')
  const { requests, state } = value
  return { kind: 'inputRequired', ...(JSON.parse(serialise({ requests, state }, 'questions', bounds)) as Questions) }
}

function checkPrompt(): Layer<PendingPrompt, PromptAnswer> {
  return (call, next) => {
    const problems = call.item.validateArguments(call.args)
    if (problems) throw hostError('PROMPT_ARGUMENTS', { name: call.name, problems })
    return next()
  }
}
