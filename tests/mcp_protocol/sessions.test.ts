import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { demoPlugin } from '../fixtures/plugins/demo-plugin.ts'
import { v1 } from '../fixtures/http/mcp-clients.ts'
import { RawSession } from '../fixtures/http/raw-session.ts'
import { bearers, serveHttp } from '../fixtures/http/serving.ts'

const HOUR = 3_600_000

test('is not found by another principal, nor by the same one of another tenant', async (t) => {
  const authenticate = bearers({ ada: { tenant: 'a' }, bob: { tenant: 'a' }, 'ada@b': { id: 'ada', tenant: 'b' } })
  const { url, log } = await serveHttp(t, [demoPlugin().plugin], { deps: { authenticate } })
  const session = await RawSession.open(url, { authorization: 'Bearer ada' })
  const unknown = await new RawSession(url, 'nobody', { authorization: 'Bearer ada' }).post('tools/list', {}, 9)
  assert.equal(unknown.status, 404)
  for (const who of ['bob', 'ada@b']) {
    const thief = new RawSession(url, session.id, { authorization: `Bearer ${who}` })
    assert.deepEqual(await thief.post('tools/list', {}, 9), unknown)
    assert.equal((await thief.request('GET')).status, 404)
    assert.equal((await thief.request('DELETE')).status, 404)
  }
  assert.equal((await session.post('tools/list')).status, 200)
  assert.ok(log.lines.some(({ event, fields }) => event === 'session_refused' && fields['principal'] === 'bob'))
})

test('ends when it was idle for too long, and only then', async (t) => {
  let now = 0
  const { url, http } = await serveHttp(t, [demoPlugin().plugin], {
    deps: { now: () => now },
    options: { sessions: { mode: 'stateful', max: 10, idleMs: HOUR } },
  })
  const session = await RawSession.open(url)
  now = HOUR
  assert.equal((await session.post('tools/list')).status, 200)
  now = 2 * HOUR
  assert.equal((await session.post('tools/list')).status, 200)
  now = 3 * HOUR + 1
  assert.equal((await session.post('tools/list')).status, 404)
  assert.equal(http.open.sessions, 1)
  http.sweep()
  assert.equal(http.open.sessions, 0)
})

test('does not end while a call runs in it or a stream is open', async (t) => {
  let now = 0
  const demo = demoPlugin()
  const { url, http } = await serveHttp(t, [demo.plugin], {
    deps: { now: () => now },
    options: { sessions: { mode: 'stateful', max: 10, idleMs: HOUR } },
  })
  const calling = await RawSession.open(url)
  const streaming = await RawSession.open(url)
  const started = demo.started('a')
  const call = calling.post('tools/call', { name: 'demo_wait', arguments: { key: 'a' } })
  const stream = await streaming.request('GET')
  await started
  now = 10 * HOUR
  http.sweep()
  assert.equal(http.open.sessions, 2)
  demo.release('a')
  assert.match((await call).text, /waited for a/)
  await stream.body?.cancel()
  while (http.open.streams > 0) await setImmediate()
  now = 20 * HOUR
  http.sweep()
  assert.equal(http.open.sessions, 0)
})

test('does not end when the clock of the machine is set', async (t) => {
  const { url, http } = await serveHttp(t, [demoPlugin().plugin], {
    options: { sessions: { mode: 'stateful', max: 10, idleMs: HOUR } },
  })
  const session = await RawSession.open(url)
  const real = Date.now
  for (const leap of [2 * HOUR, -2 * HOUR]) {
    t.mock.method(Date, 'now', () => real() + leap)
    http.sweep()
    assert.equal((await session.post('tools/list')).status, 200)
  }
})

test('makes room for a new one when it is the one idle longest', async (t) => {
  const { url, http } = await serveHttp(t, [demoPlugin().plugin], {
    options: { sessions: { mode: 'stateful', max: 2, idleMs: HOUR } },
  })
  const first = await RawSession.open(url)
  const second = await RawSession.open(url)
  await first.post('tools/list')
  const third = await RawSession.open(url)
  assert.equal(http.open.sessions, 2)
  assert.equal((await second.post('tools/list')).status, 404)
  assert.equal((await first.post('tools/list')).status, 200)
  assert.equal((await third.post('tools/list')).status, 200)
})

test('stays bounded under a flood, which costs nobody else a session', async (t) => {
  const authenticate = bearers({ ada: {}, flood: {} })
  const { url, http } = await serveHttp(t, [demoPlugin().plugin], {
    deps: { authenticate },
    options: { sessions: { mode: 'stateful', max: 10, idleMs: HOUR } },
  })
  const session = await RawSession.open(url, { authorization: 'Bearer ada' })
  for (let round = 0; round < 100; round++) await RawSession.open(url, { authorization: 'Bearer flood' })
  assert.equal(http.open.sessions, 6)
  assert.equal((await session.post('tools/list')).status, 200)
})

test('is refused with 503 while all others are busy', async (t) => {
  const demo = demoPlugin()
  const { url } = await serveHttp(t, [demo.plugin], { options: { sessions: { mode: 'stateful', max: 1, idleMs: HOUR } } })
  const busy = await RawSession.open(url)
  const started = demo.started('a')
  const call = busy.post('tools/call', { name: 'demo_wait', arguments: { key: 'a' } })
  await started
  const refused = await new RawSession(url, undefined).initialize()
  assert.equal(refused.status, 503)
  assert.equal(refused.headers.get('retry-after'), '10')
  demo.release('a')
  await call
})

