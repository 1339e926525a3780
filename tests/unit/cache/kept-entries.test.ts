import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { createCache } from '../../../host/src/cache/cache.ts'
import { createFlights, singleFlight } from '../../../host/src/cache/single-flight.ts'
import { readEntry, writeEntry } from '../../../host/src/cache/stored-value.ts'
import { createGuardedStore } from '../../../host/src/cache/stores/guarded-store.ts'
import { createMemoryStore } from '../../../host/src/cache/stores/memory-store.ts'
import { createGuard } from '../../../host/src/cache/stores/store-guard.ts'
import { createTestStore } from '../../fixtures/cache-store.ts'
import { createTestClock } from '../../fixtures/test-clock.ts'

test('an entry is one text, which is read back as it was; any other text is none', () => {
  const text = writeEntry({ freshUntil: 5, goneAt: 7, versions: ['a', 'b'] }, '{"c":"d\\ne"}')
  assert.equal(text, '[5,7,"a","b"]\n{"c":"d\\ne"}')
  assert.deepEqual(readEntry(text), {
    head: { freshUntil: 5, goneAt: 7, versions: ['a', 'b'] },
    json: '{"c":"d\\ne"}',
    value: { c: 'd\ne' },
  })
  assert.deepEqual(readEntry('[5,7]\nnull')?.value, null)
  for (const other of [
    '[5,7]1',
    '["5",7]\n1',
    '[5,"7"]\n1',
    '[5]\n1',
    '[5,7,8]\n1',
    '[5,7,"a",null]\n1',
    '[5,7]\n',
    '5\n1',
    undefined,
    7,
    {},
  ])
    assert.equal(readEntry(other), undefined, JSON.stringify(other))
})

test('a load is joined while it runs, until one of its tags is left, and is gone with its end', async () => {
  const flights = createFlights<string, number>()
  const [first, second, third] = [1, 2, 3].map(() => Promise.withResolvers<number>())
  assert.ok(first && second && third)
  const left: (() => boolean)[] = []
  const join = (of: { promise: Promise<number> }, key = 'k') =>
    flights.join(key, (isLeft) => (left.push(isLeft), of.promise), ['a', 'b'])
  const one = join(first)
  assert.equal(join(second), one)
  assert.notEqual(join(Promise.withResolvers<number>(), 'other'), one)
  flights.leave(['c'])
  assert.equal(join(second), one, 'of other tags')
  assert.deepEqual(
    left.map((isLeft) => isLeft()),
    [false, false],
  )
  flights.leave(['x', 'b'])
  const two = join(second)
  assert.notEqual(two, one)
  assert.deepEqual(
    left.map((isLeft) => isLeft()),
    [true, true, false],
  )
  first.resolve(1)
  assert.equal(await one, 1)
  assert.equal(join(third), two, 'the end of the one that was left ends no other')
  second.resolve(2)
  assert.equal(await two, 2)
  const again = join(third)
  assert.notEqual(again, two)
  third.reject(new Error('no'))
  await assert.rejects(again, /no/)
  let loads = 0
  const load = singleFlight<string, number>()
  const failing = () => load('k', () => Promise.reject(new Error(`${++loads}`)))
  await assert.rejects(failing(), /1/)
  await assert.rejects(failing(), /2/)
})

test('a store gets each entry with its time, one or several, and is asked for one or several keys', async () => {
  const [store, clock] = [createTestStore(), createTestClock()]
  const { adapter } = store
  const times: unknown[] = []
  const set = adapter.set.bind(adapter)
  adapter.set = (key, value, expires) => {
    times.push([key, typeof expires])
    return set(key, value, expires)
  }
  const setMany = adapter.setMany.bind(adapter)
  adapter.setMany = (entries) => {
    for (const { key, expires } of entries) times.push([key, typeof expires])
    return setMany(entries)
  }
  const states: string[] = []
  const guarded = createGuardedStore({
    store,
    log: fakeLog(),
    clock,
    deadlineMs: 100,
    onState: (state) => void states.push(state),
  })
  assert.equal(await guarded.write([{ key: 'a', text: '1', ttlMs: 10 }]), true)
  assert.equal(
    await guarded.write([
      { key: 'b', text: '2', ttlMs: 10 },
      { key: 'c', text: '3', ttlMs: 10 },
    ]),
    true,
  )
  assert.deepEqual(times, [
    ['a', 'number'],
    ['b', 'number'],
    ['c', 'number'],
  ])
  assert.deepEqual(await guarded.read(['b']), ['2'])
  assert.deepEqual(await guarded.read(['c', 'none', 'a']), ['3', undefined, '1'])
  await guarded.remove(['a', 'c'])
  assert.deepEqual(await guarded.read(['a', 'b', 'c']), [undefined, '2', undefined])
  store.mode = new Error('no')
  for (let call = 0; call < 3; call++) assert.equal(await guarded.read(['b']), undefined)
  assert.deepEqual([states, guarded.state, guarded.failures], [['down'], 'down', 3])
  assert.equal(await guarded.write([{ key: 'a', text: '1', ttlMs: 10 }]), false)
  assert.equal(guarded.failures, 3, 'a call that does not reach the store is no failure of it')
})

