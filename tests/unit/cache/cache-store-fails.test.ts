import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { createDoubts } from '../../../host/src/cache/stores/doubts.ts'
import { hashParts } from '../../../host/src/cache/stored-value.ts'
import { createCache } from '../../../host/src/cache/cache.ts'
import { createTestStore } from '../../fixtures/cache-store.ts'
import { createTestClock } from '../../fixtures/test-clock.ts'

const ttlMs = 60_000

function setUp() {
  const [log, clock, store] = [fakeLog(), createTestClock(), createTestStore()]
  const cache = createCache({ log, clock, store })
  return { log, clock, store, cache, values: cache.namespace('results', 'github') }
}

test('a store that never answers costs one wait of 100 ms, then the load goes on', async () => {
  const { clock, store, values } = setUp()
  store.mode = 'hangs'
  const answer = values.wrap('key', { ttlMs }, async () => 'loaded')
  assert.equal(await clock.scheduled(() => true), 100)
  clock.advance(100)
  assert.equal(await answer, 'loaded')
  assert.deepEqual(store.calls, ['get'])
})

test('all that one call waits for the store is 100 ms, and the time of its load does not count', async () => {
  const { clock, store, values } = setUp()
  const answer = values.wrap('key', { ttlMs }, async () => {
    clock.advance(5_000)
    store.mode = 'hangs'
    return 'loaded'
  })
  assert.equal(await clock.scheduled((ms) => ms === 100), 100)
  await new Promise<void>((resolve) => setImmediate(resolve))
  clock.advance(100)
  assert.equal(await answer, 'loaded')
})

test('after three failures the store is left alone for two seconds, then one call tries', async () => {
  const { clock, store, cache, values } = setUp()
  store.mode = new Error('connection refused')
  for (let call = 0; call < 10; call += 1) assert.equal(await values.get('key'), undefined)
  assert.equal(store.calls.length, 3)
  assert.equal(cache.stats.state, 'down')
  clock.advance(2_000)
  await Promise.all([values.get('key'), values.get('key'), values.get('key')])
  assert.equal(store.calls.length, 4)
  store.mode = 'works'
  clock.advance(1_999)
  await values.get('key')
  assert.equal(store.calls.length, 4)
  clock.advance(1)
  await values.get('key')
  assert.equal(cache.stats.state, 'up')
})

test('a connection on which nothing comes back is given up each time the store stays down', async () => {
  const { clock, store, values } = setUp()
  store.mode = 'hangs'
  for (let call = 0; call < 3; call += 1) {
    const asking = values.get('key')
    clock.advance(100)
    await asking
  }
  assert.equal(store.resets, 1)
  clock.advance(2_000)
  const probing = values.get('key')
  clock.advance(100)
  await probing
  assert.equal(store.resets, 2)
})

test('failures are said once in ten seconds, with how many there were, and the end of them is said', async () => {
  const { log, clock, store, values } = setUp()
  store.mode = new Error('connection refused')
  await values.get('key')
  for (let call = 0; call < 4; call += 1) {
    clock.advance(2_500)
    await values.get('key')
  }
  store.mode = 'works'
  clock.advance(2_000)
  await values.get('key')
  const lines = log.lines.map(({ event, fields }) => [event, fields['failures'] ?? fields['store']])
  assert.deepEqual(lines, [
    ['cache_store_failed', 1],
    ['cache_store_failed', 4],
    ['cache_store_recovered', 'memory'],
  ])
})

test('what was dropped while the store was down is not given when it is back', async () => {
  const { clock, store, cache, values } = setUp()
  const tags = [cache.tag('github')]
  const ask = (value: string) => values.remember('key', { ttlMs, tags }, async () => value)
  await ask('old')
  store.mode = new Error('connection refused')
  await cache.drop(tags)
  assert.equal((await ask('new')).value, 'new')
  store.mode = 'works'
  clock.advance(2_000)
  assert.equal((await ask('newer')).value, 'newer')
  assert.deepEqual(await ask('newest'), { value: 'newer', outcome: 'hit' })
})

test('a replica that refuses writes never gives what was deleted or replaced', async () => {
  const { clock, store, cache, values } = setUp()
  await values.set('replaced', 'old', { ttlMs })
  await values.set('deleted', 'old', { ttlMs })
  store.mode = { writes: new Error("READONLY You can't write against a read only replica.") }
  await values.set('replaced', 'new', { ttlMs })
  await values.delete('deleted')
  assert.deepEqual([await values.get('replaced'), await values.get('deleted')], [undefined, undefined])
  assert.equal(cache.stats.state, 'down', 'so that nothing is read: what is not read while it is up has tests of its own')
  store.mode = 'works'
  clock.advance(2_000)
  assert.deepEqual([await values.get('replaced'), await values.get('deleted')], [undefined, undefined])
  await values.set('replaced', 'newer', { ttlMs })
  assert.equal(await values.get('replaced'), 'newer')
})

