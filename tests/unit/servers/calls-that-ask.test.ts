// One call at a server that may ask its caller meanwhile: each question ends a run, each answer goes on with the same call.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fields, RequestOptions } from '../../../host/src/plugin/mcp-server/connect/types.ts'
import { runServerCall } from '../../../host/src/plugin/mcp-server/relay/server-call.ts'
import { createWaitingCalls } from '../../../host/src/plugin/mcp-server/relay/waiting-calls.ts'
import { OpenCalls } from '../../../host/src/plugin/mcp-server/share/open-calls.ts'
import type { Lease } from '../../../host/src/plugin/mcp-server/share/types.ts'
import type { CallRequest } from '../../../host/src/plugin/run/running.ts'

interface Sent {
  readonly method: string
  readonly params: Fields
  readonly signal: AbortSignal
  readonly onProgress: NonNullable<RequestOptions['onProgress']>
}

/** A call whose server is played: what it was sent, and the way to answer, fail or ask. */
function playedCall() {
  const told: unknown[] = []
  const sent: Sent[] = []
  const calls = new OpenCalls()
  const waiting = createWaitingCalls('desk')
  const answer = Promise.withResolvers<Fields>()
  answer.promise.catch(() => {})
  const connection = {
    request(method: string, params: Fields, { until, onProgress, onCancelled }: RequestOptions) {
      const signal = until?.signal ?? assert.fail()
      sent.push({ method, params, signal, onProgress: onProgress ?? assert.fail() })
      signal.addEventListener('abort', () => {
        onCancelled?.()
        answer.reject(signal.reason)
      })
      return answer.promise
    },
  } as Partial<Lease['connection']> as Lease['connection']
  const lease: Lease = { connection, offer: undefined, calls, release: () => void told.push('released') }
  const request = (more: Partial<CallRequest> = {}) =>
    ({
      requestId: 'r',
      signal: new AbortController().signal,
      inputResponses: undefined,
      progress: (progress: number, options?: object) => void told.push(['progress', progress, options]),
      log: (level: string, data: unknown) => void told.push([level, data]),
      ...more,
    }) as Partial<CallRequest> as CallRequest
  const run = (first = request()) =>
    runServerCall(
      {
        instance: 'desk',
        lease,
        method: 'tools/call',
        params: { name: 'get' },
        owner: 'ann',
        waiting,
        convert: (result) => ({ converted: result }),
        failed: async (error) => Object.assign(new Error('told'), { cause: error }),
        onCancelled: () => void told.push('cancelled'),
        onDone: () => void told.push('done'),
      },
      first,
    )
  const open = () => calls.last ?? assert.fail('no call is open')
  const ask = (method: string, about: Fields, signal = new AbortController().signal) => open().ask(method, about, signal)
  return { run, request, ask, open, answer, sent, told, waiting, calls }
}

type Asked = { readonly requests: Readonly<Record<string, object>>; readonly state: { readonly waiting: string } }
/** What a run that ended with questions gives. */
function asked(answer: unknown): Asked {
  const found = answer as Partial<Asked>
  assert.ok(found.requests && found.state, JSON.stringify(answer))
  return found as Asked
}
const turn = () => new Promise((resolve) => setImmediate(resolve))
const failure = (work: Promise<unknown>) =>
  work.then(
    () => assert.fail('it did not fail'),
    (error: unknown) => error as Error & { code?: unknown },
  )

test('a call that asks nothing gives what the server answers, and frees its connection once', async () => {
  const { run, answer, sent, told, calls } = playedCall()
  const running = run()
  assert.deepEqual(
    sent.map(({ method, params }) => [method, params]),
    [['tools/call', { name: 'get' }]],
  )
  sent[0]?.onProgress(1, { total: 2 })
  assert.equal(calls.size, 1)
  answer.resolve({ a: 1 })
  assert.deepEqual(await running, { converted: { a: 1 } })
  assert.deepEqual([told, calls.size], [[['progress', 1, { total: 2 }], 'released', 'done'], 0])
})

