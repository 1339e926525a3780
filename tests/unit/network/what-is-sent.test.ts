import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpRequest } from '@mcp-patchbay/plugin-api'
import { HostError } from '../../../host/src/errors.ts'
import { createReach } from '../../../host/src/network/connect/target.ts'
import { maySend, mayChange, METHODS, type Method, type Rights } from '../../../host/src/network/request/access.ts'
import { withCredential } from '../../../host/src/network/request/placed-credential.ts'
import { createPreparation, type PreparationOptions } from '../../../host/src/network/request/prepare.ts'
import { encodeBody, JsonText } from '../../../host/src/network/request/request-body.ts'
import { withoutValues } from '../../../host/src/network/request/subject.ts'
import { DEFAULT_LIMITS } from '../../../host/src/network/resilience/limits.ts'

const reach = createReach({
  instance: 'desk',
  baseUrl: 'https://desk.example/api',
  extraHosts: ['https://cdn.example'],
  baseUrlVariable: 'DESK_URL',
})
const HINTS = { credentialVariables: [], baseUrlVariable: 'DESK_URL' }
const setUp = (change: Partial<PreparationOptions> = {}) =>
  createPreparation({
    reach,
    placement: { apiKey: { query: 'key' }, personalToken: { header: 'X-Token' } },
    headers: {},
    limits: DEFAULT_LIMITS,
    hints: HINTS,
    redact: (text) => text,
    ...change,
  })
const WRITE: Rights = { access: 'write', safePaths: [] }
const prepare = (path: string, options: HttpRequest = {}, change: Partial<PreparationOptions> = {}) =>
  setUp(change)({ path, options, rights: WRITE, accept: 'application/json' })

test("a request has the host's headers, then the plugin's, then its own, and the encodings that the host can read", () => {
  const { headers } = prepare(
    '/a',
    { method: 'POST', body: { a: 1 }, headers: { 'X-OWN': 'request', ACCEPT: 'text/csv' } },
    { headers: { 'User-Agent': 'plugin', 'x-own': 'plugin', 'x-plugin': '1', accept: 'text/xml' } },
  )
  const { 'accept-encoding': encodings, ...others } = headers
  assert.deepEqual(others, {
    accept: 'text/csv',
    'user-agent': 'plugin',
    'content-type': 'application/json',
    'x-own': 'request',
    'x-plugin': '1',
  })
  assert.match(encodings ?? '', /gzip/)
  assert.equal(prepare('/a', {}, { userAgent: 'patchbay/1' }).headers['user-agent'], 'patchbay/1')
  assert.equal(prepare('/a').headers['user-agent'], 'patchbay')
  assert.equal('content-type' in prepare('/a').headers, false)
  assert.equal(
    prepare('/a', { method: 'POST', body: 'x', headers: { 'content-type': 'text/csv' } }).headers['content-type'],
    'text/csv',
  )
})

test('the settings of a service are named only for requests to it, and only the service learns of a trace', () => {
  const trace = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: '01' } as never
  const at = (path: string) => setUp()({ path, options: {}, rights: WRITE, accept: '*/*', trace })
  assert.equal(at('/a').subject.hints.baseUrlVariable, 'DESK_URL')
  assert.equal(at('https://cdn.example/a').subject.hints.baseUrlVariable, 'the URL')
  assert.equal('traceparent' in at('https://cdn.example/a').headers, false)
  assert.equal(at('/a/b?q=secret&q=2&r=').subject.path, '/a/b?q=…&r=…')
  assert.equal(at('https://cdn.example/a?x=1').subject.path, 'https://cdn.example/a?x=…')
  assert.equal(withoutValues('', new URL('https://h')), '/')
})

/** [time, bytes, what the limits become] */
const LIMITS: readonly (readonly [unknown, unknown, number, number, number])[] = [
  [undefined, undefined, 30_000, 60_000, 10_485_760],
  [1, 1, 1, 1, 1],
  [90_000, 10_485_760, 90_000, 90_000, 10_485_760],
  [2 ** 31, 10_485_761, 2_147_483_647, 2_147_483_647, 10_485_760],
  [Infinity, Infinity, 2_147_483_647, 2_147_483_647, 10_485_760],
  [0, 0, 30_000, 60_000, 10_485_760],
  [-1, -1, 30_000, 60_000, 10_485_760],
  [Number.NaN, Number.NaN, 30_000, 60_000, 10_485_760],
  ['5', '5', 30_000, 60_000, 10_485_760],
  [undefined, 0.5, 30_000, 60_000, 1],
]
for (const [timeoutMs, maxBytes, headersMs, bodyMs, responseBytes] of LIMITS)
  test(`a request with timeoutMs ${String(timeoutMs)} and maxBytes ${String(maxBytes)} has ${headersMs}, ${bodyMs} ms and ${responseBytes} bytes`, () => {
    const { limits } = prepare('/a', { timeoutMs, maxBytes } as HttpRequest)
    assert.deepEqual(limits, { ...DEFAULT_LIMITS, headersMs, bodyMs, responseBytes })
  })

