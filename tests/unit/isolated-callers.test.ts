import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { HttpClient, Principal } from '@mcp-patchbay/plugin-api'
import { createCache } from '../../host/src/cache/cache.ts'
import { silentLogger } from '../../host/src/observability/logger.ts'
import { createMetrics } from '../../host/src/observability/metrics.ts'
import { createBroker } from '../../host/src/plugin/isolate/broker.ts'
import { createOpaqueCallers } from '../../host/src/plugin/isolate/calls/opaque-callers.ts'
import { currentCall } from '../../host/src/plugin/run/inline-call-scope.ts'
import type { CallRequest } from '../../host/src/plugin/run/running.ts'
import { callScope } from '../fixtures/http/service-http.ts'

const ann: Principal = { id: 'ann', tenant: 'acme', permissions: ['p'], kind: 'apiKey' }

test('a plugin in its own process knows a caller by a name that says nothing and is another in every plugin', () => {
  const [one, other] = [createOpaqueCallers(), createOpaqueCallers()]
  const hidden = one.opaque(ann)
  assert.deepEqual({ ...hidden, id: '' }, { ...ann, id: '' })
  assert.doesNotMatch(hidden.id, /ann/)
  assert.equal(one.opaque(ann), hidden, 'the same object for the same caller')
  assert.equal(one.opaque({ ...ann }).id, hidden.id)
  assert.notEqual(other.opaque(ann).id, hidden.id)
  const others = [{ id: 'bob' }, { tenant: 'umbrella' }, { tenant: undefined }, { kind: 'oauth' as const }]
  const ids = others.map((change) => one.opaque({ ...ann, ...change }).id)
  assert.equal(new Set([hidden.id, ...ids]).size, 5)
  const operator: Principal = { id: 'local', tenant: undefined, permissions: ['*'], kind: 'local' }
  assert.equal(one.opaque(operator), operator)
})

test("a credential's fingerprint cannot be compared with that in another plugin, and none stays none", () => {
  const [one, other] = [createOpaqueCallers(), createOpaqueCallers()]
  assert.equal(one.hide(''), '')
  assert.equal(one.hide('fingerprint'), one.hide('fingerprint'))
  assert.notEqual(one.hide('fingerprint'), one.hide('fingerprint-2'))
  assert.notEqual(one.hide('fingerprint'), other.hide('fingerprint'))
  assert.doesNotMatch(one.hide('fingerprint'), /fingerprint/)
})

function openBroker(t: TestContext) {
  const cache = createCache({ log: silentLogger })
  t.after(async () => cache[Symbol.asyncDispose]())
  const asked: (string | undefined)[] = []
  const text = async () => {
    asked.push(currentCall()?.principal.id)
    return 'answer'
  }
  const http: HttpClient = { text, json: async () => assert.fail(), request: async () => assert.fail() }
  const broker = createBroker({
    instance: 'desk',
    http,
    log: silentLogger,
    metrics: createMetrics().forPlugin('desk'),
    cache,
    digest: 'v1',
    now: () => 0,
  })
  const told: unknown[] = []
  const request = {
    progress: (progress: number) => void told.push(progress),
    log: (_: string, data: unknown) => void told.push(data),
    closeStream: () => void told.push('closed'),
  }
  const begin = (id: number, principal: Principal) =>
    broker.begin(id, {
      request: { ...request, requestId: 'r' } as Partial<CallRequest> as CallRequest,
      scope: callScope({ principal }),
    })
  const ask = (what: string, data: object, body = '') => broker.onRequest(what, { data, body: Buffer.from(body) })
  const send = (call: number) => ask('http', { call, how: 'text', path: '/x', options: {} })
  const get = async (call: number) =>
    ((await ask('cache', { call, what: 'get', key: 'key' })) as { data?: { found?: unknown } }).data?.found
  const set = (call: number, value: string) =>
    ask('cache', { call, what: 'set', key: 'key', ttlMs: 60_000 }, JSON.stringify(value))
  return { broker, begin, send, get, set, asked, told }
}

test('a plugin in its own process has the rights and the cache of a call while the call is in it, and not after', async (t) => {
  const { broker, begin, send, get, set, asked, told } = openBroker(t)
  begin(1, ann)
  begin(2, { ...ann, id: 'bob' })
  await set(1, "ann's")
  await Promise.all([send(1), send(2), send(3)])
  assert.deepEqual(asked, ['ann', 'bob', undefined])
  assert.deepEqual([await get(1), await get(2), await get(3)], ["ann's", undefined, undefined])
  broker.onNotification('clientLog', { call: 1, level: 'info', data: 'in time' })
  broker.onNotification('closeStream', { call: 1 })
  broker.end(1)
  await send(1)
  assert.equal(asked.at(-1), undefined)
  assert.equal(await get(1), undefined)
  broker.onNotification('clientLog', { call: 1, level: 'info', data: 'too late' })
  broker.onNotification('closeStream', { call: 1 })
  broker.onNotification('progress', { call: 1, progress: 1 })
  assert.deepEqual(told, ['in time', 'closed'])
})

test('progress that waits to be told is never told once its call is over', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { broker, begin, told } = openBroker(t)
  begin(1, ann)
  for (const progress of [1, 2]) broker.onNotification('progress', { call: 1, progress })
  broker.end(1)
  t.mock.timers.tick(1_000)
  assert.deepEqual(told, [1])
})

test("one tenant's caller does not find in the cache what the same person keeps in another tenant, nor without one", async (t) => {
  const { begin, get, set } = openBroker(t)
  const people = [
    ann,
    { ...ann, tenant: 'umbrella' },
    { ...ann, tenant: undefined },
    { ...ann, id: 'bob' },
    { ...ann, kind: 'oauth' as const },
  ]
  for (const [id, principal] of people.entries()) begin(id, principal)
  for (const id of people.keys()) {
    assert.equal(await get(id), undefined)
    await set(id, String(id))
  }
  for (const id of people.keys()) assert.equal(await get(id), String(id))
})