test('a question ends the run; its answer goes on with the same call, whose progress and lines are the later request’s', async () => {
  const { run, request, ask, open, answer, sent, told, waiting } = playedCall()
  const running = run()
  const replies = [
    ask('elicitation/create', { message: 'Sure?' }),
    ask('sampling/createMessage', { max: 1 }),
    ask('roots/list', { x: 1 }),
  ]
  const { requests, state } = asked(await running)
  assert.deepEqual(requests, {
    question1: { method: 'elicitation/create', params: { message: 'Sure?' } },
    question2: { method: 'sampling/createMessage', params: { max: 1 } },
    question3: { method: 'roots/list', params: {} },
  })
  assert.deepEqual([open().isAsking, waiting.size, told], [true, 1, []])
  const later: unknown[] = []
  const responses = { question1: { action: 'accept' }, question2: { role: 'assistant' } } as never
  const resumed = waiting
    .take('ann', state.waiting)
    .resume(
      request({ inputResponses: responses, progress: (at) => void later.push(at), log: (_, data) => void later.push(data) }),
    )
  assert.deepEqual(await Promise.all(replies.slice(0, 2)), [{ action: 'accept' }, { role: 'assistant' }])
  assert.equal((await failure(replies[2] ?? assert.fail())).code, -32_600, 'the client gave no answer to that')
  assert.equal(open().isAsking, false)
  sent[0]?.onProgress(5, {})
  open().log('info', 'line')
  assert.deepEqual([later, told], [[5, 'line'], []])
  answer.resolve({ b: 2 })
  assert.deepEqual(await resumed, { converted: { b: 2 } })
  assert.equal(sent.length, 1, 'it is sent once')
  assert.deepEqual(told, ['released', 'done'])
})

test('a question that comes while the caller is asked another is asked in the next run', async () => {
  const { run, request, ask, waiting, answer } = playedCall()
  const running = run()
  const first = ask('elicitation/create', { n: 1 })
  const before = asked(await running)
  const second = ask('elicitation/create', { n: 2 })
  const next = waiting
    .take('ann', before.state.waiting)
    .resume(request({ inputResponses: { question1: { a: 1 }, question2: { a: 2 } } }))
  assert.deepEqual(await first, { a: 1 })
  const after = asked(await next)
  assert.deepEqual(after.requests, { question2: { method: 'elicitation/create', params: { n: 2 } } })
  assert.notEqual(after.state.waiting, before.state.waiting)
  const last = waiting.take('ann', after.state.waiting).resume(request({ inputResponses: { question2: { a: 3 } } }))
  assert.deepEqual(await second, { a: 3 })
  answer.resolve({})
  await last
})

test('a question that the server withdraws is not asked, and the run goes on', async () => {
  const { run, ask, open, answer } = playedCall()
  const running = run()
  const stop = new AbortController()
  const reply = failure(ask('elicitation/create', {}, stop.signal))
  stop.abort()
  assert.match((await reply).message, /withdrawn/)
  assert.equal(open().isAsking, false)
  answer.resolve({})
  await running.catch(() => {})
})

test('a call is cancelled at the server with the reason of whichever request is waiting for it, and not by one that is over', async () => {
  const { run, request, ask, sent, waiting, told } = playedCall()
  const [one, two] = [new AbortController(), new AbortController()]
  const running = run(request({ signal: one.signal }))
  const reply = ask('elicitation/create', {})
  const { state } = asked(await running)
  one.abort(new Error('the first is over'))
  await turn()
  assert.equal(sent[0]?.signal.aborted, false)
  const resumed = failure(
    waiting.take('ann', state.waiting).resume(request({ signal: two.signal, inputResponses: { question1: {} } })),
  )
  await reply
  two.abort(new Error('the client went away'))
  const error = await resumed
  assert.deepEqual([error.message, (error.cause as Error).message], ['told', 'the client went away'])
  assert.equal(sent[0]?.signal.aborted, true)
  assert.deepEqual(told, ['cancelled', 'released', 'done'])

  const late = playedCall()
  const over = new AbortController()
  over.abort(new Error('too late'))
  assert.equal((await failure(late.run(late.request({ signal: over.signal })))).message, 'too late')
})

test('a call whose caller does not come back is ended, and its questions are refused', async () => {
  const { run, ask, sent, waiting } = playedCall()
  const running = run()
  const reply = failure(ask('elicitation/create', {}))
  const { state } = asked(await running)
  waiting.take('ann', state.waiting).abandon(new Error('no answer came'))
  assert.equal((await reply).code, 'CALL_CANCELLED')
  assert.equal(sent[0]?.signal.aborted, true)
})

test('an error of the server is the run’s own, and one after an answer is told as the call’s', async () => {
  const first = playedCall()
  const running = failure(first.run())
  first.answer.reject(new Error('refused'))
  assert.equal((await running).message, 'refused')
  const second = playedCall()
  const begun = second.run()
  void second.ask('elicitation/create', {})
  const { state } = asked(await begun)
  const resumed = failure(second.waiting.take('ann', state.waiting).resume(second.request({ inputResponses: { question1: {} } })))
  second.answer.reject(new Error('refused'))
  const error = await resumed
  assert.deepEqual([error.message, (error.cause as Error).message], ['told', 'refused'])
})
