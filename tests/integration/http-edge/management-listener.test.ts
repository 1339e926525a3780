import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createHost } from '../../../host/src/index.ts'
import { hostError, type HostError } from '../../../host/src/errors.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { Registry } from '../../../host/src/server/catalog/registry.ts'
import type { PluginRecord } from '../../../host/src/plugin/run/plugin-record.ts'
import { createManagement } from '../../../host/src/transport/management.ts'
import { rawRequest } from '../../fixtures/http/raw-http.ts'
import { activeRecord, emptyPlugin, emptyTool, snapshotOf } from '../../fixtures/projects/snapshots.ts'

const active = (name: string, required = false) => activeRecord(emptyPlugin(name, [emptyTool('get')]), { required })
const reason = { code: 'PLUGIN_IMPORT', message: 'it has a fault', fix: [] }
const failed = (name: string, required = false): PluginRecord => {
  const { instance, entry } = active(name, required)
  return { instance, entry, state: 'failed', reason }
}

async function start(
  t: TestContext,
  plugins: readonly PluginRecord[],
  more: { draining?: boolean; isPreparing?: () => boolean; metrics?: () => Promise<string>; missing?: HostError } = {},
) {
  const { draining = false, ...rest } = more
  const registry = new Registry(snapshotOf(plugins), silentLogger)
  const management = await createManagement({
    host: '127.0.0.1',
    port: 0,
    registry,
    isDraining: () => draining,
    log: silentLogger,
    ...rest,
  })
  t.after(() => management.close())
  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(new URL(path, management.origin), init)
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
  return { management, get }
}

for (const [what, plugins, draining, status] of [
  ['every plugin is active', [active('a')], false, 200],
  ['there are no plugins', [], false, 200],
  ['a plugin failed that is not required', [active('a'), failed('b')], false, 200],
  ['a required plugin failed', [active('a'), failed('b', true)], false, 503],
  ['there are plugins and none is active', [failed('a'), failed('b')], false, 503],
  ['the host is draining', [active('a')], true, 503],
] as const) {
  test(`is ${status === 200 ? '' : 'not '}ready when ${what}, and alive`, async (t) => {
    const { get } = await start(t, plugins, { draining })
    assert.equal((await get('/readyz')).status, status)
    assert.equal((await get('/livez')).status, 200)
    assert.equal((await get('/healthz')).status, 200)
  })
}

test('says whether what the first requests need is still being read, and is ready meanwhile', async (t) => {
  let isPreparing = true
  const { get } = await start(t, [active('a')], { isPreparing: () => isPreparing })
  for (const preparing of [true, false]) {
    isPreparing = preparing
    const { status, text } = await get('/readyz')
    assert.equal(status, 200)
    assert.partialDeepStrictEqual(JSON.parse(text), { ready: true, preparing })
  }
})

test('a host reads ahead once it listens, and says when that is over', async () => {
  const readAhead = async (importAfterMs: number) => {
    await using host = await createHost({ plugins: [] }, { importAfterMs })
    const { managementUrl = '' } = await host.listen({ http: { port: 0 }, management: { port: 0 } })
    const isOver = async () => !((await (await fetch(`${managementUrl}/readyz`)).json()) as { preparing: boolean }).preparing
    if (importAfterMs > 0) return await isOver()
    while (!(await isOver()));
    return true
  }
  assert.deepEqual([await readAhead(60_000), await readAhead(0)], [false, true])
})

test('is not ready where a package is missing that the config needs, and names it', async (t) => {
  const missing = hostError('CACHE_REDIS_MISSING', { store: 'redis://cache' })
  const { get } = await start(t, [active('a')], { missing })
  const { status, text } = await get('/readyz')
  assert.equal(status, 503)
  assert.partialDeepStrictEqual(JSON.parse(text), { ready: false, degraded: [], missing: { code: 'CACHE_REDIS_MISSING' } })
  assert.match(text, /npm install --save-exact redis@/)
})

test('names each plugin that does not serve as it should, and why', async (t) => {
  const kept = { ...active('c'), reloadError: reason }
  const { get } = await start(t, [active('a'), failed('b', true), kept])
  const report = JSON.parse((await get('/readyz')).text) as unknown
  assert.deepEqual(report, {
    ready: false,
    draining: false,
    preparing: false,
    generation: 1,
    degraded: [
      { plugin: 'b', state: 'failed', required: true, code: 'PLUGIN_IMPORT', reason: 'it has a fault' },
      {
        plugin: 'c',
        state: 'active',
        required: false,
        code: 'PLUGIN_IMPORT',
        reason: 'it has a fault',
        reloadError: reason,
      },
    ],
  })
})

test('gives the metrics, where there are any', async (t) => {
  const { get } = await start(t, [], { metrics: () => Promise.resolve('patchbay_generation 1\n') })
  const metrics = await get('/metrics')
  assert.equal(metrics.text, 'patchbay_generation 1\n')
  assert.match(metrics.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  const without = await start(t, [])
  assert.equal((await without.get('/metrics')).status, 404)
})

test('answers 500 when the metrics cannot be collected, and goes on', async (t) => {
  const { get } = await start(t, [], { metrics: () => Promise.reject(new Error('secret detail')) })
  const broken = await get('/metrics')
  assert.equal(broken.status, 500)
  assert.doesNotMatch(broken.text, /secret/)
  assert.equal((await get('/livez')).status, 200)
})

test('serves nothing else, and nothing that changes anything', async (t) => {
  const { get, management } = await start(t, [])
  for (const path of ['/mcp', '/sse', '/messages', '/', '/admin', '/__proto__', '/readyz/'])
    assert.equal((await get(path)).status, 404, path)
  for (const method of ['POST', 'PUT', 'DELETE'])
    assert.equal((await get('/readyz', { method })).headers.get('allow'), 'GET, HEAD')
  assert.equal((await rawRequest(management.port, 'GET /readyz HTTP/1.1\r\nHost: evil.example\r\n\r\n')).status, 403)
  assert.equal((await get('/readyz', { headers: { origin: 'https://evil.example' } })).status, 403)
})