test('refuses an id whose request is not answered yet, and one that is twice in a batch', async (t) => {
  const demo = demoPlugin()
  const { url } = await serveHttp(t, [demo.plugin])
  const session = await RawSession.open(url)
  const started = demo.started('a')
  const call = session.post('tools/call', { name: 'demo_wait', arguments: { key: 'a' } }, 5)
  await started
  const reused = await session.post('tools/list', {}, 5)
  assert.equal(reused.status, 400)
  assert.match(reused.text, /The request id 5 is in use/)
  demo.release('a')
  assert.match((await call).text, /waited for a/)
  assert.equal((await session.post('tools/list', {}, 5)).status, 200)
  const twice = { jsonrpc: '2.0', id: 6, method: 'tools/list' }
  assert.equal((await session.send([twice, twice])).status, 400)
})

test('ends the stream of a cancelled call, and the id is free again', async (t) => {
  const demo = demoPlugin()
  const { url } = await serveHttp(t, [demo.plugin])
  const session = await RawSession.open(url)
  const started = demo.started('a')
  const call = session.post('tools/call', { name: 'demo_wait', arguments: { key: 'a' } }, 5)
  await started
  assert.equal((await session.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5 } })).status, 202)
  assert.doesNotMatch((await call).text, /"id":5/)
  assert.equal((await session.post('tools/list', {}, 5)).status, 200)
})

test('gives a client that polls the answer of a call that closed its stream', async (t) => {
  const demo = demoPlugin()
  const { url } = await serveHttp(t, [demo.plugin])
  const session = await RawSession.open(url)
  const started = demo.started('a')
  const closed = await session.post('tools/call', { name: 'demo_polled', arguments: { key: 'a' } }, 5)
  await started
  const [, lastEvent] = /^id: (.+)$/m.exec(closed.text) ?? []
  assert.match(closed.text, /^retry: \d+$/m)
  assert.doesNotMatch(closed.text, /"id":5/)
  const resumed = session.request('GET', { 'last-event-id': lastEvent ?? '' })
  demo.release('a')
  const text = await (await resumed).text()
  assert.match(text, /polled a/)
  const [, last] = /^id: (.+)$/m.exec(text) ?? []
  assert.equal((await session.request('GET', { 'last-event-id': last ?? '' })).status, 405)
})

test('does not keep a v1 client coming back after an error', async (t) => {
  const { url } = await serveHttp(t, [demoPlugin().plugin])
  const client = await v1(t, url)
  // It asks once for what comes after the error, and is told that nothing does.
  const refused = new Promise<number>((resolve) => {
    const onFinish = (message: unknown) => {
      const { request, response } = message as { request: IncomingMessage; response: ServerResponse }
      if (request.method === 'GET' && request.headers['last-event-id'] !== undefined) resolve(response.statusCode)
    }
    subscribe('http.server.response.finish', onFinish)
    t.after(() => unsubscribe('http.server.response.finish', onFinish))
  })
  await assert.rejects(client.call('demo_nothing'), { code: -32602 })
  assert.equal(await refused, 405)
  assert.equal(await client.call('demo_whoami'), 'local of nobody')
})

test('begins its stream with what changed before its client listened, each change once', async (t) => {
  const served = await serveHttp(t, [demoPlugin().plugin])
  const session = await RawSession.open(served.url)
  const { plugin } = demoPlugin()
  await served.publish([{ ...plugin, resources: [] }])
  await served.publish([plugin])
  const told = await changesUntil(await session.request('GET'), 'resources')
  assert.deepEqual(told, ['resources'])
  // What the first stream could not deliver any more, the next one does.
  await served.publish([{ ...plugin, prompts: [] }])
  const next = await session.request('GET')
  await served.publish([{ ...plugin, prompts: [], resources: [] }])
  assert.deepEqual(await changesUntil(next, 'resources'), ['prompts', 'resources'])
})

test('is gone when its client ends it', async (t) => {
  const { url, http } = await serveHttp(t, [demoPlugin().plugin])
  const session = await RawSession.open(url)
  assert.equal((await session.request('DELETE')).status, 200)
  assert.equal((await session.post('tools/list')).status, 404)
  assert.equal(http.open.sessions, 0)
})

test('closes a stream when the credential that opened it ends, in each era', async (t) => {
  const authenticate = bearers({ ada: { expiresAt: 1_000 } })
  const { url, sseUrl } = await serveHttp(t, [demoPlugin().plugin], { deps: { authenticate, now: () => 0 } })
  const headers = { authorization: 'Bearer ada' }
  const session = await RawSession.open(url, headers)
  const listen = fetch(url, {
    method: 'POST',
    headers: {
      ...headers,
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'subscriptions/listen',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'subscriptions/listen',
      params: {
        notifications: { toolsListChanged: true },
        _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} },
      },
    }),
  })
  for (const stream of await Promise.all([session.request('GET'), fetch(sseUrl, { headers }), listen])) {
    assert.equal(stream.status, 200)
    await assert.rejects(stream.text())
  }
})

/** Of a stream, the lists that it said have changed, up to one of them. Ends the stream. */
async function changesUntil(stream: Response, last: string): Promise<string[]> {
  const told: string[] = []
  let text = ''
  for await (const chunk of stream.body ?? assert.fail('a stream')) {
    text += Buffer.from(chunk).toString()
    told.splice(0, Infinity, ...[...text.matchAll(/notifications\/(\w+)\/list_changed/g)].map(([, list = '']) => list))
    if (told.includes(last)) break
  }
  return told
}
