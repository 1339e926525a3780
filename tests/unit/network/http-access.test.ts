import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpRequest } from '@mcp-patchbay/plugin-api'
import { callScope, refusal, serviceHttp } from '../../fixtures/http/service-http.ts'
import { redirect, reply, startUpstream } from '../../fixtures/http/upstream.ts'

type Method = NonNullable<HttpRequest['method']>

for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const)
  test(`a read tool cannot send ${method}`, async () => {
    await using upstream = await startUpstream(reply(200, {}))
    await using http = serviceHttp({ baseUrl: upstream.url, currentCall: () => callScope({ access: 'read' }) })
    const error = await refusal(http.json('/issues', { method }), 'PERMISSION_DENIED')
    assert.equal(error.message, `github: ${method} /issues was not sent: it may write, and this call may only read`)
    assert.equal(upstream.requests.length, 0)
  })

for (const method of ['GET', 'HEAD'] as const)
  test(`a read tool can send ${method}`, async () => {
    await using upstream = await startUpstream(reply(200, {}))
    await using http = serviceHttp({ baseUrl: upstream.url, currentCall: () => callScope({ access: 'read' }) })
    await http.text('/issues', { method })
    assert.equal(upstream.requests[0]?.method, method)
  })

const safe: readonly (readonly [pattern: string, path: string, method: Method, allowed: boolean])[] = [
  ['/search', '/search', 'POST', true],
  ['/search', '/search?q=1', 'POST', true],
  ['/search', '/search', 'DELETE', false],
  ['/search', '/search', 'PUT', false],
  ['/search', '/search/', 'POST', false],
  ['/search', '/searches', 'POST', false],
  ['/search', '/a/search', 'POST', false],
  ['/spaces/*/search', '/spaces/7/search', 'POST', true],
  ['/spaces/*/search', '/spaces//search', 'POST', false],
  ['/spaces/*/search', '/spaces/7/8/search', 'POST', false],
  ['/spaces/*/search', '/spaces/7%2F8/search', 'POST', false],
  ['/spaces/*', '/spaces/7/delete', 'POST', false],
  ['*', '/search', 'POST', false],
]
for (const [pattern, path, method, allowed] of safe)
  test(`safe path ${pattern} ${allowed ? 'lets' : 'does not let'} a read tool ${method} ${path}`, async () => {
    await using upstream = await startUpstream(reply(200, {}))
    const scope = callScope({ access: 'read', safePaths: [pattern] })
    await using http = serviceHttp({ baseUrl: `${upstream.url}/api`, currentCall: () => scope })
    const sent = http.json(path, { method })
    if (allowed) await sent
    else await refusal(sent, 'PERMISSION_DENIED')
    assert.equal(upstream.requests.length, allowed ? 1 : 0)
  })

test('a safe path is one of the service: a read tool cannot post to the same path elsewhere', async () => {
  const scope = callScope({ access: 'read', safePaths: ['/search'] })
  await using http = serviceHttp({ extraHosts: ['https://cdn.example.com'], currentCall: () => scope })
  await refusal(http.json('https://cdn.example.com/search', { method: 'POST' }), 'PERMISSION_DENIED')
})

test('a redirect does not carry a safe POST to a path that is not safe', async () => {
  await using upstream = await startUpstream([redirect(307, '/issues/1/delete'), reply(200, {})])
  const scope = callScope({ access: 'read', safePaths: ['/search'] })
  await using http = serviceHttp({ baseUrl: upstream.url, currentCall: () => scope })
  await refusal(http.json('/search', { method: 'POST', body: {} }), 'UPSTREAM_FAILED')
  assert.equal(upstream.requests.length, 1)
})

test('a write tool can send everything', async () => {
  await using upstream = await startUpstream(reply(200, {}))
  await using http = serviceHttp({ baseUrl: upstream.url, currentCall: () => callScope({ access: 'write' }) })
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const) await http.json('/a', { method })
  assert.equal(upstream.requests.length, 5)
})

test('a read-only instance cannot write, neither from a write tool nor in the background', async () => {
  let scope: ReturnType<typeof callScope> | undefined = callScope({ access: 'write' })
  await using http = serviceHttp({ baseUrl: 'http://127.0.0.1:1', readOnly: true, currentCall: () => scope })
  await refusal(http.json('/a', { method: 'DELETE' }), 'PERMISSION_DENIED')
  scope = undefined
  await refusal(http.json('/a', { method: 'DELETE' }), 'PERMISSION_DENIED')
})
