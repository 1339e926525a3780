import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { createCache } from '../../../host/src/cache/cache.ts'
import { createMemoryStore } from '../../../host/src/cache/stores/memory-store.ts'
import { createTestClock } from '../../fixtures/test-clock.ts'

const log = fakeLog()

test('gives a value back until its time is over', async () => {
  const clock = createTestClock()
  const values = createCache({ log, clock }).namespace('plugin', 'github')
  await values.set('issue', { title: 'One' }, { ttlMs: 1_000 })
  clock.advance(999)
  assert.deepEqual(await values.get('issue'), { title: 'One' })
  clock.advance(1)
  assert.equal(await values.get('issue'), undefined)
})

test('gives every reader a copy, and keeps its own', async () => {
  const values = createCache({ log }).namespace('plugin', 'github')
  const given = { list: [1] }
  await values.set('key', given, { ttlMs: 1_000 })
  given.list.push(2)
  const first = await values.get<{ list: number[] }>('key')
  first?.list.push(3)
  assert.deepEqual(await values.get('key'), { list: [1] })
})

test('the same parts are the same namespace, and no others are', async () => {
  const cache = createCache({ log })
  await cache.namespace('plugin', 'acme', 'ann').set('key', 1, { ttlMs: 1_000 })
  assert.equal(await cache.namespace('plugin', 'acme', 'ann').get('key'), 1)
  for (const others of [['acme', 'bob'], ['acmeann'], ['acme', 'ann', ''], ['acme,ann'], ['acme","ann'], ['ann', 'acme'], []])
    assert.equal(await cache.namespace('plugin', ...others).get('key'), undefined, JSON.stringify(others))
  assert.equal(await cache.namespace('results', 'acme', 'ann').get('key'), undefined)
})

test('any key stays in its namespace, whatever it spells', async () => {
  const cache = createCache({ log })
  const mine = cache.namespace('plugin', 'mine')
  const theirs = cache.namespace('plugin', 'theirs')
  const keys = [
    '../theirs',
    '__proto__',
    'constructor',
    '\0',
    'a\0b',
    '',
    ':',
    'plugin:theirs:key',
    '\ud800',
    'key\r\nDEL x',
    '*',
  ]
  await theirs.set('key', 'theirs', { ttlMs: 1_000 })
  for (const key of keys) await mine.set(key, `mine ${key}`, { ttlMs: 1_000 })
  for (const key of keys) {
    assert.equal(await mine.get(key), `mine ${key}`)
    assert.equal(await theirs.get(key), undefined)
  }
  assert.equal(await theirs.get('key'), 'theirs')
})

test('a key that is too long, or no text, is an error that says so', async () => {
  const values = createCache({ log }).namespace('plugin', 'github')
  await assert.rejects(values.get('k'.repeat(1_048_576)), {
    code: 'CACHE_KEY',
    message: /has 1048576 characters, and 1024 is the most/,
  })
  await assert.rejects(values.set({} as string, 1, { ttlMs: 1 }), { code: 'CACHE_KEY', message: /is a object and no text/ })
})

test('a value that is no JSON, or a time that is none, is an error that says so', async () => {
  const values = createCache({ log }).namespace('plugin', 'github')
  const circular: { self?: unknown } = {}
  circular.self = circular
  for (const value of [undefined, () => 1, 1n, circular])
    await assert.rejects(values.set('key', value, { ttlMs: 1 }), { code: 'CACHE_VALUE' })
  for (const ttlMs of [Number.NaN, -1, '5' as unknown as number])
    await assert.rejects(values.set('key', 1, { ttlMs }), { code: 'CACHE_VALUE', message: /ttlMs/ })
})

test('a value beyond the limit is not kept, and what it was to replace is gone', async () => {
  const values = createCache({ log, maxValueBytes: 100 }).namespace('plugin', 'github')
  await values.set('key', 'small', { ttlMs: 1_000 })
  await values.set('key', 'é'.repeat(50), { ttlMs: 1_000 })
  assert.equal(await values.get('key'), undefined)
  await values.set('key', 'e'.repeat(98), { ttlMs: 1_000 })
  assert.equal(await values.get('key'), 'e'.repeat(98))
})

test('what a plugin serves is kept beyond the limit of values', async () => {
  const cache = createCache({ log, maxValueBytes: 100 })
  const surface = 'tool '.repeat(400_000)
  await cache.namespace('registry').set('version', surface, { ttlMs: 1_000 })
  assert.equal(await cache.namespace('registry').get('version'), surface)
})

test('a time of 0 keeps nothing', async () => {
  const values = createCache({ log }).namespace('plugin', 'github')
  await values.set('key', 1, { ttlMs: 1_000 })
  await values.set('key', 2, { ttlMs: 0 })
  assert.equal(await values.get('key'), undefined)
})

test('delete removes one key', async () => {
  const values = createCache({ log }).namespace('plugin', 'github')
  await values.set('a', 1, { ttlMs: 1_000 })
  await values.set('b', 2, { ttlMs: 1_000 })
  await values.delete('a')
  assert.deepEqual([await values.get('a'), await values.get('b')], [undefined, 2])
})

test('the memory store forgets what was used longest ago, by number and by size', async () => {
  for (const limits of [
    { maxEntries: 2, maxBytes: 10_000 },
    { maxEntries: 100, maxBytes: 2_500 },
  ]) {
    const cache = createCache({ log, store: createMemoryStore(limits) })
    const values = cache.namespace('plugin', 'github')
    const text = 'x'.repeat(900)
    for (const key of ['a', 'b']) await values.set(key, text, { ttlMs: 1_000 })
    await values.get('a')
    await values.set('c', text, { ttlMs: 1_000 })
    assert.deepEqual([await values.get('a'), await values.get('b'), await values.get('c')], [text, undefined, text])
    assert.equal((await cache.inspect()).entries, 2)
  }
})

test('stats count what became of each look, by kind', async () => {
  const cache = createCache({ log })
  const values = cache.namespace('plugin', 'github')
  await values.get('key')
  await values.wrap('key', { ttlMs: 1_000 }, async () => 1)
  await values.wrap('key', { ttlMs: 1_000 }, async () => 2)
  assert.deepEqual(cache.stats, {
    store: 'memory',
    state: 'up',
    failures: 0,
    kinds: { plugin: { hit: 1, miss: 2, stale: 0, joined: 0 } },
  })
})

test('inspect counts entries by kind and clear removes them all', async () => {
  const cache = createCache({ log })
  await cache.namespace('plugin', 'github').set('a', 1, { ttlMs: 1_000 })
  await cache.namespace('results', 'github').remember('b', { ttlMs: 1_000, tags: [cache.tag('github')] }, async () => 1)
  assert.deepEqual((await cache.inspect()).kinds, { plugin: 1, results: 1, tag: 1 })
  await cache.clear()
  assert.equal((await cache.inspect()).entries, 0)
})
