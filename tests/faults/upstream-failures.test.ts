import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { ServiceErrorCode } from '@mcp-patchbay/plugin-api'
import { callScope, localDialing, refusal, serviceHttp } from '../fixtures/http/service-http.ts'
import { createTestClock } from '../fixtures/test-clock.ts'
import {
  endless,
  gzipBomb,
  raw,
  reply,
  reset,
  resetMidBody,
  silent,
  stalledBody,
  startUpstream,
  testAuthority,
  type Behaviour,
} from '../fixtures/http/upstream.ts'

/** Every way an answer can go wrong, and what the plugin is told. Sent with POST, so that nothing is retried. */
const table: readonly (readonly [what: string, behaviour: Behaviour, code: ServiceErrorCode, message: RegExp])[] = [
  ['400', reply(400, { error: { message: 'bad field' } }), 'INVALID_INPUT', /answered 400: bad field$/],
  ['401', reply(401, { message: 'Bad credentials' }), 'AUTHENTICATION_FAILED', /answered 401: Bad credentials$/],
  [
    '403',
    reply(403, { error: 'forbidden', error_description: 'no scope' }),
    'PERMISSION_DENIED',
    /answered 403: forbidden; no scope$/,
  ],
  ['404', reply(404, 'Not Found'), 'NOT_FOUND', /answered 404: Not Found$/],
  ['409', reply(409, { errorMessages: ['taken', 'late'] }), 'INVALID_INPUT', /answered 409: taken; late$/],
  ['410', reply(410), 'NOT_FOUND', /answered 410$/],
  ['422', reply(422, { errors: [{ message: 'too long' }] }), 'INVALID_INPUT', /answered 422: too long$/],
  ['429', reply(429, { title: 'Slow down' }), 'RATE_LIMITED', /answered 429: Slow down$/],
  [
    '500',
    reply(500, '<html><title>Oops</title><body>stack</body></html>'),
    'UPSTREAM_FAILED',
    /answered 500: Oops\. The change may or may not have been made$/,
  ],
  ['503', reply(503), 'UPSTREAM_FAILED', /answered 503$/],
  ['HTML instead of JSON', reply(200, '<!doctype html><title>Log in</title>'), 'UPSTREAM_FAILED', /an HTML page instead of JSON/],
  ['nothing instead of JSON', reply(200, ''), 'UPSTREAM_FAILED', /answered 200 with nothing instead of JSON/],
  ['half of a JSON document', reply(200, '{"a":'), 'UPSTREAM_FAILED', /something else instead of JSON/],
  ['invalid UTF-8', reply(200, Buffer.from([0x22, 0xff, 0x22])), 'UPSTREAM_FAILED', /bytes that are not valid text/],
  ['a connection closed at once', reset, 'UPSTREAM_FAILED', /the connection broke/],
  ['a reset in the middle of the body', resetMidBody, 'UPSTREAM_FAILED', /the connection broke/],
  ['less than it announced', raw('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}'), 'UPSTREAM_FAILED', /the connection broke/],
  [
    'a chunk that breaks off',
    raw('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"a'),
    'UPSTREAM_FAILED',
    /the connection broke/,
  ],
  ['two lengths', raw('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}'), 'UPSTREAM_FAILED', /failed: /],
  ['something that is not HTTP', raw('SSH-2.0-OpenSSH_9.2\r\n'), 'UPSTREAM_FAILED', /the answer is not HTTP/],
  ['100 Continue unasked', raw('HTTP/1.1 100 Continue\r\n\r\n'.repeat(100)), 'UPSTREAM_FAILED', /the connection broke/],
  ['a body without end', endless, 'UPSTREAM_FAILED', /more than the 100000 bytes that are accepted/],
  ['a gzip bomb', gzipBomb(50_000_000), 'UPSTREAM_FAILED', /more than the 100000 bytes that are accepted/],
  [
    'half of a gzip body',
    reply(200, gzipSync('x'.repeat(500)).subarray(0, 20), { 'content-encoding': 'gzip' }),
    'UPSTREAM_FAILED',
    /not whole gzip/,
  ],
  ['gzip that is none', reply(200, 'plain', { 'content-encoding': 'gzip' }), 'UPSTREAM_FAILED', /not whole gzip/],
  [
    'an unknown content encoding',
    reply(200, 'x', { 'content-encoding': 'lzma' }),
    'UPSTREAM_FAILED',
    /the content encoding "lzma"/,
  ],
  [
    'content encodings in layers',
    reply(200, 'x', { 'content-encoding': 'gzip, gzip' }),
    'UPSTREAM_FAILED',
    /the content encoding "gzip, gzip"/,
  ],
]
for (const [what, behaviour, code, message] of table)
  test(`${what} is ${code}, and the connection is free again`, async () => {
    await using upstream = await startUpstream([behaviour, reply(200, { after: true })])
    await using http = serviceHttp({
      baseUrl: upstream.url,
      limits: { responseBytes: 100_000, connections: 1, inFlight: 1, queued: 0, breakerFailures: 100 },
    })
    const error = await refusal(http.json('/repos/a?token=hidden', { method: 'POST' }), code)
    assert.match(error.message, message)
    assert.match(error.message, /^github: POST \/repos\/a\?token=… /)
    assert.ok(error.fix)
    assert.deepEqual(await http.json('/after', { method: 'POST' }), { after: true })
  })

