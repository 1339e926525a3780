import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostError } from '../../../host/src/errors.ts'
import { createHttpTransport } from '../../../host/src/transport/http-listener.ts'
import { demoPlugin } from '../../fixtures/plugins/demo-plugin.ts'
import { rawRequest } from '../../fixtures/http/raw-http.ts'
import { bearers, serveHttp, startServing } from '../../fixtures/http/serving.ts'

const list = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/list',
  params: {
    _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} },
  },
})

/** A request that is answered with 200, but for `lines`. */
function request(
  lines: readonly string[],
  { method = 'POST', target = '/mcp', host = 'localhost' }: { method?: string; target?: string; host?: string | null } = {},
): string {
  return [
    `${method} ${target} HTTP/1.1`,
    ...(host === null ? [] : [`Host: ${host}`]),
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    'MCP-Protocol-Version: 2026-07-28',
    'Mcp-Method: tools/list',
    `Content-Length: ${list.length}`,
    ...lines,
    '',
    list,
  ].join('\r\n')
}

for (const origin of [
  'http://localhost',
  'http://localhost:5173',
  'https://127.0.0.1:9',
  'http://[::1]:3000',
  'HTTP://LOCALHOST:1',
]) {
  test(`admits the origin ${origin} on loopback`, async (t) => {
    const { http } = await serveHttp(t, [demoPlugin().plugin])
    const answer = await rawRequest(http.port, request([`Origin: ${origin}`]))
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['access-control-allow-origin'], origin)
    assert.equal(answer.headers['vary'], 'origin')
  })
}

for (const origin of [
  'https://evil.example',
  'null',
  '',
  'http://localhost.evil',
  'http://127.0.0.1.evil',
  'http://evil@localhost',
  'http://localhost@evil.example',
  'http://localhost/path',
  'http://localhost http://evil.example',
  'localhost',
]) {
  test(`refuses the origin ${JSON.stringify(origin)}`, async (t) => {
    const { http } = await serveHttp(t, [demoPlugin().plugin])
    const answer = await rawRequest(http.port, request([`Origin: ${origin}`]))
    assert.equal(answer.status, 403)
    assert.match(answer.body, /"code":-32600,"message":"Origin .*not allowed/)
    assert.equal(answer.headers['access-control-allow-origin'], undefined)
  })
}

for (const [host, status] of [
  ['localhost:1', 200],
  ['LOCALHOST', 200],
  ['127.0.0.1:65535', 200],
  ['[::1]:80', 200],
  ['evil.example', 403],
  ['localhost.evil', 403],
  ['evil.localhost', 403],
  ['10.0.0.1', 403],
  ['127.0.0.1@evil', 400],
  ['localhost:80:80', 400],
  ['localhost/', 400],
  ['', 400],
  [null, 400],
] as const) {
  test(`answers ${status} to the host ${JSON.stringify(host)}`, async (t) => {
    const { http } = await serveHttp(t, [demoPlugin().plugin])
    assert.equal((await rawRequest(http.port, request([], { host }))).status, status)
  })
}

for (const header of [
  'Host: localhost',
  'Authorization: Bearer b',
  'Origin: http://localhost',
  'Content-Type: application/json',
  'Content-Encoding: identity',
  'MCP-Protocol-Version: 2026-07-28',
  'mcp-method: tools/call',
  'Mcp-Name: other',
  'Mcp-Session-Id: other',
  'Mcp-Param-Region: eu',
  'X-Patchbay-Toolsets: all',
  'X-Upstream-Jira-Authorization: token',
]) {
  test(`refuses two headers where the second is ${header}`, async (t) => {
    const { http } = await serveHttp(t, [demoPlugin().plugin])
    const name = header.slice(0, header.indexOf(':'))
    const answer = await rawRequest(http.port, request([`${name.toUpperCase()}: localhost`, header]))
    assert.equal(answer.status, 400)
    assert.match(answer.body, new RegExp(`The header ${name.toLowerCase()} is there twice`))
  })
}

for (const target of ['http://localhost/mcp', 'http://evil.example/mcp', 'localhost:80', '*']) {
  test(`refuses the request target ${target}`, async (t) => {
    const { http } = await serveHttp(t, [demoPlugin().plugin])
    assert.equal((await rawRequest(http.port, request([], { target }))).status, 400)
  })
}

test('admits what the config allows, and IP addresses off loopback', async (t) => {
  const options = {
    host: '0.0.0.0',
    allowedHosts: ['mcp.example.com', 'other.example.com:8080'],
    allowedOrigins: ['https://app.example.com'],
    publicUrl: 'https://public.example.com/mcp',
  }
  const { http } = await serveHttp(t, [demoPlugin().plugin], { options, deps: { dangerouslyAllowUnauthenticated: true } })
  const statusOf = async (host: string, origin?: string) =>
    (await rawRequest(http.port, request(origin ? [`Origin: ${origin}`] : [], { host }))).status
  for (const host of [
    'mcp.example.com',
    'mcp.example.com:443',
    'other.example.com:8080',
    'public.example.com',
    '192.168.1.5:3000',
    '[fd00::1]:3000',
    'localhost',
  ])
    assert.equal(await statusOf(host), 200, host)
  for (const host of ['other.example.com', 'other.example.com:8081', 'evil.example'])
    assert.equal(await statusOf(host), 403, host)
  for (const origin of ['https://app.example.com', 'https://public.example.com'])
    assert.equal(await statusOf('localhost', origin), 200, origin)
  for (const origin of ['http://app.example.com', 'https://app.example.com:8443', 'http://localhost'])
    assert.equal(await statusOf('localhost', origin), 403, origin)
})

test('answers a preflight of an allowed origin, and tells a foreign one nothing', async (t) => {
  const { url } = await serveHttp(t, [demoPlugin().plugin])
  const preflight = (origin: string) =>
    fetch(url, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type, mcp-method, mcp-param-region, x-evil, x-upstream-jira-authorization',
      },
    })
  const allowed = await preflight('http://localhost:5173')
  assert.equal(allowed.status, 204)
  assert.equal(allowed.headers.get('access-control-allow-origin'), 'http://localhost:5173')
  assert.equal(allowed.headers.get('access-control-allow-methods'), 'POST, GET, DELETE')
  assert.equal(
    allowed.headers.get('access-control-allow-headers'),
    'content-type, mcp-method, mcp-param-region, x-upstream-jira-authorization',
  )
  const foreign = await preflight('https://evil.example')
  assert.equal(foreign.status, 403)
  assert.deepEqual(
    [...foreign.headers.keys()].filter((name) => name.startsWith('access-control')),
    [],
  )
})

