import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { parseAddress, publicPrefix, viewIn, withoutPrefix } from '../../../host/src/data/address.ts'
import { createAdmission } from '../../../host/src/transport/http/admission.ts'
import { createClientAddress } from '../../../host/src/transport/http/client-address.ts'
import { allowOrigin, answerOptions } from '../../../host/src/transport/http/cors.ts'
import { createRouter, page, pathOf, route } from '../../../host/src/transport/http/routing/routes.ts'

function request(headers: Readonly<Record<string, string>>, extra: object = {}): IncomingMessage {
  const rawHeaders = Object.entries(headers).flat()
  return Object.assign(new IncomingMessage(new Socket()), { url: '/mcp', headers, rawHeaders }, extra)
}

const from = (remoteAddress: string | undefined, forwarded?: string): IncomingMessage =>
  request(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }, { socket: { remoteAddress } })

/** [address of the connection, X-Forwarded-For, trusted proxies, whose request it is] */
const ADDRESSES: readonly (readonly [string | undefined, string | undefined, readonly string[], string])[] = [
  ['203.0.113.9', undefined, [], '203.0.113.9'],
  ['203.0.113.9', '198.51.100.1', [], '203.0.113.9'],
  ['::ffff:203.0.113.9', undefined, [], '203.0.113.9'],
  ['::ffff:1', undefined, [], '::ffff:1'],
  [undefined, undefined, [], ''],
  [undefined, '198.51.100.1', ['10.0.0.1'], ''],
  ['203.0.113.9', '198.51.100.1', ['10.0.0.1'], '203.0.113.9'],
  ['10.0.0.1', '198.51.100.1', ['10.0.0.1'], '198.51.100.1'],
  ['10.0.0.2', '198.51.100.1', ['10.0.0.1'], '10.0.0.2'],
  ['::ffff:10.0.0.1', '::ffff:198.51.100.1', ['10.0.0.1'], '198.51.100.1'],
  ['10.0.0.1', undefined, ['10.0.0.1'], '10.0.0.1'],
  ['10.0.0.1', '', ['10.0.0.1'], '10.0.0.1'],
  ['10.0.0.1', 'unknown', ['10.0.0.1'], '10.0.0.1'],
  ['10.0.0.1', '1.1.1.1, 2.2.2.2', ['10.0.0.1'], '2.2.2.2'],
  ['10.0.0.1', '1.1.1.1,2.2.2.2 , 10.0.0.9', ['10.0.0.0/8'], '2.2.2.2'],
  ['10.0.0.1', '10.0.0.8,10.0.0.9', ['10.0.0.0/8'], '10.0.0.8'],
  ['10.0.0.1', '1.1.1.1,forged,10.0.0.9', ['10.0.0.0/8'], '10.0.0.9'],
  ['11.0.0.1', '1.1.1.1', ['10.0.0.0/8'], '11.0.0.1'],
  ['10.0.0.1', '2001:db8::1', ['10.0.0.1'], '2001:db8::1'],
  ['2001:db8::7', '1.1.1.1', ['2001:db8::/32'], '1.1.1.1'],
  ['2001:db8::7', '1.1.1.1', ['2001:db8::7'], '1.1.1.1'],
  ['2001:db8::8', '1.1.1.1', ['2001:db8::7'], '2001:db8::8'],
  ['2001:db9::7', '1.1.1.1', ['2001:db8::/32'], '2001:db9::7'],
]
for (const [remote, forwarded, trusted, expected] of ADDRESSES)
  test(`from ${remote} for ${forwarded}, trusting ${trusted.join()}: ${expected}`, () => {
    assert.equal(createClientAddress(trusted)(from(remote, forwarded)), expected)
  })

const refusalOf = (options: object, headers: Readonly<Record<string, string>>, extra: object = {}) => {
  const { status, message } = createAdmission({ host: '127.0.0.1', ...options }).check(request(headers, extra)) ?? {}
  return status === undefined ? undefined : [status, message]
}

