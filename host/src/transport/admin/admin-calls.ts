import { randomUUID } from 'node:crypto'
import type { InputResponses } from '@mcp-patchbay/plugin-api'
import { isObject } from '../../data/json.ts'
import { HostError, hostError } from '../../errors.ts'
import { Cancellation } from '../../server/call/cancellation.ts'
import type { CallIO, InputRequiredAnswer } from '../../server/call/types.ts'
import type { Caller } from '../../server/catalog/caller.ts'
import { explainReach } from '../../server/catalog/reach.ts'
import type { AdminHost } from './types.ts'
import { errorBody, type AdminError } from './admin-answer.ts'

/** What is called. `name`: as clients are listed it; of a resource its URI. */
export type CallTarget =
  | { readonly kind: 'tool'; readonly name: string; readonly args: unknown }
  | { readonly kind: 'prompt'; readonly name: string; readonly args: Readonly<Record<string, string>> }
  | { readonly kind: 'resource'; readonly name: string }

/** One round of a call: its first, or what goes on with the answers to its questions. */
export interface AdminCall {
  readonly caller: Caller
  readonly target: CallTarget
  readonly responses?: InputResponses
  readonly state?: unknown
}

/** Where a call tells what it says on its way. */
export interface CallListener {
  tell(type: 'progress' | 'log', data: object): void
  /** Called once, when the client of the request is gone. */
  onGone(listener: () => void): void
}

/** How a round ended. `ms` is what the host took for it. */
export type CallEnd =
  | { readonly type: 'result'; readonly call: string; readonly ms: number; readonly result: object }
  | { readonly type: 'question'; readonly call: string; readonly ms: number; readonly requests: InputRequiredAnswer['requests'] }
  | ({ readonly type: 'error'; readonly call: string; readonly ms: number; readonly hiddenBy?: string | null } & AdminError)

export interface AdminCalls {
  /** Runs one round. Never rejects: what goes wrong is an answer. */
  run(call: AdminCall, listener: CallListener): Promise<CallEnd>
  /** The call that waits for answers under this name, once. Throws `ADMIN_REQUEST`. */
  takeAsked(id: string): AdminCall
}

/** How long a question may wait for an answer; after it the call starts over. */
const ASKED_MS = 600_000
const MOST_ASKED = 64

/** What the page can do for a tool: show a form, or an address to open. It has no model and no folders. */
const CAPABILITIES = Object.freeze({ elicitation: Object.freeze({ form: Object.freeze({}), url: Object.freeze({}) }) })

type Answer = { readonly kind: 'result'; readonly result: object } | InputRequiredAnswer

type Host = Pick<AdminHost, 'registry' | 'calls' | 'inFlight' | 'isDraining' | 'log'>

/**
 * Calls tools, gets prompts and reads resources for the operator, through the same pipeline as any other call. The state between two rounds
 * never leaves the host.
 */
export function createAdminCalls({ registry, calls, inFlight, isDraining, log }: Host, now: () => number): AdminCalls {
  const asked = new Map<string, { readonly call: AdminCall; readonly dueAt: number }>()

  function keep(call: AdminCall, id: string): void {
    for (const [other, { dueAt }] of asked) if (dueAt < now()) asked.delete(other)
    const [oldest] = asked.keys()
    if (asked.size >= MOST_ASKED && oldest !== undefined) asked.delete(oldest)
    asked.set(id, { call, dueAt: now() + ASKED_MS })
  }

  async function answerTo({ caller, target }: AdminCall, io: CallIO): Promise<Answer> {
    const snapshot = registry.current
    const { kind, name } = target
    if (kind === 'resource') return { kind: 'result', result: await calls.resource(snapshot, caller, name, io) }
    // Copies: checking the arguments fills in defaults, and the next round must bring what this one was given.
    return kind === 'tool'
      ? calls.tool(snapshot, caller, name, structuredClone(target.args), io)
      : calls.prompt(snapshot, caller, name, { ...target.args }, io)
  }

  async function answerOf(call: AdminCall, io: CallIO, startedAt: number): Promise<CallEnd> {
    const { caller, target } = call
    const snapshot = registry.current
    const id = io.requestId
    const ms = () => Math.round((now() - startedAt) * 10) / 10
    try {
      if (isDraining()) throw hostError('HOST_CLOSING', {})
      const answer = await answerTo(call, io)
      if (answer.kind === 'result') return { type: 'result', call: id, ms: ms(), result: answer.result }
      keep({ caller, target, state: answer.state }, id)
      return { type: 'question', call: id, ms: ms(), requests: answer.requests }
    } catch (error) {
      const isOwn = error instanceof HostError
      if (!isOwn) log.error('admin_failed', { call: id, error })
      const told = isOwn ? error : hostError('INTERNAL', { requestId: id })
      // The operator is told what no caller may know.
      const why = told.code === 'TOOL_UNKNOWN' ? { hiddenBy: explainReach(snapshot, target.name, caller).decidedBy } : {}
      return { type: 'error', call: id, ms: ms(), ...why, ...errorBody(told) }
    }
  }

  return {
    async run(call, listener) {
      const cancellation = new Cancellation()
      const place = inFlight.begin(cancellation)
      const io: CallIO = {
        cancellation,
        requestId: randomUUID(),
        clientCapabilities: CAPABILITIES,
        progress: (progress, { total, message } = {}) =>
          listener.tell('progress', {
            progress,
            ...(total !== undefined && { total }),
            ...(message !== undefined && { message }),
          }),
        log: (level, data, logger) => listener.tell('log', { level, logger, data }),
        ...(call.responses && { inputResponses: call.responses }),
        ...(call.state !== undefined && { requestState: call.state }),
      }
      listener.onGone(() => cancellation.cancel(undefined))
      const { id, kind, tenant } = call.caller.principal
      log.info('admin_call', {
        [call.target.kind]: call.target.name,
        principal: id,
        principalKind: kind,
        tenant,
        call: io.requestId,
      })
      try {
        return await answerOf(call, io, now())
      } finally {
        place.release()
      }
    },
    takeAsked(id) {
      const waiting = asked.get(id)
      asked.delete(id)
      if (!waiting || waiting.dueAt < now())
        throw hostError('ADMIN_REQUEST', {
          problem: 'no call waits for these answers: it was answered already, or ten minutes ago',
        })
      return waiting.call
    },
  }
}

/** The answers to questions, by the names of the questions. Throws `ADMIN_REQUEST`. */
export function readResponses(value: unknown): InputResponses {
  const isFit =
    isObject(value) &&
    Object.values(value).every((answer) => isObject(answer) && (!('action' in answer) || ACTIONS.includes(answer['action'])))
  if (!isFit)
    throw hostError('ADMIN_REQUEST', {
      problem:
        'responses must be an object of answers such as { "action": "accept", "content": {} } by the names of the questions',
    })
  return value as InputResponses
}

const ACTIONS: readonly unknown[] = ['accept', 'decline', 'cancel']