test('more bytes than announced do not become the next answer', async () => {
  const second = 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"smuggled"'
  await using upstream = await startUpstream([
    raw(`HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ntrue${second}`, { end: false }),
    reply(200, { mine: true }),
  ])
  await using http = serviceHttp({ baseUrl: upstream.url, limits: { connections: 1 } })
  assert.equal(await http.json('/a'), true)
  assert.deepEqual(await http.json('/b'), { mine: true })
})

test('a storm of 103 Early Hints ends in the answer', async () => {
  await using upstream = await startUpstream(
    raw(`${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1_000)}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}`),
  )
  await using http = serviceHttp({ baseUrl: upstream.url })
  assert.deepEqual(await http.json('/a'), {})
})

test('a refused connection names the variable of the address', async () => {
  const closed = await startUpstream(silent)
  await closed[Symbol.asyncDispose]()
  await using http = serviceHttp({ baseUrl: closed.url, limits: { retries: 0 } })
  const error = await refusal(http.json('/a'), 'UPSTREAM_FAILED')
  assert.equal(error.message, 'github: GET /a failed: the connection was refused')
  assert.match(error.fix ?? '', /GITHUB_API_URL/)
})

test('an unknown host names the variable of the address and is not retried', async () => {
  let lookups = 0
  const dialing = localDialing()
  await using http = serviceHttp({
    baseUrl: 'https://nowhere.test',
    dialing: { ...dialing, lookup: (name, callback) => (lookups++, dialing.lookup(name, callback)) },
  })
  const error = await refusal(http.json('/a'), 'UPSTREAM_FAILED')
  assert.match(error.message, /the name of the host is unknown/)
  assert.match(error.fix ?? '', /GITHUB_API_URL/)
  assert.equal(lookups, 1)
})

test('a certificate nobody vouches for is refused', async () => {
  await using upstream = await startUpstream(reply(200, {}), { protocol: 'https' })
  await using http = serviceHttp({ baseUrl: upstream.url })
  const error = await refusal(http.json('/a'), 'UPSTREAM_FAILED')
  assert.match(error.message, /no secure connection \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)/)
  assert.match(error.fix ?? '', /NODE_EXTRA_CA_CERTS/)
  assert.equal(upstream.requests.length, 0)
})

