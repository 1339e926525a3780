import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceHttpOptions } from '../../host/src/network/http-client.ts'
import { retryAfter } from '../../host/src/network/resilience/retry.ts'
import { callScope, refusal, serviceHttp } from '../fixtures/http/service-http.ts'
import { createTestClock, type TestClock } from '../fixtures/test-clock.ts'
import { FAR_HOSTS, reply, reset, resetMidBody, startUpstream } from '../fixtures/http/upstream.ts'

const NEVER = 1_000_000

/** A client whose only short timers are the waits before retries. */
function patientHttp(baseUrl: string, clock: TestClock, options: Partial<ServiceHttpOptions> = {}) {
  const limits = { headersMs: NEVER, bodyMs: NEVER, ...options.limits }
  return serviceHttp({ baseUrl, clock, random: () => 0.5, ...options, limits })
}

/** Lets the next retry's wait pass and tells how long it was. */
async function passWait(clock: TestClock): Promise<number> {
  const ms = await clock.scheduled((wait) => wait < NEVER)
  clock.advance(ms)
  return ms
}

for (const [what, behaviour] of [
  ['429', reply(429)],
  ['500', reply(500)],
  ['502', reply(502)],
  ['503', reply(503)],
  ['504', reply(504)],
  ['a connection closed at once', reset],
  ['a reset in the middle of the body', resetMidBody],
] as const)
  test(`a GET is sent again after ${what}, at most twice, each wait longer`, async () => {
    const clock = createTestClock()
    await using upstream = await startUpstream([behaviour, behaviour, reply(200, { third: true })])
    await using http = patientHttp(upstream.url, clock)
    const answer = http.json('/a')
    assert.deepEqual([await passWait(clock), await passWait(clock)], [100, 200])
    assert.deepEqual(await answer, { third: true })
  })

for (const method of ['HEAD', 'PUT', 'DELETE'] as const)
  test(`${method} is idempotent and sent again`, async () => {
    const clock = createTestClock()
    await using upstream = await startUpstream([reply(503), reply(200)])
    await using http = patientHttp(upstream.url, clock)
    const answer = http.text('/a', { method })
    await passWait(clock)
    await answer
    assert.equal(upstream.requests.length, 2)
  })

for (const method of ['POST', 'PATCH'] as const)
  test(`${method} is never sent twice`, async () => {
    for (const behaviour of [reply(503, undefined, { 'retry-after': '1' }), reset]) {
      await using upstream = await startUpstream(behaviour)
      await using http = serviceHttp({ baseUrl: upstream.url })
      await refusal(http.json('/a', { method }), 'UPSTREAM_FAILED')
      assert.equal(upstream.requests.length, 1)
    }
  })

for (const status of [400, 401, 403, 404, 409, 422, 501])
  test(`${status} is not sent again`, async () => {
    await using upstream = await startUpstream(reply(status))
    await using http = serviceHttp({ baseUrl: upstream.url })
    assert.equal((await http.request('/a')).status, status)
    assert.equal(upstream.requests.length, 1)
  })

const now = Date.parse('2026-11-22T12:00:00Z')
const waits: readonly (readonly [header: string, ms: number | undefined])[] = [
  ['5', 5_000],
  [' 5 ', 5_000],
  ['0', 0],
  ['86400', 86_400_000],
  ['Sun, 22 Nov 2026 12:00:07 GMT', 7_000],
  ['Sunday, 22-Nov-26 12:00:07 GMT', 7_000],
  ['Sun, 22 Nov 2026 11:59:00 GMT', undefined],
  ['-5', undefined],
  ['1.5', undefined],
  ['5s', undefined],
  ['soon', undefined],
  ['', undefined],
  ['99999999999999999999', undefined],
  ['2026-11-22T12:00:07Z', undefined],
]
for (const [header, ms] of waits)
  test(`Retry-After: "${header}" asks for ${ms === undefined ? 'nothing' : `${ms} ms`}`, () => {
    assert.equal(retryAfter({ headers: { 'retry-after': header } }, now), ms)
  })

