import assert from 'node:assert/strict'
import { test } from 'node:test'
import { observedHost } from '../../fixtures/http/observed-host.ts'
import { rawRequest } from '../../fixtures/http/raw-http.ts'
import { openSse } from '../../fixtures/http/sse-session.ts'

test('/metrics tells what came, what was refused, what is open and what went on to services, inline and isolated', async (t) => {
  const { client, url, metrics, management, log } = await observedHost(t, [
    (response) => response.end('one'),
    (response) => response.writeHead(404).end('none'),
    (response) => response.end('three'),
  ])
  assert.match((await client.call('near_get')).text, /one/)
  assert.match((await client.call('near_get')).text, /isError/)
  assert.match((await client.call('apart_get')).text, /three/)
  assert.match((await client.call('near_put')).text, /Unknown tool/)
  assert.equal((await fetch(new URL('/nowhere', url))).status, 404)
  assert.equal((await fetch(url, { method: 'PUT' })).status, 405)
  assert.equal((await rawRequest(Number(url.port), 'nonsense\r\n\r\n')).status, 400)
  const text = await metrics()
  for (const line of [
    'patchbay_upstream_requests_total{plugin="near",status="200"} 1',
    'patchbay_upstream_requests_total{plugin="near",status="404"} 1',
    'patchbay_upstream_requests_total{plugin="apart",status="200"} 1',
    'patchbay_upstream_request_duration_seconds_count{plugin="near"} 2',
    'patchbay_denied_calls_total{kind="tool",reason="denied_by_plugin"} 1',
    'patchbay_http_requests_total{status="404"} 1',
    'patchbay_http_requests_total{status="405"} 1',
    'patchbay_http_requests_total{status="400"} 1',
    'patchbay_sessions 1',
    'patchbay_calls_in_flight 0',
  ])
    assert.ok(text.includes(`\n${line}\n`), `${line} in\n${text}`)
  assert.match(text, /^patchbay_http_requests_total\{status="200"\} \d+$/m)

  const about = { version: '0.1.0', build: 'source', node: process.version }
  const { project, ...health } = (await (await fetch(new URL('/healthz', management))).json()) as Record<string, unknown>
  assert.deepEqual(health, { status: 'ok', ...about, url: String(url) })
  assert.match(String(project), /^[\da-f]{16}$/, 'without a path')
  assert.partialDeepStrictEqual(
    log.find(({ event }) => event === 'listening'),
    about,
  )
  assert.equal(await (await fetch(new URL('/healthz', url))).text(), '{"status":"ok"}', 'clients are not told')
})

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = `00-${TRACE}-00f067aa0ba902b7-01`

test('the trace of a request goes on to the service, and is in the lines of its call', async (t) => {
  const { client, session, upstream, log, url } = await observedHost(t, (response) => response.end('ok'))
  const headers = { traceparent: PARENT, tracestate: 'vendor=1' }
  const meta = (name: string) => ({ name, arguments: {}, _meta: { traceparent: PARENT, tracestate: 'vendor=1' } })
  const legacy = (name: string, params: object) =>
    fetch(url, {
      method: 'POST',
      headers: {
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        'mcp-session-id': session.id ?? '',
        ...params,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name, arguments: {} } }),
    }).then((response) => response.text())
  await using sse = await openSse(url)
  let asked = 0
  for (const [way, send] of [
    ['a header of 2026-07-28', (name: string) => client.call(name, {}, headers)],
    ['_meta of 2026-07-28', (name: string) => client.post('tools/call', meta(name))],
    ['a header in a session', (name: string) => legacy(name, headers)],
    ['_meta in a session', (name: string) => session.post('tools/call', meta(name))],
    ['a header over HTTP+SSE', (name: string) => sse.request('tools/call', { name, arguments: {} }, headers)],
    ['_meta over HTTP+SSE', (name: string) => sse.request('tools/call', meta(name))],
  ] as const)
    for (const name of ['near_get', 'apart_get']) {
      const before = log.length
      await send(name)
      const { headers: sent } = await upstream.received(++asked)
      assert.equal(sent['traceparent'], PARENT, `${way} of ${name}`)
      assert.equal(sent['tracestate'], 'vendor=1', `${way} of ${name}`)
      const lines = log.slice(before).filter(({ event }) => event === 'audit' || event === 'plugin.asked')
      assert.deepEqual(
        lines.map((line) => line['trace']),
        [TRACE, TRACE],
        `${way} of ${name}`,
      )
    }

  await client.call('near_get')
  const { headers: none } = await upstream.received(++asked)
  assert.equal(none['traceparent'], undefined, 'a request without a trace begins none')
  await client.call('near_get', {}, { traceparent: 'nonsense', tracestate: 'vendor=1' })
  const { headers: nonsense } = await upstream.received(++asked)
  assert.deepEqual([nonsense['traceparent'], nonsense['tracestate']], [undefined, undefined])
})

test('a call that fails or is denied says its trace too', async (t) => {
  const { client, log } = await observedHost(t, (response) => response.writeHead(500).end())
  await client.call('near_get', {}, { traceparent: PARENT })
  await client.call('near_put', {}, { traceparent: PARENT })
  const lines = log.filter(({ event }) => event === 'call_failed' || event === 'audit')
  assert.deepEqual(
    lines.map((line) => [line['event'], line['decision'], line['trace']]),
    [
      ['call_failed', undefined, TRACE],
      ['audit', 'allow', TRACE],
      ['audit', 'deny', TRACE],
    ],
  )
})
