import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Principal } from '@mcp-patchbay/plugin-api'
import { createCache } from '../../../host/src/cache/cache.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createMetrics } from '../../../host/src/observability/metrics.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { LivePlugin } from '../../../host/src/plugin/run/live-plugin.ts'
import { createCalls } from '../../../host/src/server/call/call.ts'
import { Cancellation } from '../../../host/src/server/call/cancellation.ts'
import { createResultCache } from '../../../host/src/server/call/result/result-cache.ts'
import { createCaller } from '../../../host/src/server/catalog/caller.ts'
import { activeRecord, emptyPlugin, emptyTool, snapshotOf } from '../../fixtures/projects/snapshots.ts'

const cache = { ttlMs: 60_000, scope: 'shared', tags: ['issues'] } as const
const tools = [
  emptyTool('issues_get', 'read', { cache }),
  emptyTool('users_get', 'read', { cache: { ttlMs: 60_000, scope: 'shared' } }),
  emptyTool('issues_put', 'write'),
  emptyTool('issues_fail', 'write'),
  emptyTool('issues_put_cached', 'write', { cache }),
]

/** Two plugins whose answers are numbered, so that an answer from the cache shows; `a_issues_fail` always fails. */
function serving(t: TestContext, beforeDrop: () => Promise<void> = async () => {}) {
  const kept = createCache({ log: silentLogger })
  const drop: typeof kept.drop = async (tags) => {
    await beforeDrop()
    await kept.drop(tags)
  }
  t.after(() => kept[Symbol.asyncDispose]())
  let runs = 0
  const records = ['a', 'b'].map((name) => {
    const record = activeRecord(emptyPlugin(name, tools))
    assert.ok(record.live)
    const callTool = async (tool: string) => (tool === 'issues_fail' ? Promise.reject(new Error('failed')) : `run ${++runs}`)
    const live = new LivePlugin(name, { ...record.live.running, callTool })
    return { ...record, live, identity: () => 'v1', credentialUse: () => ({ by: 'none' }) as const }
  })
  const snapshot = snapshotOf(records, { tenants: { acme: {}, umbrella: {} } })
  const calls = createCalls({
    log: silentLogger,
    metrics: createMetrics(),
    now: () => 0,
    limits: () => ({ callTimeoutMs: 60_000, resultBytes: 10_000 }),
    redact: createRedactor(),
    results: createResultCache({ cache: { ...kept, drop } }),
  })
  return async (tenant: string, tool: string) => {
    const principal: Principal = { id: 'x', tenant, permissions: [], kind: 'apiKey' }
    const answer = await calls.tool(
      snapshot,
      createCaller(principal),
      tool,
      {},
      { cancellation: new Cancellation(), requestId: 'r' },
    )
    const [first] = answer.kind === 'result' ? answer.result.content : []
    return first?.type === 'text' ? first.text : ''
  }
}

test('a tool that writes answers when what it made stale is gone, also from a slow store', async (t) => {
  const [asked, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const call = serving(t, () => (asked.resolve(), gone.promise))
  assert.equal(await call('acme', 'a_issues_get'), 'run 1')
  let isAnswered = false
  const written = call('acme', 'a_issues_put').finally(() => (isAnswered = true))
  await asked.promise
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(isAnswered, false)
  gone.resolve()
  assert.equal(await written, 'run 2')
  assert.equal(await call('acme', 'a_issues_get'), 'run 3')
})

for (const [how, writes] of [
  ['writes', 'a_issues_put'],
  ['fails to write', 'a_issues_fail'],
  ['writes, and opted in to a cache for nothing', 'a_issues_put_cached'],
] as const)
  test(`a tool that ${how} makes stale what its tenant was answered, by its plugin and under its tags, and no other tenant's`, async (t) => {
    const call = serving(t)
    const readers = [
      ['acme', 'a_issues_get'],
      ['acme', 'b_issues_get'],
      ['acme', 'a_users_get'],
      ['acme', 'b_users_get'],
      ['umbrella', 'a_issues_get'],
      ['umbrella', 'b_issues_get'],
      ['umbrella', 'a_users_get'],
    ] as const
    const all = async () => {
      const answers: string[] = []
      for (const [tenant, tool] of readers) answers.push(await call(tenant, tool))
      return answers
    }
    const before = await all()
    assert.deepEqual(await all(), before)
    await call('acme', writes)
    const after = await all()
    assert.deepEqual(
      after.map((answer, index) => answer === before[index]),
      [false, false, false, true, true, true, true],
    )
  })

test('a tool that writes runs each time, also when it opted in to the cache', async (t) => {
  const call = serving(t)
  assert.notEqual(await call('acme', 'a_issues_put_cached'), await call('acme', 'a_issues_put_cached'))
})