test('a certificate for another host is refused', async () => {
  await using upstream = await startUpstream(reply(200, {}), { protocol: 'https' })
  const dialing = localDialing({ 'other.test': ['127.0.0.1'], 'service.test': ['127.0.0.1'] })
  await using wrong = serviceHttp({ baseUrl: `https://other.test:${upstream.port}`, ca: testAuthority, dialing })
  assert.match((await refusal(wrong.json('/a'), 'UPSTREAM_FAILED')).message, /ERR_TLS_CERT_ALTNAME_INVALID/)
  await using right = serviceHttp({ baseUrl: `https://service.test:${upstream.port}`, ca: testAuthority, dialing })
  assert.deepEqual(await right.json('/a'), {})
})

test('a host that accepts and never shakes hands is a timeout', async () => {
  await using mute = createServer((socket) => void socket.on('error', () => {}).resume()).listen(0, '127.0.0.1')
  await once(mute, 'listening')
  const address = mute.address()
  assert.ok(typeof address === 'object' && address)
  await using http = serviceHttp({ baseUrl: `https://127.0.0.1:${address.port}`, limits: { connectMs: 20, retries: 0 } })
  assert.match((await refusal(http.json('/a'), 'TIMEOUT')).message, /timed out: no connection in time/)
})

test('no answer within 30 s is a timeout and closes the connection', async () => {
  const clock = createTestClock()
  await using upstream = await startUpstream(silent)
  await using http = serviceHttp({ baseUrl: upstream.url, clock })
  const answer = http.json('/a')
  const request = await upstream.received(1)
  clock.advance(29_999)
  clock.advance(1)
  assert.equal((await refusal(answer, 'TIMEOUT')).message, 'github: GET /a timed out: no answer within 30 s')
  await request.abandoned
  assert.equal(clock.pending, 0)
})

test('a body that drips is a timeout after 60 s, however often a byte comes', async () => {
  const clock = createTestClock()
  let drip = () => {}
  await using upstream = await startUpstream((response) => {
    response.writeHead(200)
    drip = () => void response.write('.')
    drip()
  })
  await using http = serviceHttp({ baseUrl: upstream.url, clock })
  const answer = http.text('/a')
  await clock.scheduled((ms) => ms === 60_000)
  clock.advance(59_000)
  drip()
  clock.advance(1_000)
  assert.equal((await refusal(answer, 'TIMEOUT')).message, 'github: GET /a timed out: the answer was not complete within 60 s')
  await upstream.requests[0]?.abandoned
})

test("a request's own limit counts instead", async () => {
  const clock = createTestClock()
  await using upstream = await startUpstream([silent, stalledBody])
  await using http = serviceHttp({ baseUrl: upstream.url, clock })
  const first = http.json('/a', { timeoutMs: 1_500 })
  await upstream.received(1)
  clock.advance(1_500)
  assert.match((await refusal(first, 'TIMEOUT')).message, /no answer within 1.5 s/)
})

test('a call that ends takes its request along, with its own reason', async () => {
  for (const behaviour of [silent, stalledBody]) {
    const clock = createTestClock()
    await using upstream = await startUpstream(behaviour)
    const call = new AbortController()
    await using http = serviceHttp({
      baseUrl: upstream.url,
      clock,
      currentCall: () => callScope({ access: 'write', signal: call.signal }),
    })
    const answer = http.json('/a')
    const request = await upstream.received(1)
    const reason = new Error('cancelled by the client')
    call.abort(reason)
    await assert.rejects(answer, (error) => error === reason)
    await request.abandoned
    assert.equal(clock.pending, 0)
  }
})

test('a call that has ended sends nothing', async () => {
  await using upstream = await startUpstream(reply(200, {}))
  const reason = new Error('cancelled by the client')
  await using http = serviceHttp({
    baseUrl: upstream.url,
    currentCall: () => callScope({ access: 'write', signal: AbortSignal.abort(reason) }),
  })
  await assert.rejects(http.json('/a'), (error) => error === reason)
  assert.equal(upstream.requests.length, 0)
})