test('waits as long as the service asks, and jitter on top', async () => {
  const clock = createTestClock()
  await using upstream = await startUpstream([
    reply(429, undefined, { 'retry-after': '5' }),
    reply(503, undefined, { 'retry-after': new Date(clock.now() + 35_100).toUTCString() }),
    reply(200, {}),
  ])
  await using http = patientHttp(upstream.url, clock)
  const answer = http.json('/a')
  assert.equal(await passWait(clock), 5_100)
  assert.equal(await passWait(clock), 29_900 + 200, 'from 5.1 s to the whole second 35')
  await answer
})

test('a longer Retry-After than 30 s is told, not waited for', async () => {
  const clock = createTestClock()
  await using upstream = await startUpstream([
    reply(429, undefined, { 'retry-after': '86400' }),
    reply(503, undefined, { 'retry-after': '31' }),
  ])
  await using http = patientHttp(upstream.url, clock)
  const limited = await refusal(http.json('/a'), 'RATE_LIMITED')
  assert.equal(limited.retryAfterMs, 86_400_000)
  assert.equal(limited.fix, 'Call again in 86400 s')
  const failed = await refusal(http.json('/a'), 'UPSTREAM_FAILED')
  assert.equal(failed.fix, 'Call again in 31 s')
  assert.equal(upstream.requests.length, 2)
})

test('a Retry-After that is nonsense or negative changes nothing', async () => {
  const clock = createTestClock()
  await using upstream = await startUpstream([
    reply(429, undefined, { 'retry-after': 'soon' }),
    reply(429, undefined, { 'retry-after': '-5' }),
    reply(429, undefined, { 'retry-after': '-5' }),
  ])
  await using http = patientHttp(upstream.url, clock)
  const answer = http.json('/a')
  assert.deepEqual([await passWait(clock), await passWait(clock)], [100, 200])
  assert.equal((await refusal(answer, 'RATE_LIMITED')).retryAfterMs, undefined)
})

test('a call that ends while it waits is not sent again', async () => {
  const clock = createTestClock()
  await using upstream = await startUpstream(reply(503))
  const call = new AbortController()
  await using http = patientHttp(upstream.url, clock, { currentCall: () => callScope({ signal: call.signal }) })
  const answer = http.json('/a')
  await clock.scheduled((ms) => ms < NEVER)
  const reason = new Error('cancelled')
  call.abort(reason)
  await assert.rejects(answer, (error) => error === reason)
  assert.equal(clock.pending, 0)
  assert.equal(upstream.requests.length, 1)
})

test('when everything fails, retries end and requests are sent once', async () => {
  const clock = createTestClock()
  await using upstream = await startUpstream(reply(429))
  await using http = patientHttp(upstream.url, clock)
  let retries = 0
  for (let request = 0; request < 30; request++) {
    const before = upstream.requests.length
    const answer = refusal(http.json('/a'), 'RATE_LIMITED')
    const done = Symbol('done')
    while ((await Promise.race([answer.then(() => done), passWait(clock)])) !== done);
    retries += upstream.requests.length - before - 1
  }
  assert.equal(retries, 12, 'the ten at hand, and a tenth of the requests since')
})

test('leaves a service alone after five failures in a row, whatever the method', async () => {
  const clock = createTestClock()
  await using upstream = await startUpstream(reply(500))
  await using http = patientHttp(upstream.url, clock)
  for (let failure = 0; failure < 5; failure++) await refusal(http.json('/a', { method: 'POST' }), 'UPSTREAM_FAILED')
  const error = await refusal(http.json('/a'), 'UPSTREAM_FAILED')
  assert.equal(error.message, 'github: GET /a was not sent: the service failed several times in a row')
  assert.equal(error.fix, 'Call again in 30 s; the host tries it again then')
  assert.equal(upstream.requests.length, 5)
})

