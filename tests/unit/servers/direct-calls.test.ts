import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { createDirectCalls } from '../../../host/src/plugin/mcp-server/connect/direct-calls.ts'
import type { Fields, RequestOptions } from '../../../host/src/plugin/mcp-server/connect/types.ts'
import { PipeTransport } from '../../../host/src/plugin/mcp-server/process/pipe-transport.ts'
import type { ServerProcess } from '../../../host/src/plugin/mcp-server/process/server-process.ts'
import { OpenCalls, type OpenCall } from '../../../host/src/plugin/mcp-server/share/open-calls.ts'

interface Sent {
  readonly id: number
  readonly method: string
  readonly params: Fields
}

function callsOf(era: 'legacy' | 'modern' = 'legacy') {
  const sent: Sent[] = []
  const followed: string[] = []
  let isDeaf = false
  const calls = createDirectCalls({
    era,
    write(line) {
      if (isDeaf) throw Object.assign(new Error('deaf'), { code: 'NOT_CONNECTED' })
      sent.push(JSON.parse(line) as Sent)
    },
    envelope: era === 'modern' ? { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } : undefined,
    follow: () => {
      followed.push('t1')
      return { token: 't1', end: () => void followed.pop() }
    },
  })
  const outcome = (params: Fields = { name: 'echo' }, options: RequestOptions = {}) =>
    calls.request(params, options).then(
      (result) => ({ result }),
      (error: Error) => ({ error: Object.assign({ message: error.message }, error) }),
    )
  const deafen = () => void (isDeaf = true)
  const answer = (call: number, parts: Fields) => calls.take({ jsonrpc: '2.0', id: sent[call]?.id, ...parts })
  return { calls, sent, followed, outcome, answer, deafen }
}
const complete = { resultType: 'complete', content: [] }

test('answers are led to their calls in any order, once, and others are left to the SDK', async () => {
  const { calls, sent, outcome, answer } = callsOf()
  const [first, second] = [outcome({ name: 'a' }), outcome({ name: 'b', _meta: { of: 'caller' } })]
  assert.deepEqual(
    sent.map(({ method, params }) => [method, params]),
    [
      ['tools/call', { name: 'a' }],
      ['tools/call', { name: 'b', _meta: { of: 'caller' } }],
    ],
  )
  assert.equal(calls.take({ jsonrpc: '2.0', id: 0, result: {} }), false, 'one of the SDK')
  assert.equal(calls.take({ jsonrpc: '2.0', id: 2_000_000_000, result: {} }), false, 'one that was never asked')
  assert.equal(calls.take({ jsonrpc: '2.0', method: 'notifications/message' }), false)
  assert.equal(calls.take({ jsonrpc: '2.0', id: sent[0]?.id, method: 'ping' }), false, 'a question with the number of a call')
  assert.equal(calls.take({ jsonrpc: '2.0', id: String(sent[1]?.id), result: { of: 'b' } }), true, 'digits in place of a number')
  assert.equal(answer(0, { result: { of: 'a' } }), true)
  assert.equal(answer(0, { result: { of: 'again' } }), false)
  assert.deepEqual(await first, { result: { of: 'a' } })
  assert.deepEqual(await second, { result: { of: 'b' } })
})

test("a server's error is its own, and an answer that is neither is one of that call", async () => {
  const table: readonly (readonly [Fields, object])[] = [
    [{ error: { code: -32_602, message: 'no', data: { why: 1 } } }, { code: -32_602, message: 'no', data: { why: 1 } }],
    [{ error: { code: 'E', message: 'no' } }, { message: 'the server answered with neither a result nor an error' }],
    [{ error: 'no' }, { message: 'the server answered with neither a result nor an error' }],
    [{ result: 'text' }, { message: 'the server answered with neither a result nor an error' }],
    [{}, { message: 'the server answered with neither a result nor an error' }],
  ]
  for (const [parts, expected] of table) {
    const { outcome, answer } = callsOf()
    const call = outcome()
    answer(0, parts)
    assert.deepEqual(await call, { error: expected })
  }
})

test('a server of 2026-07-28 is told of its client in each request, and says what kind of result it gives', async () => {
  const table: readonly (readonly [Fields, RegExp | undefined])[] = [
    [complete, undefined],
    [{ resultType: 'input_required', inputRequests: { q: {} } }, undefined],
    [{ resultType: 'input_required', requestState: 's' }, undefined],
    [{ content: [] }, /it has no resultType/],
    [{ resultType: 'complete' }, /it has no content/],
    [{ resultType: 'task', content: [] }, /its resultType is "task"/],
    [{ resultType: 'input_required', inputRequests: {} }, /names none and no state/],
  ]
  for (const [result, problem] of table) {
    const { sent, outcome, answer } = callsOf('modern')
    const call = outcome({ name: 'a', _meta: { traceparent: 't' } })
    const envelope = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }
    assert.deepEqual(sent[0]?.params, { name: 'a', _meta: { ...envelope, traceparent: 't' } })
    answer(0, { result })
    const { error } = (await call) as { error?: Error }
    if (problem) assert.match(String(error?.message), problem)
    else assert.equal(error, undefined)
  }
})