test('lets a page read why it was not authenticated', async (t) => {
  const { url } = await serveHttp(t, [demoPlugin().plugin], { deps: { authenticate: bearers({}) } })
  const answer = await fetch(url, { method: 'POST', headers: { origin: 'http://localhost:1' }, body: list })
  assert.equal(answer.status, 401)
  assert.equal(answer.headers.get('access-control-allow-origin'), 'http://localhost:1')
  assert.match(answer.headers.get('access-control-expose-headers') ?? '', /www-authenticate/)
})

test('will not listen without authentication where others can connect', async () => {
  const serving = await startServing([])
  const options = {
    port: 0,
    sse: false,
    allowedHosts: [],
    allowedOrigins: [],
    sessions: { mode: 'stateful', max: 1, idleMs: 1 },
  } as const
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.com', '127.0.0.1.example.com'])
    await assert.rejects(
      createHttpTransport({ ...options, host }, { ...serving, factory: async () => serving.factory, bodyBytes: 1_000 }),
      hostError('LISTEN_UNAUTHENTICATED', { host }),
    )
  for (const host of ['127.0.0.1', '127.0.0.2', 'localhost']) {
    const http = await createHttpTransport(
      { ...options, host },
      { ...serving, factory: async () => serving.factory, bodyBytes: 1_000 },
    )
    await http.close({ graceMs: 0 })
  }
})

test('says which address it cannot have', async (t) => {
  const { http } = await serveHttp(t, [])
  const serving = await startServing([])
  const options = {
    host: '127.0.0.1',
    port: http.port,
    sse: false,
    allowedHosts: [],
    allowedOrigins: [],
    sessions: { mode: 'stateful', max: 1, idleMs: 1 },
  } as const
  await assert.rejects(createHttpTransport(options, { ...serving, factory: async () => serving.factory, bodyBytes: 1_000 }), {
    code: 'LISTEN_FAILED',
    message: new RegExp(`127.0.0.1:${http.port}: the port is in use`),
  })
})

for (const [header, value] of [
  ['X-Patchbay-Toolsets', ''],
  ['X-Patchbay-Toolsets', 'a,,b'],
  ['X-Patchbay-Toolsets', 'a b'],
  ['X-Patchbay-Toolsets', '*'],
  ['X-Patchbay-Toolsets', Array.from({ length: 33 }, (_, index) => `t${index}`).join()],
  ['X-Patchbay-Read-Only', 'yes'],
  ['X-Patchbay-Read-Only', ''],
] as const) {
  test(`refuses ${header}: ${value.slice(0, 20)}`, async (t) => {
    const { http } = await serveHttp(t, [demoPlugin().plugin])
    const answer = await rawRequest(http.port, request([`${header}: ${value}`]))
    assert.equal(answer.status, 400)
    assert.match(answer.body, new RegExp(header))
  })
}