test('disposing ends what is on its way', async () => {
  await using upstream = await startUpstream(silent)
  const http = serviceHttp({ baseUrl: upstream.url })
  const answer = refusal(http.json('/a'), 'UPSTREAM_FAILED')
  const request = await upstream.received(1)
  await http[Symbol.asyncDispose]()
  assert.match((await answer).message, /^github: the plugin was stopped/)
  await request.abandoned
})

test('what the service says is one line of 300 characters at most', async () => {
  await using upstream = await startUpstream([
    reply(400, { message: `a\r\n\u001b[31mb\u200b\u202ec\u0000${'d'.repeat(1_000)}` }),
    reply(400, 'x'.repeat(100_000)),
    reply(400, `${'['.repeat(30_000)}${']'.repeat(30_000)}`),
  ])
  await using http = serviceHttp({ baseUrl: upstream.url })
  const { message } = await refusal(http.json('/a'), 'INVALID_INPUT')
  const said = message.slice('github: GET /a answered 400: '.length)
  assert.match(said, /^a \[31mb c d{200,}…$/)
  assert.equal(said.length, 300)
  assert.equal((await refusal(http.json('/a'), 'INVALID_INPUT')).message, 'github: GET /a answered 400')
  assert.match((await refusal(http.json('/a'), 'INVALID_INPUT')).message, /^github: GET \/a answered 400: \[{299}…$/)
})

for (const [what, behaviour, code] of [
  ['whose connection broke', reset, 'UPSTREAM_FAILED'],
  ['whose answer broke off', resetMidBody, 'UPSTREAM_FAILED'],
  ['that was not answered in time', silent, 'TIMEOUT'],
  ['that was answered with half of a JSON document', reply(200, '{"a":'), 'UPSTREAM_FAILED'],
  ['that was answered with nothing', reply(201, ''), 'UPSTREAM_FAILED'],
  ['that was answered with bytes that are not text', reply(200, Buffer.from([0xff, 0xfe, 0x00])), 'UPSTREAM_FAILED'],
  ['that was answered with 500', reply(500, {}), 'UPSTREAM_FAILED'],
  ['that was answered with 502', reply(502, 'bad gateway'), 'UPSTREAM_FAILED'],
  ['that was answered with 504', reply(504, ''), 'UPSTREAM_FAILED'],
] as const)
  test(`a change ${what} is said to have happened, perhaps, and a read is not`, async () => {
    await using upstream = await startUpstream(behaviour)
    await using http = serviceHttp({
      baseUrl: upstream.url,
      limits: { retries: 0, breakerFailures: 100, headersMs: behaviour === silent ? 50 : 30_000 },
    })
    const changed = await refusal(http.json('/a', { method: 'POST' }), code)
    assert.match(changed.message, /\. The change may or may not have been made$/)
    assert.match(changed.fix ?? '', /^Check whether the change was made/)
    const read = await refusal(http.json('/a'), code)
    assert.doesNotMatch(read.message, /change/)
    assert.doesNotMatch(read.fix ?? '', /whether the change/)
  })

for (const status of [501, 503, 429, 409])
  test(`a change that was answered with ${status} is not doubted`, async () => {
    await using upstream = await startUpstream(reply(status, {}))
    await using http = serviceHttp({ baseUrl: upstream.url, limits: { retries: 0 } })
    await assert.rejects(http.json('/a', { method: 'POST' }), (error) => !/change/.test((error as Error).message))
  })

test('a change that was never sent did not happen, and is not doubted', async () => {
  const closed = await startUpstream(silent)
  await closed[Symbol.asyncDispose]()
  await using http = serviceHttp({ baseUrl: closed.url, limits: { retries: 0 } })
  assert.doesNotMatch((await refusal(http.json('/a', { method: 'POST' }), 'UPSTREAM_FAILED')).message, /change/)
})
