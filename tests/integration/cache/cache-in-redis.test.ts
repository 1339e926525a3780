import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import type { HostCache } from '../../../host/src/cache/cache.ts'
import { openCache } from '../../../host/src/cache/open-cache.ts'
import { startRedis, withoutRedis } from '../../fixtures/redis.ts'

const ttlMs = 60_000

suite('the cache in Redis', { skip: withoutRedis }, () => {
  test('what one host keeps another reads', async (t) => {
    const { url } = await startRedis(t)
    const [one, two] = await openTwo(t, url)
    await one.namespace('results', 'github').set('key', { title: 'One' }, { ttlMs })
    assert.deepEqual(await two.namespace('results', 'github').get('key'), { title: 'One' })
  })

  test('what one host drops no other gives', async (t) => {
    const { url } = await startRedis(t)
    const [one, two] = await openTwo(t, url)
    const ask = async (cache: HostCache, value: string) =>
      (await cache.namespace('results', 'github').remember('key', { ttlMs, tags: [cache.tag('github')] }, async () => value))
        .value
    assert.equal(await ask(one, 'old'), 'old')
    assert.equal(await ask(two, 'unused'), 'old')
    const { promise: told, resolve: tell } = Promise.withResolvers<unknown>()
    one.bus?.on('tags_dropped', tell)
    await two.drop([two.tag('github')])
    await told
    assert.equal(await ask(one, 'new'), 'new')
    assert.equal(await ask(two, 'unused'), 'new')
  })

  test('events reach the other hosts and not the one that sent them', async (t) => {
    const { url } = await startRedis(t)
    const [one, two] = await openTwo(t, url)
    const heard: unknown[] = []
    one.bus?.on('topic', (data) => heard.push(['one', data]))
    const { promise, resolve } = Promise.withResolvers<void>()
    two.bus?.on('topic', (data) => {
      heard.push(['two', data])
      if (data === 'last') resolve()
    })
    one.bus?.publish('other', 'unheard')
    one.bus?.publish('topic', { number: 1 })
    one.bus?.publish('topic', 'last')
    await promise
    assert.deepEqual(heard, [
      ['two', { number: 1 }],
      ['two', 'last'],
    ])
  })

  test('what was being loaded when another host dropped it is joined by nobody after', async (t) => {
    const { url } = await startRedis(t)
    const [one, two] = await openTwo(t, url)
    const { promise: dropped, resolve } = Promise.withResolvers<void>()
    const values = two.namespace('results', 'github')
    const tags = [two.tag('github')]
    const { promise: loading, resolve: begun } = Promise.withResolvers<void>()
    const { promise: old, resolve: land } = Promise.withResolvers<string>()
    const before = values.remember('key', { ttlMs, tags }, () => (begun(), old))
    await loading
    two.bus?.on('tags_dropped', () => resolve())
    await one.drop([one.tag('github')])
    await dropped
    assert.equal((await values.remember('key', { ttlMs, tags }, async () => 'new')).value, 'new')
    land('old')
    assert.equal((await before).value, 'old')
    assert.equal((await values.remember('key', { ttlMs, tags }, async () => 'unused')).value, 'new')
  })

  test('entries expire in Redis itself', async (t) => {
    const { url } = await startRedis(t)
    const cache = open(t, url)
    await cache.bus?.ready
    await cache.namespace('results', 'github').set('key', 1, { ttlMs: 1 })
    while ((await cache.inspect()).entries > 0);
  })

  test('inspect counts and clear removes entries of the host only', async (t) => {
    const { url } = await startRedis(t)
    const cache = open(t, url)
    await cache.bus?.ready
    const { createClient } = await import('redis')
    const client = await createClient({ url })
      .on('error', () => {})
      .connect()
    await client.set('somebody:else', 'theirs')
    const keys = Array.from({ length: 50 }, (_, index) => index)
    for (const batch of keys)
      await Promise.all(keys.map((key) => cache.namespace('results', String(batch)).set(String(key), key, { ttlMs })))
    assert.deepEqual(await cache.inspect(), { entries: 2_500, bytes: undefined, kinds: { results: 2_500 } })
    await cache.clear()
    assert.equal((await cache.inspect()).entries, 0)
    assert.equal(await client.get('somebody:else'), 'theirs')
    client.destroy()
  })

  test('a password is used and is in no line of the log', async (t) => {
    const { url } = await startRedis(t, ['--requirepass', 'correct-horse'])
    const right = open(t, url.replace('//', '//:correct-horse@'))
    await right.bus?.ready
    await right.namespace('results', 'github').set('key', 1, { ttlMs })
    assert.equal(await right.namespace('results', 'github').get('key'), 1)
    const log = fakeLog()
    const wrong = open(t, url.replace('//', '//someone:wrong-horse@'), log)
    await wrong.namespace('results', 'github').set('key', 1, { ttlMs })
    assert.equal(await wrong.namespace('results', 'github').get('key'), undefined)
    assert.match(logged(log), /CACHE_REDIS/)
    assert.match(logged(log), /WRONGPASS/)
    assert.doesNotMatch(logged(log), /wrong-horse/)
  })

  test('a Redis that dies and comes back is used again by itself', async (t) => {
    const redis = await startRedis(t)
    const cache = open(t, redis.url)
    const values = cache.namespace('results', 'github')
    await cache.bus?.ready
    assert.equal(await values.wrap('key', { ttlMs }, async () => 'one'), 'one')
    await redis.kill()
    for (const value of ['two', 'three', 'four', 'five'])
      assert.equal(await values.wrap('key', { ttlMs }, async () => value), value)
    assert.equal(cache.stats.state, 'down')
    await redis.restart()
    while (cache.stats.state === 'down') await values.wrap('key', { ttlMs }, async () => 'six')
    assert.equal(await values.wrap('key', { ttlMs }, async () => 'seven'), 'six')
  })
})

function open(t: TestContext, store: string, log = fakeLog()): HostCache {
  const cache = openCache({ settings: { store, maxEntries: 100 }, configDir: '/', log, patienceMs: 30_000 })
  t.after(() => cache[Symbol.asyncDispose]())
  return cache
}

/** Both listen to each other. */
async function openTwo(t: TestContext, store: string): Promise<readonly [HostCache, HostCache]> {
  const [one, two] = [open(t, store), open(t, store)]
  await Promise.all([one.bus?.ready, two.bus?.ready])
  return [one, two]
}

function logged(log: ReturnType<typeof fakeLog>): string {
  return log.lines.map(({ event, fields }) => `${event} ${Object.values(fields).map(describe).join(' ')}`).join('\n')
}

/** Everything of an error that a logger might print. */
function describe(value: unknown): string {
  if (!(value instanceof Error)) return String(value)
  return ['code' in value ? String(value.code) : '', value.message, value.stack, describe(value.cause)].join(' ')
}