test('retries count as failures, and end when the breaker opens with what the service said', async () => {
  const clock = createTestClock()
  await using upstream = await startUpstream(reply(500, 'boom'))
  await using http = patientHttp(upstream.url, clock, { limits: { breakerFailures: 2 } })
  const answer = http.json('/a')
  await passWait(clock)
  await passWait(clock)
  assert.match((await refusal(answer, 'UPSTREAM_FAILED')).message, /answered 500: boom/)
  assert.equal(upstream.requests.length, 2)
})

test('any answer below 500 keeps the breaker closed', async () => {
  await using upstream = await startUpstream([reply(500), reply(500), reply(404), reply(500), reply(500), reply(200, 'here')])
  await using http = serviceHttp({ baseUrl: upstream.url, limits: { breakerFailures: 3 } })
  const statuses = []
  for (let request = 0; request < 6; request++) statuses.push((await http.request('/a', { method: 'POST' })).status)
  assert.deepEqual(statuses, [500, 500, 404, 500, 500, 200])
})

test('one request tries the service after 30 s, and its success lets all through', async () => {
  const clock = createTestClock()
  const gate = Promise.withResolvers<void>()
  await using upstream = await startUpstream([
    reply(500),
    reply(500),
    (response, request) => void gate.promise.then(() => reply(200, 'probe')(response, request)),
    reply(200, 'more'),
  ])
  await using http = patientHttp(upstream.url, clock, { limits: { breakerFailures: 2 } })
  const post = () => http.text('/a', { method: 'POST' })
  await refusal(post(), 'UPSTREAM_FAILED')
  await refusal(post(), 'UPSTREAM_FAILED')
  clock.advance(29_999)
  await refusal(post(), 'UPSTREAM_FAILED')
  assert.equal(upstream.requests.length, 2)
  clock.advance(1)
  const probe = post()
  await upstream.received(3)
  await refusal(post(), 'UPSTREAM_FAILED')
  assert.equal(upstream.requests.length, 3, 'a second one does not try with it')
  gate.resolve()
  assert.equal(await probe, 'probe')
  assert.equal(await post(), 'more')
})

test('a probe that fails leaves the service alone for another 30 s', async () => {
  const clock = createTestClock()
  await using upstream = await startUpstream(reply(500))
  await using http = patientHttp(upstream.url, clock, { limits: { breakerFailures: 1 } })
  const post = () => refusal(http.text('/a', { method: 'POST' }), 'UPSTREAM_FAILED')
  await post()
  clock.advance(30_000)
  await post()
  clock.advance(29_999)
  await post()
  assert.equal(upstream.requests.length, 2)
})

test('a probe whose call gives up lets the next one try', async () => {
  const clock = createTestClock()
  await using upstream = await startUpstream([reply(500), () => {}, reply(200, 'back')])
  const calls = [new AbortController(), new AbortController(), new AbortController()]
  const scopes = calls.map(({ signal }) => callScope({ access: 'write', signal }))
  await using http = patientHttp(upstream.url, clock, { limits: { breakerFailures: 1 }, currentCall: () => scopes.shift() })
  const post = () => http.text('/a', { method: 'POST' })
  await refusal(post(), 'UPSTREAM_FAILED')
  clock.advance(30_000)
  const probe = post()
  await upstream.received(2)
  calls[1]?.abort(new Error('gave up'))
  await assert.rejects(probe, /gave up/)
  assert.equal(await post(), 'back')
})

test('the failures of one fetched host do not close the others', async () => {
  const isPublic = () => true
  await using broken = await startUpstream(reply(500), { host: FAR_HOSTS[0] })
  await using fine = await startUpstream(reply(200, 'fine'), { host: FAR_HOSTS[1] })
  await using http = serviceHttp({
    extraHosts: ['public'],
    dialing: { isPublic, lookup: (_, callback) => callback(null, []) },
    limits: { breakerFailures: 1, retries: 0 },
  })
  await refusal(http.text(`${broken.url}/`), 'UPSTREAM_FAILED')
  await refusal(http.text(`${broken.url}/`), 'UPSTREAM_FAILED')
  assert.equal(broken.requests.length, 1)
  assert.equal(await http.text(`${fine.url}/`), 'fine')
})