test('who is not let in is told why, and what to change', () => {
  const HOST = 'Host "evil.example" is not allowed; if it is a name of this server, add it to allowedHosts'
  const ORIGIN = 'Origin "http://evil.example" is not allowed; if it is yours, add it to allowedOrigins'
  const local = { host: 'localhost' }
  const double = (name: string) => ({
    rawHeaders: ['Host', 'localhost', name, 'a', 'Other', '', name.toLowerCase(), 'a'],
  })
  for (const [options, headers, extra, expected] of [
    [{}, local, {}, undefined],
    [{}, {}, {}, [400, 'The request has no Host header']],
    [{}, { host: 'a b' }, {}, [400, 'The Host header "a b" is not a name or address with a port']],
    [{}, { host: 'evil.example' }, {}, [403, HOST]],
    [{}, { ...local, origin: 'http://evil.example' }, {}, [403, ORIGIN]],
    [{}, { host: 'evil.example', origin: 'http://evil.example' }, {}, [403, HOST]],
    [{}, local, { url: 'http://localhost/mcp' }, [400, 'The request target must be a path, not a whole URL']],
    [{}, local, { url: '' }, [400, 'The request target must be a path, not a whole URL']],
    [{}, local, { url: undefined }, [400, 'The request target must be a path, not a whole URL']],
    ...['Content-Encoding', 'Last-Event-ID', 'Mcp-Method', 'X-Patchbay-Read-Only', 'X-Upstream-Notes-Token'].map(
      (name) => [{}, local, double(name), [400, `The header ${name.toLowerCase()} is there twice; send it once`]] as const,
    ),
    ...['Cookie', 'Accept', 'X-Forwarded-For', 'X-Mcp-Method', 'Mcp'].map(
      (name) => [{}, local, double(name), undefined] as const,
    ),
    // A request of HTTP/1.0 without a Host is let in only where that is said, and only without a foreign Origin.
    [{ withoutHost: true }, {}, { httpVersion: '1.0' }, undefined],
    [{ withoutHost: true }, {}, { httpVersion: '1.1' }, [400, 'The request has no Host header']],
    [{ withoutHost: false }, {}, { httpVersion: '1.0' }, [400, 'The request has no Host header']],
    [{ withoutHost: true }, { host: 'evil.example' }, { httpVersion: '1.0' }, [403, HOST]],
    [{ withoutHost: true }, { origin: 'http://evil.example' }, { httpVersion: '1.0' }, [403, ORIGIN]],
    // Names of the config are compared without regard to case; an IPv6 address that is bound has brackets in the header.
    [{ allowedHosts: ['MCP.Example.com'] }, { host: 'mcp.example.COM' }, {}, undefined],
    [{ allowedOrigins: ['https://App.Example.com'] }, { ...local, origin: 'https://APP.example.com' }, {}, undefined],
    [{ host: '::1' }, { host: '[::1]:3000' }, {}, undefined],
    [{ host: '0:0:0:0:0:0:0:1' }, { host: '[0:0:0:0:0:0:0:1]:3000' }, {}, undefined],
    [{ host: '127.0.0.2' }, { host: '127.0.0.2:1' }, {}, undefined],
    [
      { host: '127.0.0.2' },
      { host: '127.0.0.3:1' },
      {},
      [403, 'Host "127.0.0.3:1" is not allowed; if it is a name of this server, add it to allowedHosts'],
    ],
    [{ publicUrl: 'https://public.example.com:8443/x' }, { host: 'public.example.com:8443' }, {}, undefined],
    [{ publicUrl: 'https://public.example.com:8443/x' }, { host: 'evil.example' }, {}, [403, HOST]],
    [{ publicUrl: 'https://public.example.com:8443/x' }, { ...local, origin: 'https://public.example.com:8443' }, {}, undefined],
  ] as const)
    assert.deepEqual(refusalOf(options, headers, extra), expected, JSON.stringify([options, headers, extra]))
})

/** [path, base, view, toolsets, read-only]; one that is none of the host's has only a path */
const PATHS: readonly (readonly [string, string?, string?, (string | undefined)?, boolean?])[] = [
  ['/mcp', '/mcp', '', undefined, false],
  ['/sse', '/sse', '', undefined, false],
  ['/messages', '/messages', '', undefined, false],
  ['/mcp/readonly', '/mcp', '/readonly', undefined, true],
  ['/mcp/x/a', '/mcp', '/x/a', 'a', false],
  ['/mcp/x/a,b', '/mcp', '/x/a,b', 'a,b', false],
  ['/sse/x/a/readonly', '/sse', '/x/a/readonly', 'a', true],
  ['/mcp/x/', '/mcp', '/x/', '', false],
  [`/mcp/x/${'a'.repeat(4096)}`, '/mcp', `/x/${'a'.repeat(4096)}`, 'a'.repeat(4096), false],
  [`/mcp/x/${'a'.repeat(4097)}`],
  ['/mcp/x'],
  ['/mcp/'],
  ['/mcp/readonly/'],
  ['/mcp/readonly/x/a'],
  ['/mcp/x/a/b'],
  ['/mcpx'],
  ['/MCP'],
  ['x/mcp'],
  [''],
]
test('the paths that clients are served at', () => {
  for (const [path, base, view, toolsets, readOnly] of PATHS) {
    const expected = base === undefined ? undefined : { base, view, toolsets, readOnly }
    assert.deepEqual(parseAddress(path), expected, path.slice(0, 40))
    assert.equal(viewIn(path), view ?? '', path.slice(0, 40))
  }
})

