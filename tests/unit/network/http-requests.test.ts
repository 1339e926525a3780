import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { HostError } from '../../../host/src/errors.ts'
import { refusal, serviceHttp } from '../../fixtures/http/service-http.ts'
import { reply, startUpstream, testAuthority } from '../../fixtures/http/upstream.ts'

test('sends a value as JSON and gives back the parsed answer', async () => {
  await using upstream = await startUpstream(reply(201, { id: 7 }))
  await using http = serviceHttp({ baseUrl: `${upstream.url}/api/` })
  assert.deepEqual(await http.json('/issues', { method: 'POST', body: { title: 'ü' }, query: { notify: true } }), { id: 7 })
  const [sent] = upstream.requests
  assert.equal(sent?.method, 'POST')
  assert.equal(sent.path, '/api/issues?notify=true')
  assert.equal(sent.body, '{"title":"ü"}')
  assert.equal(sent.headers['content-type'], 'application/json')
  assert.equal(sent.headers['accept'], 'application/json')
})

test('sends strings and bytes as they are', async () => {
  await using upstream = await startUpstream(reply(200, ''))
  await using http = serviceHttp({ baseUrl: upstream.url })
  await http.text('/a', { method: 'PUT', body: 'plain' })
  await http.text('/b', { method: 'PUT', body: new TextEncoder().encode('bytes') })
  await http.text('/c', { method: 'POST', body: 'a=1', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })
  assert.deepEqual(
    upstream.requests.map(({ body, headers }) => [body, headers['content-type']]),
    [
      ['plain', 'text/plain; charset=utf-8'],
      ['bytes', 'application/octet-stream'],
      ['a=1', 'application/x-www-form-urlencoded'],
    ],
  )
})

test("lays a request's headers over the plugin's, whatever their case", async () => {
  await using upstream = await startUpstream(reply(200, {}))
  await using http = serviceHttp({ baseUrl: upstream.url, headers: { Accept: 'application/vnd.github+json', 'X-Version': '1' } })
  await http.json('/a', { headers: { 'x-version': '2' } })
  assert.equal(upstream.requests[0]?.headers['accept'], 'application/vnd.github+json')
  assert.equal(upstream.requests[0]?.headers['x-version'], '2')
})

test('gives the whole answer of a failed request to a plugin that asks for it', async () => {
  await using upstream = await startUpstream(reply(422, { message: 'no' }, { 'x-request-id': 'a1', 'set-cookie': 'session=s' }))
  await using http = serviceHttp({ baseUrl: upstream.url })
  const response = await http.request('/a?b=c')
  assert.equal(response.status, 422)
  assert.equal(response.url, `${upstream.url}/a?b=c`)
  assert.equal(response.headers['x-request-id'], 'a1')
  assert.equal(response.headers['set-cookie'], undefined, 'a cookie is a credential')
  assert.deepEqual(response.json(), { message: 'no' })
  assert.equal(response.text(), '{"message":"no"}')
})

test('gives undefined for JSON where HTTP has no body', async () => {
  await using upstream = await startUpstream([reply(204), reply(200, {})])
  await using http = serviceHttp({ baseUrl: upstream.url })
  assert.equal(await http.json('/a', { method: 'DELETE' }), undefined)
  assert.equal(await http.json('/a', { method: 'HEAD' }), undefined)
})

const packed = [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
] as const
for (const [encoding, compress] of packed)
  test(`unpacks ${encoding}`, async () => {
    await using upstream = await startUpstream(reply(200, compress('{"a":1}'), { 'content-encoding': encoding }))
    await using http = serviceHttp({ baseUrl: upstream.url })
    const response = await http.request('/a')
    assert.deepEqual(response.json(), { a: 1 })
    assert.equal(response.headers['content-encoding'], undefined)
    assert.equal(response.headers['content-length'], undefined)
  })

test('reads text in the charset the answer names', async () => {
  await using upstream = await startUpstream(
    reply(200, Buffer.from('caf\u00e9', 'latin1'), { 'content-type': 'text/plain; charset=ISO-8859-1' }),
  )
  await using http = serviceHttp({ baseUrl: upstream.url })
  assert.equal(await http.text('/a'), 'café')
})

for (const protocol of ['https', 'h2'] as const)
  test(`speaks ${protocol === 'h2' ? 'HTTP/2 where it is offered' : 'HTTP/1.1 over TLS'}`, async () => {
    await using upstream = await startUpstream(reply(200, { ok: true }), { protocol })
    await using http = serviceHttp({ baseUrl: upstream.url, ca: testAuthority })
    assert.deepEqual(await http.json('/a', { method: 'POST', body: {} }), { ok: true })
    assert.equal(upstream.requests[0]?.httpVersion, protocol === 'h2' ? '2.0' : '1.1')
  })