/** [a path and its options, what the error says] */
const REFUSED: readonly (readonly [string, unknown, RegExp])[] = [
  ['/a', { method: 'get' }, /"get" is not a method/],
  ['/a', { method: 'TRACE' }, /"TRACE" is not a method/],
  ['/a', { method: 'CONNECT' }, /"CONNECT" is not a method/],
  ['/a', { headers: { 'x-token': 't' } }, /its header "x-token" is a credential/],
  ['/a', { headers: { authorization: 't' } }, /its header "authorization" is a credential/],
  ['/a', { headers: { 'X-Api-Key': 't' } }, /its header "X-Api-Key" is a credential/],
  ['/a', { headers: { host: 'h' } }, /its header "host" is set by the host alone/],
  ['/a', { headers: { 'x-a': 5 } }, /its header "x-a" has a value that is not a string/],
  ['/a?key=x', {}, /"key" in its query is a credential/],
  ['/a', { query: { key: 'x' } }, /"key" in its query is a credential/],
  ['/a', { method: 'POST', body: 5n }, /its body cannot be written as JSON/],
  ['/a', { method: 'POST', body: () => {} }, /its body cannot be written as JSON/],
  ['https://other.example/', {}, /leads to a host this plugin was not granted/],
]
for (const [path, options, said] of REFUSED)
  test(`a request to ${path} is refused: ${said.source}`, () => {
    assert.throws(() => prepare(path, options as HttpRequest), said)
  })

test('a key of the query that holds a credential of the service is free elsewhere', () =>
  assert.equal(prepare('https://cdn.example/a?key=x').target.url.search, '?key=x'))

test('a plugin that would put a credential into its own headers does not start', () => {
  for (const headers of [{ 'X-TOKEN': 't' }, { Cookie: 'c' }, { 'x-a': 'b\n' }] as const)
    assert.throws(
      () => setUp({ headers }),
      (error) => error instanceof HostError && error.code === 'SERVICE_HEADER_INVALID',
    )
})

for (const method of METHODS)
  test(`what ${method} may do, and leaves in doubt`, () => {
    const isSafe = method === 'GET' || method === 'HEAD'
    const at = (zone: 'service' | 'elsewhere', path: string) => ({ url: new URL('https://h'), zone, path })
    const read: Rights = { access: 'read', safePaths: ['/search'] }
    const may = (one: Method, zone: 'service' | 'elsewhere', path: string, rights: Rights) => maySend(one, at(zone, path), rights)
    assert.equal(may(method, 'service', '/a', WRITE), true)
    assert.equal(may(method, 'service', '/a', read), isSafe)
    assert.equal(may(method, 'service', '/search', read), isSafe || method === 'POST')
    assert.equal(may(method, 'elsewhere', '/search', read), isSafe)
    assert.equal(mayChange(method, WRITE), !isSafe)
    assert.equal(mayChange(method, read), false)
    assert.equal(mayChange(method, undefined), false)
  })

test('a body is sent as it is, or as JSON, with the type that it has', () => {
  const bytes = new Uint8Array([1])
  assert.deepEqual(encodeBody(undefined), { bytes: null, contentType: undefined })
  assert.deepEqual(encodeBody(''), { bytes: '', contentType: 'text/plain; charset=utf-8' })
  assert.deepEqual(encodeBody(bytes), { bytes, contentType: 'application/octet-stream' })
  assert.deepEqual(encodeBody(new JsonText('{ }')), { bytes: '{ }', contentType: 'application/json' })
  assert.deepEqual(encodeBody(null), { bytes: 'null', contentType: 'application/json' })
  assert.deepEqual(encodeBody([1]), { bytes: '[1]', contentType: 'application/json' })
})

for (const [search, expected] of [
  ['', '?key=v'],
  ['?', '?key=v'],
  ['?a=1', '?a=1&key=v'],
  ['?key=x', '?key=v'],
  ['?key=x&a=1&key=y', '?a=1&key=v'],
  ['?k%65y=x&a=1', '?a=1&key=v'],
  ['?key', '?key=v'],
  ['?keys=1&&a', '?keys=1&a&key=v'],
  ['?a=key', '?a=key&key=v'],
] as const)
  test(`a credential in the query of ${JSON.stringify(search)} makes it ${expected}`, () =>
    assert.equal(withCredential(search, { name: 'key', value: 'v' }), expected))