test('the prefix of the public address is taken from a path that a proxy left it in', () => {
  for (const [url, prefix] of [
    [undefined, ''],
    ['https://a.example', ''],
    ['https://a.example/', ''],
    ['https://a.example/mcp', ''],
    ['https://a.example/mcp/', ''],
    ['https://a.example/team', '/team'],
    ['https://a.example/team//', '/team'],
    ['https://a.example/team/mcp', '/team'],
    ['https://a.example/mcp/team', '/mcp/team'],
  ] as const)
    assert.equal(publicPrefix(url), prefix, String(url))
  for (const [path, prefix, expected] of [
    ['/team/mcp', '/team', '/mcp'],
    ['/team/', '/team', '/'],
    ['/team', '/team', '/team'],
    ['/teammcp', '/team', '/teammcp'],
    ['/mcp', '/team', '/mcp'],
    ['/mcp', '', '/mcp'],
    ['/a/team/mcp', '/team', '/a/team/mcp'],
    // What is a view as it stands is left as it is.
    ['/mcp/x/a', '/mcp/x', '/mcp/x/a'],
    ['/mcp/x/mcp/readonly', '/mcp/x', '/mcp/x/mcp/readonly'],
  ] as const)
    assert.equal(withoutPrefix(path, prefix), expected, `${path} ${prefix}`)
})

/** What a response would be sent with. */
function sent(write: (res: ServerResponse) => void, req = request({})) {
  const res = new ServerResponse(req)
  write(res)
  return {
    status: res.headersSent ? res.statusCode : undefined,
    headers: { ...res.getHeaders() },
    head: String(Reflect.get(res, '_header') ?? ''),
  }
}

test('a page of an admitted origin may read the answer and some of its headers, and a cache keeps origins apart', () => {
  assert.deepEqual(sent((res) => allowOrigin(request({}), res)).headers, {})
  assert.deepEqual(sent((res) => allowOrigin(request({ origin: 'http://localhost:5173' }), res)).headers, {
    'access-control-allow-origin': 'http://localhost:5173',
    'access-control-expose-headers': 'mcp-session-id, mcp-protocol-version, www-authenticate, retry-after',
    vary: 'origin',
  })
})

test('a preflight allows the methods of the path and the headers that mean something here', () => {
  const headersOf = (wanted?: string) => {
    const req = request({
      'access-control-request-method': 'POST',
      ...(wanted !== undefined && { 'access-control-request-headers': wanted }),
    })
    return sent((res) => answerOptions(req, res, 'GET, POST'))
  }
  const { status, headers } = headersOf()
  assert.equal(status, 204)
  assert.deepEqual(headers, {
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': '',
    'access-control-max-age': '600',
    allow: 'GET, POST',
  })
  for (const [wanted, allowed] of [
    [
      'Accept,Authorization, Content-Type,last-event-id,X-API-Key',
      'accept, authorization, content-type, last-event-id, x-api-key',
    ],
    [
      'mcp-session-id, Mcp-Param-Region, x-patchbay-toolsets, x-upstream-notes-token',
      'mcp-session-id, mcp-param-region, x-patchbay-toolsets, x-upstream-notes-token',
    ],
    ['cookie, x-forwarded-for, x-mcp-a, mcp-, mcp-a_b, accepted, xaccept', ''],
  ] as const)
    assert.equal(headersOf(wanted).headers['access-control-allow-headers'], allowed)
  const plain = sent((res) => answerOptions(request({}), res, 'GET'))
  assert.equal(plain.status, 204)
  assert.deepEqual(plain.head.split('\r\n').slice(0, 2), ['HTTP/1.1 204 No Content', 'allow: GET'])
})

test('a path leads to what stands there, else a view, else the metadata of a resource', () => {
  const mcp = route({ POST: () => {}, GET: () => {} })
  const more = route({ GET: () => {} })
  const routes = new Map([
    ['/mcp', mcp],
    ['/healthz', page('{"status":"ok"}')],
  ])
  const metadata = { documentAt: (path: string) => (path === '/.well-known/x' ? '{"of":"x"}' : undefined) }
  const find = createRouter(routes, metadata as never, (path) => (path === '/login' ? more : undefined))
  assert.deepEqual([mcp.allow, page('').allow], ['POST, GET', 'GET, HEAD'])
  assert.equal(find('/mcp'), mcp)
  assert.equal(find('/mcp/readonly'), mcp)
  assert.equal(find('/sse/readonly'), undefined, 'there is no /sse here')
  assert.equal(find('/login'), more)
  assert.equal(find('/'), undefined)
  assert.equal(createRouter(routes, undefined)('/.well-known/x'), undefined)
  const answer = sent((res) => void find('/.well-known/x')?.methods.get('GET')?.(res.req, res, undefined as never))
  assert.equal(answer.status, 200)
  assert.match(answer.head, /^cache-control: max-age=300\r$/im)
  assert.deepEqual(['/mcp?a=1', '/mcp', '/a?b?c', '?', undefined].map(pathOf), ['/mcp', '/mcp', '/a', '', ''])
})
