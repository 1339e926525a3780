import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { createCache } from '../../../host/src/cache/cache.ts'
import { createTestClock } from '../../fixtures/test-clock.ts'

const log = fakeLog()
const ttlMs = 1_000

test('a thousand who ask at once cost one load, and each gets a copy', async () => {
  const cache = createCache({ log })
  const values = cache.namespace('results', 'github')
  let loads = 0
  const load = async () => ({ number: (loads += 1), list: [] as number[] })
  const answers = await Promise.all(Array.from({ length: 1_000 }, () => values.wrap('key', { ttlMs }, load)))
  assert.equal(loads, 1)
  answers[0]?.list.push(1)
  assert.deepEqual(answers[1], { number: 1, list: [] })
  assert.deepEqual(cache.stats.kinds['results'], { hit: 0, miss: 1, stale: 0, joined: 999 })
})

test('an error is everybody’s and is not kept', async () => {
  const values = createCache({ log }).namespace('results', 'github')
  const failing = () => Promise.reject(new Error('upstream is down'))
  const answers = await Promise.allSettled([values.wrap('key', { ttlMs }, failing), values.wrap('key', { ttlMs }, failing)])
  assert.deepEqual(
    answers.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.equal(await values.wrap('key', { ttlMs }, async () => 1), 1)
})

test('a value that is not to be kept goes to those who wait and to nobody later', async () => {
  const values = createCache({ log }).namespace('results', 'github')
  const keep = (value: { ok: boolean }) => value.ok
  const bad = async () => ({ ok: false })
  const answers = await Promise.all([1, 2].map(() => values.remember('key', { ttlMs, keep }, bad)))
  assert.deepEqual(
    answers.map(({ outcome }) => outcome),
    ['miss', 'joined'],
  )
  assert.deepEqual(await values.remember('key', { ttlMs, keep }, async () => ({ ok: true })), {
    value: { ok: true },
    outcome: 'miss',
  })
})

test('one who leaves does not take the load from those who joined it', async () => {
  const values = createCache({ log }).namespace('results', 'github')
  class Left extends Error {}
  const isOwnFailure = (error: unknown) => error instanceof Left
  const { promise: gone, reject: leave } = Promise.withResolvers<number>()
  const leader = values.remember('key', { ttlMs, isOwnFailure }, () => gone)
  const follower = values.remember('key', { ttlMs, isOwnFailure }, async () => 2)
  leave(new Left())
  await assert.rejects(leader, Left)
  assert.deepEqual(await follower, { value: 2, outcome: 'miss' })
})

test('one who joined may leave before the load is done', async () => {
  const values = createCache({ log }).namespace('results', 'github')
  const { promise: loaded, resolve } = Promise.withResolvers<number>()
  const leader = values.remember('key', { ttlMs }, () => loaded)
  const leaving = new AbortController()
  const follower = values.remember('key', { ttlMs, signal: leaving.signal }, () => loaded)
  leaving.abort(new Error('gone'))
  await assert.rejects(follower, /gone/)
  resolve(1)
  assert.equal((await leader).value, 1)
})

test('what is loaded while its tag is dropped is not kept, nor joined by those who ask afterwards', async () => {
  const cache = createCache({ log })
  const values = cache.namespace('results', 'github')
  const tags = [cache.tag('github')]
  const { promise: old, resolve } = Promise.withResolvers<string>()
  const before = values.remember('key', { ttlMs, tags }, () => old)
  await cache.drop(tags)
  const after = values.remember('key', { ttlMs, tags }, async () => 'new')
  resolve('old')
  assert.equal((await before).value, 'old')
  assert.equal((await after).value, 'new')
  assert.deepEqual(await values.remember('key', { ttlMs, tags }, async () => 'newer'), { value: 'new', outcome: 'hit' })
})

test('dropping a tag drops its entries, of every namespace, and no others', async () => {
  const cache = createCache({ log })
  const [issues, wiki] = [cache.tag('github', 'issues'), cache.tag('github', 'wiki')]
  const ask = async (namespace: string, tags: readonly string[]) =>
    (await cache.namespace('results', namespace).remember('key', { ttlMs, tags }, async () => 1)).outcome
  for (const namespace of ['ann', 'bob']) await ask(namespace, [issues])
  await ask('both', [wiki, issues])
  await ask('wiki', [wiki])
  await cache.drop([issues])
  assert.deepEqual(
    [await ask('ann', [issues]), await ask('bob', [issues]), await ask('both', [wiki, issues]), await ask('wiki', [wiki])],
    ['miss', 'miss', 'miss', 'hit'],
  )
})

test('an old value is given while a new one is loaded, once', async () => {
  const clock = createTestClock()
  const values = createCache({ log, clock }).namespace('keys', 'issuer')
  let loads = 0
  const ask = () => values.remember('key', { ttlMs: 1_000, staleMs: 5_000 }, async () => (loads += 1))
  await ask()
  clock.advance(1_000)
  assert.deepEqual(await Promise.all([ask(), ask()]), [
    { value: 1, outcome: 'stale' },
    { value: 1, outcome: 'stale' },
  ])
  let next = await ask()
  while (next.outcome === 'stale') next = await ask()
  assert.deepEqual(next, { value: 2, outcome: 'hit' })
  assert.equal(loads, 2)
  clock.advance(6_000)
  assert.deepEqual(await ask(), { value: 3, outcome: 'miss' })
})

test('what was kept before the clock was set back is loaded again, and what another host wrote a moment ahead is not', async () => {
  const clock = createTestClock()
  clock.advance(10 * 3_600_000)
  const values = createCache({ log, clock }).namespace('keys', 'issuer')
  let loads = 0
  const ask = async () => (await values.remember('key', { ttlMs: 1_000, staleMs: 5_000 }, async () => (loads += 1))).outcome
  assert.deepEqual([await ask(), await ask()], ['miss', 'hit'])
  clock.advance(-60_000)
  assert.equal(await ask(), 'hit')
  clock.advance(-3_600_000)
  assert.deepEqual([await ask(), await ask()], ['miss', 'hit'])
  assert.equal(loads, 2)
})

test('an old value goes on while loading a new one fails', async () => {
  const clock = createTestClock()
  const values = createCache({ log, clock }).namespace('keys', 'issuer')
  const options = { ttlMs: 1_000, staleMs: 5_000 }
  await values.remember('key', options, async () => 1)
  clock.advance(1_000)
  const failing = () => Promise.reject(new Error('down'))
  assert.equal((await values.remember('key', options, failing)).value, 1)
  assert.equal((await values.remember('key', options, failing)).value, 1)
  clock.advance(5_000)
  await assert.rejects(values.remember('key', options, failing), /down/)
})
