import { silentLogger } from '../../../host/src/observability/logger.ts'
import assert from 'node:assert/strict'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { createAdmission, isLoopback, type AdmissionOptions } from '../../../host/src/transport/http/admission.ts'
import { bind } from '../../../host/src/transport/http/bind.ts'

/** A request as Node's parser leaves it. */
function request(lines: readonly (readonly [string, string])[], url = '/mcp'): IncomingMessage {
  const headers: Record<string, string> = {}
  for (const [name, value] of lines) headers[name.toLowerCase()] ??= value
  return Object.assign(new IncomingMessage(new Socket()), { url, headers, rawHeaders: lines.flat() })
}

const statusOf = (options: AdmissionOptions, ...lines: (readonly [string, string])[]) =>
  createAdmission(options).check(request(lines))?.status ?? 200

const local: AdmissionOptions = { host: '127.0.0.1' }
const open: AdmissionOptions = { host: '0.0.0.0' }
const named: AdmissionOptions = {
  host: '0.0.0.0',
  allowedHosts: ['mcp.example.com', 'other.example.com:8443'],
  allowedOrigins: ['https://app.example.com', 'tool.example.com'],
  publicUrl: 'https://public.example.com/mcp',
}

/** [Host header, status on a loopback address, on all addresses, on all addresses with names] */
const HOSTS: readonly (readonly [string, number, number, number])[] = [
  ['localhost', 200, 200, 200],
  ['localhost:3000', 200, 200, 200],
  ['LOCALHOST:3000', 200, 200, 200],
  ['127.0.0.1:3000', 200, 200, 200],
  ['[::1]:3000', 200, 200, 200],
  ['192.168.1.7:3000', 403, 200, 200],
  ['[2001:db8::7]', 403, 200, 200],
  ['evil.example', 403, 403, 403],
  ['evil.example:3000', 403, 403, 403],
  ['localhost.evil.example', 403, 403, 403],
  ['127.0.0.1.evil.example', 403, 403, 403],
  ['mcp.example.com', 403, 403, 200],
  ['mcp.example.com:1', 403, 403, 200],
  ['other.example.com:8443', 403, 403, 200],
  ['other.example.com', 403, 403, 403],
  ['other.example.com:1', 403, 403, 403],
  ['public.example.com', 403, 403, 200],
  ['', 400, 400, 400],
  ['two words', 400, 400, 400],
  ['a@localhost', 400, 400, 400],
  ['localhost/x', 400, 400, 400],
  ['localhost:', 400, 400, 400],
]
describe('a Host header', () => {
  for (const [header, onLoopback, onAll, withNames] of HOSTS)
    test(`${JSON.stringify(header)}: ${onLoopback} on loopback, ${onAll} on all addresses, ${withNames} with names`, () => {
      const expected = [onLoopback, onAll, withNames]
      assert.deepEqual(
        [local, open, named].map((options) => statusOf(options, ['Host', header])),
        expected,
      )
    })
  test('that is missing: 400', () => {
    assert.equal(statusOf(local), 400)
  })
})

test('a Host header that was refused is refused each time, whatever came before and between', () => {
  const { check } = createAdmission(local)
  const send = (header: string) => check(request([['Host', header]]))?.status ?? 200
  const sent = [
    'evil.example',
    'evil.example',
    'localhost',
    'evil.example',
    'evil.example',
    'localhost',
    'localhost',
    'evil.example',
  ]
  assert.deepEqual(sent.map(send), [403, 403, 200, 403, 403, 200, 200, 403])
})

/** [Origin header, status on loopback, on all addresses, on all addresses with names] */
const ORIGINS: readonly (readonly [string, number, number, number])[] = [
  ['http://localhost:5173', 200, 403, 403],
  ['http://127.0.0.1', 200, 403, 403],
  ['https://evil.example', 403, 403, 403],
  ['https://app.example.com', 403, 403, 200],
  ['https://app.example.com:1', 403, 403, 403],
  ['http://app.example.com', 403, 403, 403],
  ['http://tool.example.com:9', 403, 403, 200],
  ['https://public.example.com', 403, 403, 200],
  ['null', 403, 403, 403],
  ['', 403, 403, 403],
  ['http://localhost.evil.example', 403, 403, 403],
]
describe('an Origin header', () => {
  for (const [header, onLoopback, onAll, withNames] of ORIGINS)
    test(`${JSON.stringify(header)}: ${onLoopback} on loopback, ${onAll} on all addresses, ${withNames} with names`, () => {
      const statuses = [local, open, named].map((options) => statusOf(options, ['Host', 'localhost'], ['Origin', header]))
      assert.deepEqual(statuses, [onLoopback, onAll, withNames])
    })
})