test('a call that is cancelled is cancelled at the server, and its late answer is for no other', async () => {
  for (const how of ['signal', 'listener'] as const) {
    const { sent, followed, outcome, answer } = callsOf()
    const controller = new AbortController()
    let cancel = (_reason: unknown) => {}
    let told = 0
    const until =
      how === 'signal'
        ? controller
        : { signal: controller.signal, onCancel: (listener?: (reason: unknown) => void) => void (cancel = listener ?? cancel) }
    const call = outcome({ name: 'a' }, { until, onProgress() {}, onCancelled: () => void told++ })
    assert.deepEqual(sent[0]?.params, { name: 'a', _meta: { progressToken: 't1' } })
    const reason = new Error('the caller went')
    if (how === 'signal') controller.abort(reason)
    else cancel(reason)
    assert.deepEqual(await call, { error: { message: reason.message } })
    assert.partialDeepStrictEqual(sent[1], {
      method: 'notifications/cancelled',
      params: { requestId: sent[0]?.id, reason: 'Error: the caller went' },
    })
    assert.equal(told, 1)
    assert.deepEqual(followed, [], 'no progress is waited for')
    assert.equal(answer(0, { result: {} }), false)
    cancel(reason)
    assert.equal(sent.length, 2, 'once')
  }
})

test('a call that was answered is not cancelled any more', async () => {
  const { sent, outcome, answer } = callsOf()
  const controller = new AbortController()
  const call = outcome({ name: 'a' }, { until: controller })
  answer(0, { result: {} })
  controller.abort(new Error('late'))
  assert.deepEqual(await call, { result: {} })
  assert.equal(sent.length, 1)
})

test('calls end with their connection, and one that cannot be sent leaves nothing behind', async () => {
  const { calls, followed, outcome, deafen } = callsOf()
  const running = outcome({ name: 'a' }, { onProgress() {} })
  deafen()
  assert.partialDeepStrictEqual(await outcome({ name: 'b' }, { onProgress() {} }), { error: { code: 'NOT_CONNECTED' } })
  calls.end()
  assert.partialDeepStrictEqual(await running, { error: { code: 'CONNECTION_CLOSED' } })
  assert.deepEqual(followed, [])
})

function pipe() {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()]
  const killed: string[] = []
  const process: Partial<ServerProcess> = {
    stdin,
    stdout,
    exited: new Promise(() => {}),
    printed() {},
    kill: (why) => void killed.push(why),
  }
  const transport = new PipeTransport(process as ServerProcess, () => 0)
  const heard: unknown[] = []
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- a transport has one
  transport.onmessage = (message) => void heard.push(message)
  void transport.start()
  return { transport, stdin, stdout, killed, heard }
}

test('what is sent to a server in one turn is one write', async () => {
  const { transport, stdin } = pipe()
  const chunks: string[] = []
  stdin.on('data', (chunk: Buffer) => void chunks.push(chunk.toString()))
  void transport.send({ jsonrpc: '2.0', id: 1, method: 'ping' })
  transport.write('{"second":1}', true)
  await new Promise(setImmediate)
  assert.deepEqual(chunks, ['{"jsonrpc":"2.0","id":1,"method":"ping"}\n{"second":1}\n'])
})

test('answers beyond those that are due are bounded like all that nothing asked for', async () => {
  const { transport, stdout, killed, heard } = pipe()
  transport.write('{}', true)
  transport.write('{}', false)
  const answer = '{"jsonrpc":"2.0","id":1,"result":{}}\n'
  stdout.write(answer.repeat(60_000))
  await new Promise(setImmediate)
  assert.match(killed[0] ?? '', /more than 50000 messages within ten seconds that nothing asked for/)
  assert.ok(heard.length <= 2_001, 'the one that was due, and those of one second')
})

test('the calls at a server are kept in the order in which they began', () => {
  const calls = new OpenCalls()
  const call = (isAsking: boolean): OpenCall => ({ isAsking, ask: () => Promise.reject(new Error('asked')), log() {} })
  const [first, second, third] = [call(false), call(false), call(true)]
  for (const one of [first, second, third]) calls.add(one)
  assert.equal(calls.last, third)
  assert.equal(calls.lastNotAsking, second)
  calls.delete(second)
  calls.delete(second)
  assert.equal(calls.lastNotAsking, first)
  assert.equal(calls.size, 2)
})
