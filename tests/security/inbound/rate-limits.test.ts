import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { definePrompt, defineResource } from '@mcp-patchbay/plugin-api'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { createCaller, type Caller, type EmbeddedConfig } from 'mcp-patchbay'
import { openCache } from '../../../host/src/cache/open-cache.ts'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import { createHost } from '../../../host/src/host.ts'
import type { Host } from '../../../host/src/types.ts'
import { createRateLimit, windowOf } from '../../../host/src/server/call/rate-limit.ts'
import { replyOf } from '../../fixtures/projects/host-under-test.ts'
import { rawClient } from '../../fixtures/http/raw-client.ts'
import { RawSession } from '../../fixtures/http/raw-session.ts'
import { startRedis, withoutRedis } from '../../fixtures/redis.ts'
import { emptyPlugin, emptyTool } from '../../fixtures/projects/snapshots.ts'

const caller = (id: string, tenant = 'acme', kind: 'oauth' | 'apiKey' = 'oauth') =>
  createCaller({ id, tenant, permissions: ['*'], kind })
const [ada, ben, eve] = [caller('ada'), caller('ben'), caller('eve', 'evil')]
const plugin = emptyPlugin('notes', [emptyTool('items_get')])

const start = (rate: NonNullable<EmbeddedConfig['limits']>['rate']): Promise<Host> =>
  createHost({ plugins: [{ use: plugin }], limits: { rate } }, { env: {} })

/** Of each call whether it ran, or what it was told. */
async function flood(host: Pick<Host, 'call'>, who: Caller, calls: number): Promise<readonly string[]> {
  const answers = await Promise.all(Array.from({ length: calls }, () => host.call('notes_items_get', {}, { caller: who })))
  return answers.map((answer) =>
    answer.kind === 'result' && answer.result.isError ? JSON.stringify(answer.result.content) : 'ran',
  )
}
const ran = (answers: readonly string[]) => answers.filter((answer) => answer === 'ran').length

test('who floods is told to wait and for how long, and nobody else', async () => {
  await using host = await start({ callsPerMinute: 60, burst: 10 })
  const answers = await flood(host, ada, 1_000)
  assert.equal(ran(answers), 10)
  assert.match(answers[999] ?? '', /Too many calls: the limit is 60 per minute for one caller[^]*Wait \d+ s, then call again/)
  assert.equal(ran(await flood(host, ben, 10)), 10)
  assert.equal(ran(await flood(host, eve, 10)), 10)
})

test('the same name of two kinds of principals is two callers', async () => {
  await using host = await start({ callsPerMinute: 60, burst: 1 })
  assert.equal(ran(await flood(host, ada, 2)), 1)
  assert.equal(ran(await flood(host, caller('ada', 'acme', 'apiKey'), 2)), 1)
  assert.equal(ran(await flood(host, caller('ada', 'other'), 2)), 1)
})

test('a tenant that floods does so for its own callers only', async () => {
  await using host = await start({ callsPerMinute: 60, burst: 10, per: 'tenant' })
  assert.equal(ran(await flood(host, ada, 100)), 10)
  const [told] = await flood(host, ben, 1)
  assert.match(told ?? '', /for all callers of a tenant together/)
  assert.equal(ran(await flood(host, eve, 10)), 10)
})

test('each principal and each tenant can have its own limit', async () => {
  await using host = await start({ callsPerMinute: 60, burst: 10, tenant: { callsPerMinute: 90, burst: 15 } })
  assert.equal(ran(await flood(host, ada, 20)), 10)
  assert.equal(ran(await flood(host, ben, 20)), 5)
  assert.equal(ran(await flood(host, eve, 20)), 10)
})

test('a new limit of a config that is read again counts, and the same limit goes on counting', async () => {
  const config = (callsPerMinute: number) =>
    resolveConfig({ plugins: [{ use: plugin }], limits: { rate: { callsPerMinute, burst: 1 } } })
  await using host = await createHost(config(60), { env: {} })
  assert.equal(ran(await flood(host, ada, 2)), 1)
  await host.apply({ config: { ...config(60), readOnly: true } })
  assert.equal(ran(await flood(host, ada, 2)), 0)
  await host.apply({ config: config(120) })
  assert.equal(ran(await flood(host, ada, 2)), 2)
})

