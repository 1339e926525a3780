import assert from 'node:assert/strict'
import { test } from 'node:test'
import { observedHost } from '../../fixtures/http/observed-host.ts'
import { rawRequest } from '../../fixtures/http/raw-http.ts'

test('/metrics tells what came, what was refused, what is open and what went on to services, inline and isolated', async (t) => {
  const { client, url, metrics } = await observedHost(t, [
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
})
