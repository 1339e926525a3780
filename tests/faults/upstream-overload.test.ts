import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callScope, refusal, serviceHttp } from '../fixtures/http/service-http.ts'
import { createTestClock } from '../fixtures/test-clock.ts'
import { held, reply, silent, startUpstream } from '../fixtures/http/upstream.ts'

test('a hundred hanging requests to one service leave another one alone', async () => {
  await using hanging = await startUpstream(silent)
  await using healthy = await startUpstream(reply(200, 'here'))
  const stuck = serviceHttp({ instance: 'stuck', baseUrl: hanging.url })
  await using other = serviceHttp({ instance: 'other', baseUrl: healthy.url })
  const lost = Array.from({ length: 150 }, () => stuck.text('/a').catch(() => 'ended'))
  await hanging.received(100)
  const answers = await Promise.all(Array.from({ length: 50 }, () => other.text('/b')))
  assert.deepEqual(new Set(answers), new Set(['here']))
  assert.equal(hanging.requests.length, 100, 'the rest waits inside the host')
  await stuck[Symbol.asyncDispose]()
  assert.deepEqual(new Set(await Promise.all(lost)), new Set(['ended']))
})

test('what waits is sent in order as soon as a place is free', async () => {
  const first = held(reply(200, 'first'))
  await using upstream = await startUpstream([first.behaviour, reply(200, 'later')])
  await using http = serviceHttp({ baseUrl: upstream.url, limits: { inFlight: 1, queued: 2 } })
  const answers = ['/1', '/2', '/3'].map((path) => http.text(path))
  await upstream.received(1)
  first.release()
  assert.deepEqual(await Promise.all(answers), ['first', 'later', 'later'])
  assert.deepEqual(
    upstream.requests.map(({ path }) => path),
    ['/1', '/2', '/3'],
  )
})

test('beyond the queue a request is refused at once, and says so', async () => {
  await using upstream = await startUpstream(silent)
  const http = serviceHttp({ baseUrl: upstream.url, limits: { inFlight: 1, queued: 1 } })
  const running = [http.text('/1'), http.text('/2')].map((answer) => answer.catch(() => {}))
  const error = await refusal(http.text('/3'), 'RATE_LIMITED')
  assert.equal(error.message, 'github: GET /3 was not sent: 1 requests are on their way and 1 wait')
  await http[Symbol.asyncDispose]()
  await Promise.all(running)
})

test('a call that ends while it waits gives its place in the queue back', async () => {
  const first = held(reply(200, 'first'))
  await using upstream = await startUpstream([first.behaviour, reply(200, 'third')])
  const call = new AbortController()
  const scopes = [undefined, callScope({ signal: call.signal })]
  await using http = serviceHttp({ baseUrl: upstream.url, limits: { inFlight: 1, queued: 1 }, currentCall: () => scopes.shift() })
  const running = http.text('/1')
  const waiting = http.text('/2')
  await upstream.received(1)
  call.abort(new Error('gave up'))
  await assert.rejects(waiting, /gave up/)
  const third = http.text('/3')
  first.release()
  assert.deepEqual([await running, await third], ['first', 'third'])
})

test('a call that ends while it waits for a connection does not wait for it any longer', async () => {
  const clock = createTestClock()
  const first = held(reply(200, 'first'))
  await using upstream = await startUpstream([first.behaviour, reply(200, 'never')])
  const call = new AbortController()
  const scopes = [undefined, callScope({ signal: call.signal })]
  await using http = serviceHttp({ baseUrl: upstream.url, limits: { connections: 1 }, clock, currentCall: () => scopes.shift() })
  const running = http.text('/1')
  await upstream.received(1)
  const waiting = http.text('/2', { timeoutMs: 7_777 })
  await clock.scheduled((ms) => ms === 7_777)
  call.abort(new Error('gave up'))
  await assert.rejects(waiting, /gave up/)
  first.release()
  assert.equal(await running, 'first')
  assert.equal(upstream.requests.length, 1)
})

test('requests that fail, time out or are cancelled give their places back', async () => {
  await using upstream = await startUpstream([
    (response) => response.destroy(),
    reply(500),
    reply(404),
    reply(200, 'x'.repeat(100)),
  ])
  await using http = serviceHttp({
    baseUrl: upstream.url,
    limits: { inFlight: 1, queued: 0, responseBytes: 10, breakerFailures: 99 },
  })
  for (const code of ['UPSTREAM_FAILED', 'UPSTREAM_FAILED', 'NOT_FOUND', 'UPSTREAM_FAILED', 'UPSTREAM_FAILED'] as const)
    await refusal(http.json('/a', { method: 'POST' }), code)
  assert.equal(upstream.requests.length, 5)
})