test('garbage in the store is a miss', async () => {
  const { store, values } = setUp()
  await values.set('key', 'value', { ttlMs })
  const [key] = store.keys
  assert.ok(key)
  for (const text of [
    '',
    'garbage',
    '\n',
    '[]\n1',
    '[1,2]\n{',
    '{"a":1}\n1',
    `[${Date.now() * 2},"x"]\n1`,
    '[9e15,9e15]\n{"a":',
  ]) {
    await store.adapter.set(key, { value: text })
    assert.equal(await values.get('key'), undefined, text)
    assert.equal(await values.wrap('key', { ttlMs: 0 }, async () => 'loaded'), 'loaded', text)
  }
})

test('a value whose removal the store did not confirm is not given again, although the store is up and has it', async () => {
  const { store, cache, values } = setUp()
  await values.set('key', 'old', { ttlMs })
  store.mode = { writes: new Error('read only') }
  await values.delete('key')
  assert.equal(cache.stats.state, 'up')
  assert.equal(await values.get('key'), undefined)
  store.mode = 'works'
  assert.equal(await values.get('key'), undefined, 'the removal is tried again before anything is read')
  await values.set('key', 'new', { ttlMs })
  assert.equal(await values.get('key'), 'new')
})

test('a value that replaces another is not given as the old one when the store did not take it', async () => {
  const { store, values } = setUp()
  await values.set('key', 'old', { ttlMs })
  store.mode = { writes: new Error('read only') }
  await values.set('key', 'new', { ttlMs })
  assert.equal(await values.get('key'), undefined)
})

test('what came into doubt while its removal was under way stays in doubt', async () => {
  const removing = Promise.withResolvers<void>()
  const removed: (readonly string[])[] = []
  const doubts = createDoubts({
    max: 2,
    removeFromStore(keys) {
      removed.push(keys)
      return removed.length === 1 ? removing.promise : Promise.resolve()
    },
    clearStore: async () => void removed.push(['*']),
  })
  doubts.add(['a', 'b'])
  const settled = doubts.settle()
  doubts.add(['a'])
  removing.resolve()
  await settled
  assert.deepEqual([doubts.has('a'), doubts.has('b')], [true, false])
  await doubts.settle()
  assert.deepEqual([doubts.has('a'), removed], [false, [['a', 'b'], ['a']]])
  doubts.add(['a', 'b', 'c'])
  assert.equal(doubts.has('any'), true, 'more than can be remembered: everything')
  await doubts.settle()
  assert.deepEqual([doubts.has('any'), removed.at(-1)], [false, ['*']])
})

test('what is dropped while it is loaded does not take the place of what was loaded after the drop', async () => {
  const { cache, values } = setUp()
  const tag = cache.tag('plugin', 'acme')
  const loading = Promise.withResolvers<string>()
  const load = (load: () => Promise<string>) => values.remember('key', { ttlMs, tags: [tag] }, load)
  const first = load(() => loading.promise)
  await turn()
  await cache.drop([tag])
  assert.equal((await load(async () => 'after it')).outcome, 'miss')
  loading.resolve('before the drop')
  assert.equal((await first).value, 'before the drop')
  const { value, outcome } = await load(async () => 'too late')
  assert.deepEqual([value, outcome], ['after it', 'hit'])
})

test('a value that the store took ends the doubt about its key, and failures are counted', async () => {
  const { store, cache, values } = setUp()
  await values.set('key', 'old', { ttlMs })
  store.mode = { writes: new Error('read only') }
  await values.delete('key')
  assert.equal(cache.stats.failures, 1)
  store.mode = 'works'
  await values.set('key', 'new', { ttlMs })
  assert.equal(await values.get('key'), 'new')
})

test('no parts have the name of other parts, whatever is in them', () => {
  const others = [
    ['a', 'b'],
    ['a:b'],
    ['a,b'],
    ['a","b'],
    ['a\0b'],
    ['', 'a', 'b'],
    ['a', 'b', ''],
    ['ab'],
    ['b', 'a'],
    ['["a","b"]'],
  ]
  assert.equal(new Set(others.map(hashParts)).size, others.length)
})