test('a store that does not answer in time, or is left alone, is an error that names it', async () => {
  const clock = createTestClock()
  const failures: unknown[] = []
  const guard = createGuard({
    store: 'redis://cache:6379',
    clock,
    deadlineMs: 100,
    failures: 2,
    openMs: 1_000,
    onFailure: (error) => void failures.push(error),
    onChange() {},
  })
  const hangs = () => new Promise<never>(() => {})
  const late = guard.run(hangs)
  clock.advance(100)
  await assert.rejects(late, { code: 'CACHE_TIMEOUT', message: /redis:\/\/cache:6379.*100 ms/ })
  const sooner = guard.run(hangs, 7)
  clock.advance(7)
  await assert.rejects(sooner, { code: 'CACHE_TIMEOUT', message: /7 ms/ })
  await assert.rejects(guard.run(hangs), { code: 'CACHE_DOWN', message: /redis:\/\/cache:6379/ })
  assert.equal(failures.length, 2)
  assert.equal(clock.pending, 0, 'no timer is left')
  clock.advance(999)
  await assert.rejects(
    guard.run(async () => 1),
    { code: 'CACHE_DOWN' },
  )
  clock.advance(1)
  assert.equal(await guard.run(async () => 1), 1)
  assert.equal(guard.state, 'up')
  // Failures in a row: one that works begins to count again.
  const no = () => guard.run(() => Promise.reject(new Error('no')))
  await assert.rejects(no())
  await guard.run(async () => 1)
  await assert.rejects(no())
  assert.equal(guard.state, 'up')
  await assert.rejects(no())
  assert.equal(guard.state, 'down')
})

test('a store in memory says how many entries of each kind it has, and what they take', async () => {
  const store = createMemoryStore({ maxEntries: 10, maxBytes: 1_000 })
  const { adapter } = store
  await adapter.setMany([
    { key: 'plugin:a', value: 'xy' },
    { key: 'plugin:b', value: { value: 'xyz' } },
    { key: 'tag:c', value: null },
  ])
  assert.deepEqual(await store.inspect(), { entries: 3, bytes: 8 + 2 + 1 + 8 + 3 + 1 + 5 + 0 + 1, kinds: { plugin: 2, tag: 1 } })
  assert.deepEqual(await adapter.getMany(['plugin:b', 'none', 'plugin:a']), [{ value: 'xyz' }, undefined, 'xy'])
  assert.deepEqual(await adapter.deleteMany(['plugin:a', 'none']), [true, false])
  assert.deepEqual([await adapter.has('plugin:a'), await adapter.has('plugin:b')], [false, true])
  await store.close()
  assert.equal((await store.inspect()).entries, 0)
})

test('the tag of an identity is of that identity alone, and dropping it tells the other hosts', async () => {
  const told: unknown[] = []
  const heard: ((tags: unknown) => void)[] = []
  const bus = {
    on: (_channel: string, hear: (tags: unknown) => void) => void heard.push(hear),
    publish: (channel: string, data: unknown) => void told.push([channel, data]),
    [Symbol.asyncDispose]: async () => void told.push('closed'),
  }
  const store = createTestStore()
  let isClosed = false
  store.close = async () => {
    await Promise.resolve()
    isClosed = true
  }
  const cache = createCache({ log: fakeLog(), store, bus: bus as never })
  assert.equal(cache.tag('a', 'b'), cache.tag('a', 'b'))
  assert.equal(new Set([cache.tag('a', 'b'), cache.tag('ab'), cache.tag('b', 'a'), cache.tag('a')]).size, 4)
  const values = cache.namespace('results', 'x')
  const loading = Promise.withResolvers<number>()
  const options = { ttlMs: 1_000, tags: [cache.tag('a')] }
  const first = values.remember('key', options, () => loading.promise)
  await Promise.resolve()
  heard[0]?.('no list')
  heard[0]?.([cache.tag('a')])
  const second = values.remember('key', options, async () => 2)
  assert.deepEqual(await second, { value: 2, outcome: 'miss' }, 'what another host dropped is not joined')
  loading.resolve(1)
  await first
  await cache.drop([cache.tag('a')])
  assert.deepEqual(told, [['tags_dropped', [cache.tag('a')]]])
  await cache[Symbol.asyncDispose]()
  assert.deepEqual([told.at(-1), isClosed], ['closed', true])
})
