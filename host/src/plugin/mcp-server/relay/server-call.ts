import type { InputRequest } from '@mcp-patchbay/plugin-api'
import { inputRequired } from '@mcp-patchbay/plugin-api/host'
import { hostError } from '../../../errors.ts'
import type { CallRequest } from '../../run/running.ts'
import type { Fields } from '../connect/types.ts'
import type { OpenCall } from '../share/open-calls.ts'
import type { Lease } from '../share/types.ts'
import { inTrace } from './in-trace.ts'
import type { WaitingCalls } from './waiting-calls.ts'

/** What is sent to the server, and who sent it. */
export interface ServerCallOptions {
  readonly instance: string
  readonly lease: Lease
  readonly method: string
  readonly params: Fields
  readonly owner: string
  readonly waiting: WaitingCalls
  /** Makes an answer of the server's result. */
  readonly convert: (result: Fields) => unknown
  /** What an error of a run that goes on with an answer is for the caller. */
  readonly failed: (error: unknown) => Promise<unknown>
  /** Called when it had to end before the server answered. */
  readonly onCancelled: () => void
  /** Called once, when the server has answered or never will. */
  readonly onDone: () => void
}

interface Question {
  readonly asked: InputRequest
  readonly resolve: (answer: Fields) => void
  readonly reject: (reason: Error) => void
}

/**
 * A call at a server of 2025 that may ask its caller something while it runs. A question ends this run and not the call: what is given then
 * asks the caller, and with the answer the same call goes on in another run. It is never sent twice.
 */
export function runServerCall(options: ServerCallOptions, first: CallRequest): Promise<unknown> {
  const { instance, lease, method, params, owner, waiting, convert, failed, onDone, onCancelled } = options
  const life = new AbortController()
  const questions = new Map<string, Question>()
  let count = 0
  let current = first
  let asked = Promise.withResolvers<undefined>()

  /** Those that the caller was sent with the last answer. */
  let sent: readonly string[] = []

  const open: OpenCall = {
    get isAsking() {
      return questions.size > 0
    },
    ask(what, about, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<Fields>()
      const key = `question${++count}`
      questions.set(key, { asked: questionOf(what, about), resolve, reject })
      // The server does not want to know any more.
      signal.addEventListener('abort', () => {
        questions.delete(key)
        reject(new Error('The question was withdrawn'))
      })
      asked.resolve(undefined)
      return promise
    },
    log: (level, data) => current.log(level, data),
  }
  lease.calls.add(open)
  const done = lease.connection
    .request(method, inTrace(params, first.trace), {
      until: life,
      onProgress: (progress, more) => current.progress(progress, more),
      onCancelled,
    })
    .then((result) => ({ result }))
    .finally(() => {
      lease.calls.delete(open)
      lease.release()
      onDone()
    })
  done.catch(() => {}) // between two runs there is nothing that waits for it

  async function run(request: CallRequest): Promise<unknown> {
    current = request
    const cancel = () => abandon(request.signal.reason)
    if (request.signal.aborted) cancel()
    else request.signal.addEventListener('abort', cancel, { once: true })
    try {
      const answered = questions.size > 0 ? undefined : await Promise.race([done, asked.promise])
      if (answered) return convert(answered.result)
      asked = Promise.withResolvers()
      const handle = waiting.add(owner, { resume, abandon })
      sent = [...questions.keys()]
      const requests = Object.fromEntries([...questions].map(([key, { asked: question }]) => [key, question]))
      return inputRequired({ requests, state: { waiting: handle } })
    } catch (error) {
      abandon(error)
      throw error
    } finally {
      request.signal.removeEventListener('abort', cancel)
    }
  }

  function resume(request: CallRequest): Promise<unknown> {
    for (const key of sent) {
      const question = questions.get(key)
      const answer = request.inputResponses?.[key]
      questions.delete(key)
      if (answer) question?.resolve(answer)
      else question?.reject(Object.assign(new Error('The client gave no answer'), { code: INVALID_REQUEST }))
    }
    return run(request).catch(async (error: unknown) => {
      throw await failed(error)
    })
  }

  function abandon(reason: unknown): void {
    life.abort(reason)
    for (const { reject } of questions.values()) reject(hostError('CALL_CANCELLED', { tool: instance }))
    questions.clear()
  }

  return run(first)
}

const INVALID_REQUEST = -32_600

function questionOf(method: string, params: Fields): InputRequest {
  if (method === 'elicitation/create' || method === 'sampling/createMessage') return { method, params }
  return { method: 'roots/list', params: {} }
}