test('serves many requests to one host over one HTTP/2 connection', async () => {
  await using upstream = await startUpstream(reply(200, { ok: true }), { protocol: 'h2' })
  await using http = serviceHttp({ baseUrl: upstream.url, ca: testAuthority })
  await Promise.all(Array.from({ length: 20 }, (_, index) => http.json(`/${index}`)))
  assert.equal(upstream.requests.length, 20)
  assert.equal(upstream.sockets.size, 1)
})

const hostsOwn = [
  'Authorization',
  'X-API-Key',
  'Cookie',
  'Host',
  'Connection',
  'Keep-Alive',
  'Transfer-Encoding',
  'Content-Length',
  'TE',
  'Trailer',
  'Upgrade',
  'Expect',
  'Proxy-Authorization',
  'Accept-Encoding',
  'X-HTTP-Method-Override',
  'X-Original-URL',
  'x-rewrite-url',
]
for (const name of hostsOwn) {
  test(`a plugin may not send ${name}`, async () => {
    await using http = serviceHttp({ baseUrl: 'http://127.0.0.1:1' })
    const error = await refusal(http.json('/a', { headers: { [name.toLowerCase()]: 'x' } }), 'INVALID_INPUT')
    assert.match(error.message, new RegExp(`^github: GET /a was not sent: its header "${name}"`, 'i'))
  })

  test(`a plugin may not have ${name} on every request`, () => {
    assert.throws(() => serviceHttp({ headers: { [name]: 'x' } }), hasCode('SERVICE_HEADER_INVALID'))
  })
}

test('a plugin may not send the header its own credential goes into', async () => {
  await using http = serviceHttp({ baseUrl: 'http://127.0.0.1:1', placement: { personalToken: { header: 'Private-Token' } } })
  await refusal(http.json('/a', { headers: { 'PRIVATE-TOKEN': 'x' } }), 'INVALID_INPUT')
})

for (const [what, headers] of [
  ['a value with a line break', { 'X-A': 'a\r\nX-B: b' }],
  ['a value beyond Latin-1', { 'X-A': '☃' }],
  ['a name with a space', { 'X A': 'a' }],
  ['a name with a line break', { 'X-A: a\r\nX-B': 'b' }],
  ['an empty name', { '': 'a' }],
] as const)
  test(`refuses ${what}`, async () => {
    await using http = serviceHttp({ baseUrl: 'http://127.0.0.1:1' })
    await refusal(http.json('/a', { headers }), 'INVALID_INPUT')
  })

test('refuses a body that is not JSON', async () => {
  await using http = serviceHttp({ baseUrl: 'http://127.0.0.1:1' })
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  for (const body of [cycle, 1n, () => {}]) {
    const error = await refusal(http.json('/a', { method: 'POST', body }), 'INVALID_INPUT')
    assert.match(error.message, /cannot be written as JSON/)
  }
})

test('refuses a method that is none of its own', async () => {
  await using http = serviceHttp({ baseUrl: 'http://127.0.0.1:1' })
  for (const method of ['delete', 'CONNECT', 'TRACE', 'GET /x HTTP/1.1\r\nX-A: b'])
    await refusal(http.json('/a', JSON.parse(JSON.stringify({ method })) as object), 'INVALID_INPUT')
})

test('an answer may be as long as a request allows, and no longer than the operator does', async () => {
  await using upstream = await startUpstream(reply(200, 'x'.repeat(1_000)))
  await using http = serviceHttp({ baseUrl: upstream.url, limits: { responseBytes: 1_000 } })
  assert.equal((await http.text('/a', { maxBytes: 5_000 })).length, 1_000)
  await using stricter = serviceHttp({ baseUrl: upstream.url, limits: { responseBytes: 500 } })
  assert.match((await refusal(stricter.text('/a', { maxBytes: 5_000 }), 'UPSTREAM_FAILED')).message, /more than the 500 bytes/)
  assert.match((await refusal(http.text('/a', { maxBytes: 999 }), 'UPSTREAM_FAILED')).message, /more than the 999 bytes/)
})

test('a request after the plugin was stopped is refused', async () => {
  const http = serviceHttp({ baseUrl: 'http://127.0.0.1:1' })
  await http[Symbol.asyncDispose]()
  assert.match((await refusal(http.json('/a'), 'UPSTREAM_FAILED')).message, /^github: the plugin was stopped/)
})

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof HostError && error.code === code
}
