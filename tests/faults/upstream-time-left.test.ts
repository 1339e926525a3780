import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { ladder, RUNGS } from '../fixtures/auth/ladder.ts'
import { rawClient } from '../fixtures/http/raw-client.ts'
import { callScope, refusal, serviceHttp } from '../fixtures/http/service-http.ts'
import { held, reply, startUpstream } from '../fixtures/http/upstream.ts'
import { trackedHost, trackerPlugin } from '../fixtures/plugins/tracker.ts'
import { createTestClock } from '../fixtures/test-clock.ts'

const NEVER = 1_000_000

for (const [status, code] of [
  [429, 'RATE_LIMITED'],
  [503, 'UPSTREAM_FAILED'],
] as const)
  test(`a Retry-After of ${status} that outlasts the call is told at once, and not waited for`, async () => {
    await using upstream = await startUpstream(reply(status, undefined, { 'retry-after': '12' }))
    await using http = serviceHttp({ baseUrl: upstream.url, currentCall: () => callScope({ timeLeftMs: () => 12_000 }) })
    const error = await refusal(http.json('/a'), code)
    assert.deepEqual([error.retryAfterMs, error.fix], [12_000, 'Call again in 12 s'])
    assert.equal(upstream.requests.length, 1)
  })

test('a wait that fits into the call is waited for', async () => {
  const clock = createTestClock()
  await using upstream = await startUpstream([reply(429, undefined, { 'retry-after': '12' }), reply(200, 'there')])
  await using http = serviceHttp({
    baseUrl: upstream.url,
    clock,
    limits: { headersMs: NEVER, bodyMs: NEVER },
    currentCall: () => callScope({ timeLeftMs: () => 13_000 }),
  })
  const answer = http.text('/a')
  clock.advance(await clock.scheduled((wait) => wait < NEVER))
  assert.equal(await answer, 'there')
})

test('the time that a tool has left reaches its requests, in the host and in a process of its own', async (t) => {
  const again = reply(429, undefined, { 'retry-after': '20' })
  await using upstream = await startUpstream(again)
  const rungs = RUNGS.filter(({ server, policy, exchanges }) => server === 'personalToken' && policy === 'allow' && !exchanges)
  assert.deepEqual(
    rungs.map(({ isolation }) => isolation),
    ['inline', 'process'],
  )
  const at = await ladder(t, {
    mode: 'none',
    isTenanted: false,
    rungs,
    entry: { config: { apiUrl: upstream.url, personalToken: 'x' } },
    config: { limits: { callTimeoutMs: 15_000 } },
  })
  for (const { instance } of rungs) {
    const { text } = await rawClient(at.url).call(`${instance}_read`, { cell: 'x' })
    assert.match(text, /Call again in 20 s/)
  }
  assert.equal(upstream.requests.length, 2)
})

test('a hundred requests have a hundred connections, and twenty of them stay when all are answered', async () => {
  const answer = held(reply(200, 'there'))
  await using upstream = await startUpstream(answer.behaviour)
  await using http = serviceHttp({ baseUrl: upstream.url })
  const answers = Promise.all(Array.from({ length: 120 }, () => http.text('/a')))
  await upstream.received(100)
  assert.equal(upstream.sockets.size, 100)
  answer.release()
  await answers
  assert.equal(upstream.requests.length, 120)
  while (upstream.sockets.size > 20) {
    const [first] = upstream.sockets
    await Promise.race([...upstream.sockets].map((socket) => once(socket, 'close')))
    assert.ok(first)
  }
  assert.equal(upstream.sockets.size, 20)
})

test('a service that takes nothing of a large request is given up after the time for writing, and one that takes it is not', async () => {
  const clock = createTestClock()
  const sockets = new Set<Socket>()
  const deaf = createServer((socket) => {
    socket.pause()
    sockets.add(socket)
  })
  deaf.listen(0, '127.0.0.1')
  await once(deaf, 'listening')
  const address = deaf.address()
  assert.ok(typeof address === 'object' && address)
  const body = Buffer.alloc(32 * 1_048_576, 'x')
  const limits = { writeMs: 10_000, headersMs: NEVER, bodyMs: NEVER }
  await using http = serviceHttp({ baseUrl: `http://127.0.0.1:${address.port}`, clock, limits })
  const sent = refusal(http.text('/a', { method: 'POST', body }), 'TIMEOUT')
  clock.advance(await clock.scheduled((wait) => wait === 10_000))
  // What the machine takes for a service that takes nothing: each part that is taken begins the time again.
  const pushing = setInterval(() => clock.advance(10_000), 50)
  const error = await sent
  clearInterval(pushing)
  assert.match(error.message, /timed out: the service took no more of the request within 10 s/)
  for (const socket of sockets) socket.destroy()
  deaf.close()

  await using upstream = await startUpstream(reply(200, 'there'))
  await using other = serviceHttp({ baseUrl: upstream.url })
  for (const size of [65_536, 65_537, 5_000_000]) {
    assert.equal(await other.text('/a', { method: 'POST', body: Buffer.alloc(size, 'y') }), 'there')
    const { headers, body: received } = upstream.requests.at(-1) ?? assert.fail()
    assert.deepEqual([headers['content-length'], received.length, headers['transfer-encoding']], [String(size), size, undefined])
  }
})

for (const [plugin, expected] of [
  [{ ...trackerPlugin(), version: '2.3.1' }, /^patchbay-tracker\/2\.3\.1$/],
  [trackerPlugin(), /^patchbay-tracker\/\d+\.\d+\.\d+/],
  [{ ...trackerPlugin(), version: '1 (x)' }, /^patchbay-tracker$/],
  [{ ...trackerPlugin(), headers: { 'User-Agent': 'own/1' } }, /^own\/1$/],
] as const)
  test(`services are asked by ${String(expected)}`, async (t) => {
    await using upstream = await startUpstream(reply(200, 'there'))
    const { call } = await trackedHost(t, [{ use: plugin, as: 'eu', config: { apiUrl: upstream.url, personalToken: 'x' } }])
    await call('eu_issues_get')
    assert.match(String(upstream.requests[0]?.headers['user-agent']), expected)
  })