test('over HTTP, in both eras, a call too many is an error that a model can read', async () => {
  await using host = await start({ callsPerMinute: 60, burst: 10 })
  const { url } = await host.listen({ http: { port: 0 }, management: false })
  const client = rawClient(new URL(url ?? ''))
  const session = await RawSession.open(new URL(url ?? ''))
  for (let call = 0; call < 10; call++) await client.call('notes_items_get')
  const legacy = session.post('tools/call', { name: 'notes_items_get', arguments: {} })
  for (const answer of [await client.call('notes_items_get'), await legacy]) {
    const { isError, content } = replyOf(answer)
    assert.equal(isError, true)
    assert.match(content?.[0]?.text ?? '', /Too many calls/)
  }
})

test('what is read and asked for counts too, and a client is told to wait', async () => {
  const page = emptyPlugin('pages', [], {
    resources: [defineResource({ name: 'page', uri: 'pages://one', read: () => 'page' })],
    prompts: [definePrompt({ name: 'ask', run: () => 'Ask' })],
  })
  const limits = { rate: { callsPerMinute: 10, burst: 1 } }
  await using host = await createHost({ plugins: [{ use: page }], limits }, { env: {} })
  const { url } = await host.listen({ http: { port: 0 }, management: false })
  const client = rawClient(new URL(url ?? ''))
  assert.equal(replyOf(await client.post('resources/read', { uri: 'pages://one' })).error, undefined)
  for (const answer of [
    await client.post('resources/read', { uri: 'pages://one' }),
    await client.post('prompts/get', { name: 'pages_ask' }),
  ])
    assert.match(
      replyOf(answer).error?.message ?? '',
      /Too many calls: the limit is 10 per minute .*; the next call is possible in \d+ s/,
    )
})

for (const [rate, window] of [
  [{ callsPerMinute: 600 }, { points: 60, duration: 6 }],
  [
    { callsPerMinute: 60, burst: 10 },
    { points: 10, duration: 10 },
  ],
  [{ callsPerMinute: 1 }, { points: 1, duration: 60 }],
  [{ callsPerMinute: 5 }, { points: 1, duration: 12 }],
  [
    { callsPerMinute: 60_000, burst: 1 },
    { points: 1_000, duration: 1 },
  ],
] as const)
  test(`${JSON.stringify(rate)} is counted in windows of ${window.duration} s`, () => {
    assert.deepEqual(windowOf(rate), window)
  })

describe('with a Redis', { skip: withoutRedis }, () => {
  const settings = () => ({ callsPerMinute: 60, burst: 10 })
  const open = (store: string) =>
    openCache({ settings: { store, maxEntries: 100 }, configDir: '.', log: fakeLog(), patienceMs: 10_000 })
  const attempts = async (limit: ReturnType<typeof createRateLimit>, count: number) => {
    const all = await Promise.allSettled(Array.from({ length: count }, async () => limit(ada.principal)))
    return all.filter(({ status }) => status === 'fulfilled').length
  }

  test('the hosts that share it count together', async (t) => {
    const { url } = await startRedis(t)
    await using one = open(url)
    await using two = open(url)
    const limits = [one, two].map(({ scripts }) => createRateLimit({ settings, scripts }))
    const counts = await Promise.all(limits.map((limit) => attempts(limit, 20)))
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      10,
    )
  })

  test('each host counts for itself while it is down, and nobody is let through without', async (t) => {
    const redis = await startRedis(t)
    await using cache = open(redis.url)
    const limit = createRateLimit({ settings, scripts: cache.scripts })
    assert.equal(await attempts(limit, 5), 5)
    await redis.kill()
    assert.equal(await attempts(limit, 20), 10)
  })
})
