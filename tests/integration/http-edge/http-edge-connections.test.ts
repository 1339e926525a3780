import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createManagement } from '../../../host/src/transport/management.ts'
import { demoPlugin } from '../../fixtures/plugins/demo-plugin.ts'
import { RawConnection, rawRequest } from '../../fixtures/http/raw-http.ts'
import { RawSession } from '../../fixtures/http/raw-session.ts'
import { serveHttp } from '../../fixtures/http/serving.ts'

const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }

function message(name: string, args: object = {}, id = 1): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args, _meta: meta } })
}

function head(name: string, lines: readonly string[]): string {
  return [
    'POST /mcp HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/json',
    'MCP-Protocol-Version: 2026-07-28',
    'Mcp-Method: tools/call',
    `Mcp-Name: ${name}`,
    ...lines,
    '',
    '',
  ].join('\r\n')
}

function call(name: string, args: object = {}, id = 1): string {
  const body = message(name, args, id)
  return head(name, [`Content-Length: ${Buffer.byteLength(body)}`]) + body
}

for (const [method, path, status, allow] of [
  ['GET', '/mcp', 405, 'POST'],
  ['DELETE', '/mcp', 405, 'POST'],
  ['PUT', '/mcp', 405, 'POST, GET, DELETE'],
  ['PATCH', '/mcp', 405, 'POST, GET, DELETE'],
  ['HEAD', '/mcp', 405, 'POST, GET, DELETE'],
  ['TRACE', '/mcp', 405, 'POST, GET, DELETE'],
  ['PROPFIND', '/mcp?x=1', 405, 'POST, GET, DELETE'],
  ['FOO', '/mcp', 405, 'POST, GET, DELETE'],
  ['FOO', '/mcp?x=1', 405, 'POST, GET, DELETE'],
  ['FOO', '/nothing', 400, undefined],
  ['POST', '/sse', 405, 'GET'],
  ['GET', '/messages', 405, 'POST'],
  ['POST', '/healthz', 405, 'GET, HEAD'],
  ['HEAD', '/healthz', 200, undefined],
  ['OPTIONS', '/mcp', 204, 'POST, GET, DELETE'],
  ['GET', '/', 404, undefined],
  ['GET', '/mcp/', 404, undefined],
  ['GET', '/MCP', 404, undefined],
  ['GET', '/__proto__', 404, undefined],
  ['GET', '/metrics', 404, undefined],
  ['GET', '/readyz', 404, undefined],
  ['GET', '/livez', 404, undefined],
  ['GET', '/admin/plugins', 404, undefined],
] as const) {
  test(`answers ${status} to ${method} ${path}`, async (t) => {
    const { http } = await serveHttp(t, [demoPlugin().plugin])
    using connection = await RawConnection.open(http.port)
    // HEAD has a length and no body, which only the end of the connection tells.
    connection.send(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
    const [first = '', ...lines] = (await connection.closed()).split('\r\n')
    assert.equal(first.split(' ')[1], String(status))
    assert.equal(lines.find((line) => /^allow:/i.test(line))?.slice('allow: '.length), allow)
  })
}

test('answers CONNECT with 405 and closes', async (t) => {
  const { http } = await serveHttp(t, [demoPlugin().plugin])
  for (const target of ['/mcp', 'evil.example:443']) {
    using connection = await RawConnection.open(http.port)
    connection.send(`CONNECT ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    assert.match(await connection.closed(), /^HTTP\/1\.1 40[05] /)
  }
})

const body = message('demo_whoami')
const size = body.length
for (const [what, bytes, status] of [
  ['a length and chunks', head('demo_whoami', [`Content-Length: ${size}`, 'Transfer-Encoding: chunked']) + body, 400],
  ['chunks and a length', head('demo_whoami', ['Transfer-Encoding: chunked', `Content-Length: ${size}`]) + body, 400],
  ['two lengths', head('demo_whoami', [`Content-Length: ${size}`, `Content-Length: ${size + 1}`]) + body, 400],
  ['twice the same length', head('demo_whoami', [`Content-Length: ${size}`, `Content-Length: ${size}`]) + body, 400],
  ['a length that is no number', head('demo_whoami', ['Content-Length: 0x10']) + body, 400],
  ['a negative length', head('demo_whoami', ['Content-Length: -1']) + body, 400],
  ['an unknown transfer encoding', head('demo_whoami', ['Transfer-Encoding: xchunked']) + body, 400],
  ['lines that end without a carriage return', call('demo_whoami').replace('localhost\r\n', 'localhost\n'), 400],
  ['a folded header', head('demo_whoami', ['X-Fold: a', ' b', `Content-Length: ${size}`]) + body, 400],
  ['a space before the colon', head('demo_whoami', [`Content-Length : ${size}`]) + body, 400],
  ['a chunk size beyond all numbers', `${head('demo_whoami', ['Transfer-Encoding: chunked'])}fffffffffffffffff\r\n`, 400],
  [
    'a chunk extension of a megabyte',
    `${head('demo_whoami', ['Transfer-Encoding: chunked'])}1;${'x'.repeat(1_000_000)}\r\n`,
    413,
  ],
  ['headers of more than 16 KiB', head('demo_whoami', [`X-Long: ${'x'.repeat(20_000)}`]), 431],
  ['HTTP/0.9', 'GET /mcp\r\n\r\n', 400],
  ['HTTP/2 without TLS', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['TLS', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]), 400],
] as const) {
  test(`answers ${what} with ${status} and closes`, async (t) => {
    const { http } = await serveHttp(t, [demoPlugin().plugin])
    using connection = await RawConnection.open(http.port)
    // What is smuggled behind it must not be answered.
    connection.send(bytes).send(call('demo_echo', { text: 'smuggled' }))
    const received = await connection.closed()
    // A client that sends on and on may find the connection reset before it reads the answer.
    assert.match(
      received,
      bytes.length > 100_000 ? new RegExp(`^(?:HTTP/1\\.1 ${status} |$)`) : new RegExp(`^HTTP/1\\.1 ${status} `),
    )
    assert.doesNotMatch(received, /smuggled/)
  })
}

test('serves a request that asks for HTTP/2 as the HTTP/1.1 it is, and the next one', async (t) => {
  const { http } = await serveHttp(t, [demoPlugin().plugin])
  using connection = await RawConnection.open(http.port)
  connection.send(
    head('demo_whoami', [
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
      `Content-Length: ${size}`,
    ]) + body,
  )
  assert.equal((await connection.answer()).status, 200)
  assert.equal((await connection.send(call('demo_whoami')).answer()).status, 200)
})

test('answers requests that come at once in their order', async (t) => {
  const { http } = await serveHttp(t, [demoPlugin().plugin])
  using connection = await RawConnection.open(http.port)
  connection.send(call('demo_echo', { text: 'one' }, 1) + call('demo_nothing', {}, 2) + call('demo_echo', { text: 'three' }, 3))
  const ids: unknown[] = []
  for (let index = 0; index < 3; index++) ids.push((JSON.parse((await connection.answer()).body) as { id: number }).id)
  assert.deepEqual(ids, [1, 2, 3])
})

for (const [what, bytes] of [
  ['never sends anything', ''],
  ['stops in the middle of its headers', 'POST /mcp HTTP/1.1\r\nHost: loc'],
  ['announces a thousand bytes and sends ten', `${head('demo_whoami', ['Content-Length: 1000'])}0123456789`],
  ['waits to be told to continue, and then does not', head('demo_whoami', ['Content-Length: 1000', 'Expect: 100-continue'])],
  ['stops in the middle of a chunk', `${head('demo_whoami', ['Transfer-Encoding: chunked'])}a\r\n0123`],
] as const) {
  test(`closes the connection of a client that ${what}`, async (t) => {
    const { http, inFlight } = await serveHttp(t, [demoPlugin().plugin], {
      deps: { timeouts: { headersMs: 100, requestMs: 200, checkMs: 20 } },
    })
    using connection = await RawConnection.open(http.port)
    if (bytes) connection.send(bytes)
    assert.match(await connection.closed(), /(?:^|\r\n\r\n)HTTP\/1\.1 408 |^$/)
    assert.equal(inFlight.size, 0)
  })
}

test('serves others while many connections stand half open', async (t) => {
  const { http, url } = await serveHttp(t, [demoPlugin().plugin])
  const half = await Promise.all(Array.from({ length: 500 }, () => RawConnection.open(http.port)))
  for (const connection of half) connection.send('POST /mcp HTTP/1.1\r\nHost: loc')
  assert.equal((await fetch(new URL('/healthz', url))).status, 200)
  assert.equal((await rawRequest(http.port, call('demo_whoami'))).status, 200)
  for (const connection of half) connection[Symbol.dispose]()
})

test('aborts a thousand calls whose clients go away, and keeps nothing of them', async (t) => {
  const demo = demoPlugin()
  const { http, inFlight } = await serveHttp(t, [demo.plugin])
  for (let round = 0; round < 10; round++) {
    const keys = Array.from({ length: 100 }, (_, index) => `${round}.${index}`)
    const started = Promise.all(keys.map((key) => demo.started(key)))
    const aborted = Promise.all(keys.map((key) => demo.aborted(key)))
    const connections = await Promise.all(
      keys.map(async (key) => (await RawConnection.open(http.port)).send(call('demo_wait', { key }))),
    )
    await started
    for (const { socket } of connections) socket.resetAndDestroy()
    await aborted
  }
  await inFlight.idle()
  assert.equal(inFlight.size, 0)
  assert.equal((await rawRequest(http.port, call('demo_whoami'))).status, 200)
})

test('lets go of a subscriber that never reads', async (t) => {
  const { http, url, log } = await serveHttp(t, [demoPlugin().plugin])
  const session = await RawSession.open(url)
  using connection = await RawConnection.open(http.port)
  connection.socket.pause()
  const request = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'demo_log', arguments: { size: 100_000, times: 200 } },
  })
  connection.send(
    [
      'POST /mcp HTTP/1.1',
      'Host: localhost',
      'Content-Type: application/json',
      'Accept: application/json, text/event-stream',
      'MCP-Protocol-Version: 2025-11-25',
      `Mcp-Session-Id: ${session.id}`,
      `Content-Length: ${request.length}`,
      '',
      request,
    ].join('\r\n'),
  )
  while (!log.lines.some(({ event }) => event === 'slow_reader_dropped')) await setImmediate()
  const dropped = log.lines.find(({ event }) => event === 'slow_reader_dropped')
  assert.ok(Number(dropped?.fields['unread']) < 2_000_000)
  assert.equal((await session.post('tools/list')).status, 200)
})

test('serves requests that come at once on one connection one after the other', async (t) => {
  const demo = demoPlugin()
  const { http, inFlight } = await serveHttp(t, [demo.plugin])
  using connection = await RawConnection.open(http.port)
  const keys = ['a', 'b', 'c']
  const started = keys.map((key) => demo.started(key))
  connection.send(keys.map((key, id) => call('demo_wait', { key }, id)).join(''))
  for (const [id, key] of keys.entries()) {
    await started[id]
    for (let turn = 0; turn < 10; turn++) await setImmediate()
    assert.equal(inFlight.size, 1)
    demo.release(key)
    assert.match((await connection.answer()).body, new RegExp(`"waited for ${key}"`))
  }
})

test('begins nothing more for a connection that is gone', async (t) => {
  const demo = demoPlugin()
  const { http, inFlight } = await serveHttp(t, [demo.plugin])
  const [first, aborted] = [demo.started('a'), demo.aborted('a')]
  let isSecondBegun = false
  void demo.started('b').then(() => (isSecondBegun = true))
  const connection = await RawConnection.open(http.port)
  connection.send(call('demo_wait', { key: 'a' }) + call('demo_wait', { key: 'b' }, 2))
  await first
  connection.socket.resetAndDestroy()
  await aborted
  await inFlight.idle()
  assert.equal((await rawRequest(http.port, call('demo_whoami'))).status, 200)
  assert.equal(isSecondBegun, false)
})

test('closes a connection that sends hundreds of requests ahead of their answers', async (t) => {
  const demo = demoPlugin()
  const { http } = await serveHttp(t, [demo.plugin])
  const aborted = demo.aborted('a')
  using connection = await RawConnection.open(http.port)
  connection.send(call('demo_wait', { key: 'a' }))
  for (let id = 2; id < 300; id++) connection.send(call('demo_whoami', {}, id))
  assert.equal(await connection.closed(), '')
  await aborted
})

test('bounds how many streams one principal can listen on', async (t) => {
  const { url, http } = await serveHttp(t, [demoPlugin().plugin])
  const stop = new AbortController()
  const listen = () =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'subscriptions/listen',
        params: { notifications: { toolsListChanged: true }, _meta: meta },
      }),
      signal: stop.signal,
    })
  const streams = await Promise.all(Array.from({ length: 256 }, listen))
  assert.ok(streams.every(({ status }) => status === 200))
  const refused = await listen()
  assert.equal(refused.status, 429)
  assert.match(await refused.text(), /256 subscription streams open/)
  assert.equal(http.open.streams, 256)
  stop.abort()
  while (http.open.streams > 0) await setImmediate()
})

test('says not ready first, finishes what runs, refuses what comes, then ends it', async (t) => {
  const demo = demoPlugin()
  const { http, url, registry, log } = await serveHttp(t, [demo.plugin])
  const management = await createManagement({ host: '127.0.0.1', port: 0, registry, isDraining: () => http.isDraining, log })
  t.after(() => management.close())
  const ready = async () => (await fetch(`${management.origin}/readyz`)).status
  assert.equal(await ready(), 200)

  const keys = Array.from({ length: 20 }, (_, index) => `k${index}`)
  const started = Promise.all(keys.map((key) => demo.started(key)))
  const connections = await Promise.all(keys.map(() => RawConnection.open(http.port)))
  connections.forEach((connection, index) => connection.send(call('demo_wait', { key: `k${index}` })))
  await started
  using idle = await RawConnection.open(http.port)
  assert.equal((await idle.send(call('demo_whoami')).answer()).status, 200)
  const stream = fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 'sub',
      method: 'subscriptions/listen',
      params: { notifications: { toolsListChanged: true }, _meta: meta },
    }),
  })
  const subscription = await stream

  http.drain()
  assert.equal(await ready(), 503)
  const late = await idle.send(call('demo_whoami')).answer()
  assert.deepEqual([late.status, late.headers['connection'], late.headers['retry-after']], [503, 'close', '1'])

  const closed = http.close({ graceMs: 50 })
  for (const key of keys.slice(0, 10)) demo.release(key)
  const answers = await Promise.all(connections.map((connection) => connection.answer()))
  for (const [index, { status, body: text, headers }] of answers.entries()) {
    assert.equal(status, 200)
    assert.equal(headers['connection'], 'close')
    const { result } = JSON.parse(text) as { result: { isError?: boolean; content: { text: string }[] } }
    assert.match(result.content[0]?.text ?? '', index < 10 ? new RegExp(`waited for k${index}$`) : /host is shutting down/)
    assert.equal(result.isError, index < 10 ? undefined : true)
  }
  // A subscription of 2026-07-28 ends with its result.
  assert.match(await subscription.text(), /"id":"sub","result"/)
  await closed
  await assert.rejects(fetch(url))
})

test('closes at once when nothing runs, whatever connections are open', async (t) => {
  const { http, url } = await serveHttp(t, [demoPlugin().plugin])
  using idle = await RawConnection.open(http.port)
  await idle.send(call('demo_whoami')).answer()
  const stream = await (await RawSession.open(url)).request('GET')
  const closed = once(idle.socket, 'close')
  await http.close({ graceMs: 60_000 })
  await closed
  assert.equal(await stream.text(), '')
})

test('a client that asks for a tunnel and resets its connection is not the end of the host', async (t) => {
  const { http } = await serveHttp(t, [demoPlugin().plugin])
  for (let turn = 0; turn < 30; turn++) {
    const socket = connect(http.port, '127.0.0.1')
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    socket.write('CONNECT x HTTP/1.1\r\nhost: localhost\r\n\r\n')
    // Before, while and after it is answered.
    for (let wait = turn % 6; wait > 0; wait--) await setImmediate()
    socket.resetAndDestroy()
    await once(socket, 'close')
  }
  // An error that nothing handles would fail this test.
  for (let turn = 0; turn < 10; turn++) await setImmediate()
  using connection = await RawConnection.open(http.port)
  connection.send('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  assert.match(await connection.closed(), /^HTTP\/1\.1 200 /)
})
