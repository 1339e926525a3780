import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { authInfoOf, callerOf, identify } from '../../../host/src/server/mcp/auth-info.ts'
import { createCaller } from '../../../host/src/server/catalog/caller.ts'
import { beginEarly } from '../../../host/src/transport/http/early-answer.ts'
import { sendWebResponse, toWebRequest } from '../../../host/src/transport/http/web-request.ts'
import { SessionTransport } from '../../../host/src/transport/streamable/session-transport.ts'

function exchange(headers: Readonly<Record<string, string>> = {}, method = 'POST') {
  const req = Object.assign(new IncomingMessage(new Socket()), { headers, method })
  const res = new ServerResponse(req)
  const chunks: string[] = []
  const keep = (chunk?: string | Uint8Array) => {
    if (chunk !== undefined) chunks.push(Buffer.from(chunk as string).toString())
  }
  res.write = ((chunk: string | Uint8Array) => {
    keep(chunk)
    return true
  }) as typeof res.write
  res.end = ((chunk?: string | Uint8Array) => {
    keep(chunk)
    return res
  }) as typeof res.end
  const head = () => String(Reflect.get(res, '_header') ?? '').split('\r\n')
  return { req, res, head, body: () => chunks.join('') }
}

test('the SDK is given what the protocol defines of a request, and no credential', () => {
  const { req, res } = exchange({
    'content-type': 'application/json',
    'last-event-id': 'a_1',
    traceparent: 't',
    tracestate: 's',
    'mcp-session-id': 'x',
    'mcp-protocol-version': '2025-11-25',
    authorization: 'Bearer secret',
    cookie: 'secret',
    'x-api-key': 'secret',
    'x-upstream-notes-token': 'secret',
    'x-forwarded-for': '1.1.1.1',
    host: 'localhost',
    accept: 'application/json',
  })
  const given = toWebRequest(req, res)
  assert.deepEqual(Object.fromEntries(given.headers), {
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    'last-event-id': 'a_1',
    'mcp-protocol-version': '2025-11-25',
    'mcp-session-id': 'x',
    traceparent: 't',
    tracestate: 's',
    'x-no-stream': 'true',
  })
  assert.deepEqual([given.method, given.url], ['POST', 'http://localhost/mcp'])
  const get = exchange({ accept: 'text/event-stream' }, 'GET')
  const stream = toWebRequest(get.req, get.res)
  assert.deepEqual([stream.method, stream.headers.get('x-no-stream')], ['GET', null])
})

test('a request is aborted when its client goes away before the answer is whole, and not by its end', () => {
  const [left, answered, gone] = [exchange(), exchange(), exchange()]
  const [one, two] = [left, answered].map(({ req, res }) => toWebRequest(req, res))
  Object.defineProperty(answered.res, 'writableFinished', { value: true })
  for (const { res } of [left, answered]) res.emit('close')
  gone.res.destroy()
  assert.deepEqual(
    [one?.signal.aborted, two?.signal.aborted, toWebRequest(gone.req, gone.res).signal.aborted],
    [true, false, true],
  )
})

const EVENTS =
  'id: 1\ndata: {"jsonrpc":"2.0","method":"m"}\n\nevent: message\ndata: {"jsonrpc":"2.0","id":7,"method":"ask"}\n\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n'
const json = (status = 200, body = '{"a":1}') =>
  new Response(body, { status, headers: { 'content-type': 'application/json', connection: 'keep-alive', 'mcp-session-id': 's' } })
const stream = (text = EVENTS) => new Response(text, { headers: { 'content-type': 'text/event-stream' } })