for (const [name, expected] of [
  ['Host', 400],
  ['Authorization', 400],
  ['X-API-Key', 400],
  ['Origin', 400],
  ['Content-Type', 400],
  ['Mcp-Session-Id', 400],
  ['X-Patchbay-Toolsets', 400],
  ['X-Upstream-Github-Authorization', 400],
  ['Accept', 200],
] as const)
  test(`two ${name} headers: ${expected}`, () => {
    const [value, other] =
      name === 'Host' ? ['localhost', 'localhost'] : name === 'Origin' ? ['http://localhost', 'http://localhost'] : ['a', 'b']
    const host = name === 'Host' ? [] : [['Host', 'localhost'] as const]
    assert.equal(statusOf(local, ...host, [name, value], [name.toLowerCase(), other]), expected)
  })

for (const [name, expected] of [
  ['X_Upstream_Tracker_Authorization', 400],
  ['X-Upstream_Tracker-Authorization', 400],
  ['x_upstream-tracker-authorization', 400],
  ['X-Upstream-Tracker_Eu-Authorization', 200],
  ['X_API_Key', 400],
  ['X-Api_Key', 400],
  ['X-API-Key', 200],
  ['X_Patchbay_Read_Only', 400],
  ['X-Patchbay_Read-Only', 400],
  ['X-Patchbay-Readonly', 400],
  ['X-Patchbay-Toolset', 400],
  ['X-Patchbay-', 200],
  ['X-Patchbay-Tenant', 200],
  ['X-Patchbay-Read-Only', 200],
  ['X_Request_Id', 200],
  ['X-Request-Id', 200],
  ['X', 200],
] as const)
  test(`the header ${name}, which is one of ours or nearly one: ${expected}`, () =>
    assert.equal(statusOf(local, ['Host', 'localhost'], [name, 'x']), expected))

test('a target that is a whole URL: 400', () => {
  const { check } = createAdmission(local)
  assert.equal(check(request([['Host', 'localhost']], 'http://localhost/mcp'))?.status, 400)
  assert.equal(check(request([['Host', 'localhost']], '/mcp')), undefined)
})

test('loopback is what only this machine reaches', () => {
  const addresses = ['127.0.0.1', '127.9.9.9', '::1', 'localhost', 'LOCALHOST', '0.0.0.0', '::', '10.0.0.1', 'example.com', '::2']
  assert.deepEqual(addresses.filter(isLoopback), ['127.0.0.1', '127.9.9.9', '::1', 'localhost', 'LOCALHOST'])
})

test('a listener limits the time of headers, of a request and of an idle connection, and the size of headers', async () => {
  const { server } = await bind({
    what: 'http',
    host: '127.0.0.1',
    port: 0,
    handle: () => {},
    allow: () => undefined,
    log: silentLogger,
  })
  try {
    const { headersTimeout, requestTimeout, keepAliveTimeout } = server
    assert.deepEqual(
      { headersTimeout, requestTimeout, keepAliveTimeout },
      { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 30_000 },
    )
  } finally {
    server.close()
  }
  const { server: slow } = await bind({
    what: 'http',
    host: '127.0.0.1',
    port: 0,
    handle: () => {},
    allow: () => undefined,
    log: silentLogger,
    timeouts: { headersMs: 1, requestMs: 2, keepAliveMs: 3 },
  })
  assert.deepEqual([slow.headersTimeout, slow.requestTimeout, slow.keepAliveTimeout], [1, 2, 3])
  slow.close()
})

test('a connection that cannot be accepted is a line of the log and not the end of the listener', async () => {
  const lines: unknown[] = []
  const log = { ...silentLogger, warn: (event: string, fields?: object) => void lines.push([event, fields]) }
  const { server } = await bind({ what: 'http', host: '127.0.0.1', port: 0, handle: () => {}, allow: () => undefined, log })
  try {
    const error = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' })
    server.emit('error', error)
    assert.deepEqual(lines, [['accept_failed', { listener: 'http', error }]])
    assert.equal(server.listening, true)
  } finally {
    server.close()
  }
})