test('an answer of the SDK goes out in a form that the client takes', async () => {
  const sent = async (accept: string | undefined, response: Response, isEarly = false) => {
    const made = exchange(accept === undefined ? {} : { accept })
    if (isEarly) beginEarly(made.res, undefined)
    const asked: unknown[] = []
    await sendWebResponse(response, made.res, silentLogger, (question) => void asked.push(question))
    const type = made.head().find((line) => line.startsWith('content-type'))
    return { status: made.res.statusCode, type, body: made.body(), asked }
  }
  const [ofJson, ofStream] = ['content-type: application/json', 'content-type: text/event-stream']
  assert.deepEqual(await sent(undefined, json()), { status: 200, type: ofJson, body: '{"a":1}', asked: [] })
  assert.deepEqual(await sent('text/event-stream', json()), {
    status: 200,
    type: ofStream,
    body: 'event: message\ndata: {"a":1}\n\n',
    asked: [],
  })
  assert.deepEqual(await sent('text/event-stream', json(404)), { status: 404, type: ofJson, body: '{"a":1}', asked: [] })
  assert.deepEqual(await sent(undefined, stream()), { status: 200, type: ofStream, body: EVENTS, asked: [] })
  const answer = '{"jsonrpc":"2.0","id":1,"result":{}}'
  assert.deepEqual(await sent('application/json', stream()), { status: 200, type: ofJson, body: answer, asked: [{ id: 7 }] })
  const twice = `data: ${answer}\n\ndata: ${answer}\n\n`
  assert.equal((await sent('application/json', stream(twice))).body, `[${answer},${answer}]`)
  const none = await sent('application/json', stream('data: {"jsonrpc":"2.0","method":"m"}\n\n'))
  assert.deepEqual([none.status, none.type, none.body], [202, undefined, ''])
  assert.deepEqual(await sent(undefined, new Response(null, { status: 202 })), {
    status: 202,
    type: undefined,
    body: '',
    asked: [],
  })
  const early = await sent('text/event-stream', json(), true)
  assert.deepEqual([early.status, early.body], [200, ': keepalive\n\nevent: message\ndata: {"a":1}\n\n'])
  const earlyJson = await sent('application/json', json(), true)
  assert.deepEqual([earlyJson.type, earlyJson.body], [ofJson, '\n{"a":1}'])
  const earlyStream = await sent(undefined, stream(), true)
  assert.equal(earlyStream.body, `: keepalive\n\n${EVENTS}`)
})

test('a connection that is to be closed is closed, whatever the SDK says of it', async () => {
  const { res, head } = exchange()
  res.setHeader('connection', 'close')
  await sendWebResponse(json(), res, silentLogger)
  assert.deepEqual(
    head().filter((line) => /^connection:/i.test(line)),
    ['connection: close'],
  )
  assert.ok(head().includes('mcp-session-id: s') && head().includes('content-length: 7'))
})

test('nothing is sent to a client that is gone, and the stream for it is cancelled', async () => {
  const { res, head, body } = exchange()
  res.destroy()
  let isCancelled = false
  const endless = new ReadableStream({ cancel: () => void (isCancelled = true) })
  await sendWebResponse(new Response(endless, { headers: { 'content-type': 'text/event-stream' } }), res, silentLogger)
  assert.deepEqual([isCancelled, head(), body()], [true, [''], ''])
})

test('a session knows what it has not answered: each id once, until it is answered, refused or cancelled', async () => {
  const transport = new SessionTransport({ sessionIdGenerator: undefined, now: () => 0 })
  const call = (id: unknown) => ({ jsonrpc: '2.0', method: 'tools/call', id })
  assert.equal(transport.isBusy, false)
  assert.equal(transport.expect({ jsonrpc: '2.0', method: 'notifications/initialized' }), undefined)
  assert.equal(transport.expect({ jsonrpc: '2.0', id: 9, result: {} }), undefined)
  assert.equal(transport.isBusy, false, 'what asks for no answer keeps it from nothing')
  assert.equal(transport.expect(call(1)), undefined)
  assert.equal(transport.expect(call('1')), undefined, 'another id')
  assert.equal(transport.isBusy, true)
  assert.equal(transport.expect(call(1)), 1, 'twice')
  assert.equal(transport.expect([call(2), call(2)]), 2, 'twice in a batch')
  assert.equal(transport.expect([call(2), call('1')]), '1')
  assert.equal(transport.expect([call(2), call(3)]), undefined, 'nothing was noted of what was refused')
  transport.forget(call(1))
  transport.forget([call(2), call(3)])
  assert.equal(transport.isBusy, true)
  await transport.send({ jsonrpc: '2.0', id: '1', result: {} }).catch(() => {})
  assert.equal(transport.isBusy, false)
  await transport.cancelled(1)
})

test('who calls goes through the SDK as something that holds no token, and nothing else is taken for it', () => {
  const caller = createCaller({ id: 'ada', tenant: 'acme', permissions: ['a', 'b'], kind: 'apiKey' })
  const info = authInfoOf(caller)
  assert.deepEqual({ ...info }, { token: '', clientId: 'ada', scopes: ['a', 'b'] })
  assert.equal(authInfoOf(caller), info)
  assert.equal(callerOf(info), caller)
  const copy = { ...info }
  for (const stranger of [undefined, copy]) assert.throws(() => callerOf(stranger), /without a caller/)
  identify(copy, caller)
  assert.equal(callerOf(copy), caller)
})
