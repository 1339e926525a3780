import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBreaker } from '../../../host/src/network/resilience/breaker.ts'
import { createBulkhead } from '../../../host/src/network/resilience/bulkhead.ts'

type Result = 'success' | 'failure' | 'neither'

/** A breaker that opens for a second after two failures in a row, and a clock that a test moves. */
function breaker() {
  const state = { now: 10_000 }
  const told: string[] = []
  const made = createBreaker({
    clock: { now: () => state.now, schedule: () => assert.fail('it sets no timer') },
    failures: 2,
    openMs: 1_000,
    onChange: (change) => told.push(change),
  })
  const admit = () => {
    const found = made.admit()
    return 'closedForMs' in found ? found.closedForMs : found.settle
  }
  const attempt = (...results: readonly Result[]) => {
    for (const result of results) {
      const settle = admit()
      assert.ok(typeof settle === 'function')
      settle(result)
    }
  }
  return { state, told, admit, attempt }
}

/** [what came of the attempts so far, whether the service is left alone then] */
const IN_A_ROW: readonly (readonly [readonly Result[], boolean])[] = [
  [[], false],
  [['failure'], false],
  [['failure', 'failure'], true],
  [['failure', 'success', 'failure'], false],
  [['failure', 'neither', 'failure'], true],
  [['neither', 'neither', 'neither'], false],
  [['success', 'failure', 'failure'], true],
]
for (const [results, isOpen] of IN_A_ROW)
  test(`after ${results.join(', ') || 'nothing'} a service is ${isOpen ? 'left alone' : 'asked'}`, () => {
    const { attempt, admit, told } = breaker()
    attempt(...results)
    assert.equal(typeof admit() === 'number', isOpen)
    assert.deepEqual(told, isOpen ? ['open'] : [])
  })

test('one request tries a service that was left alone, at the very end of the time; the others wait for it', () => {
  const { state, attempt, admit, told } = breaker()
  attempt('failure', 'failure')
  assert.equal(admit(), 1_000)
  state.now += 999
  assert.equal(admit(), 1)
  state.now += 1
  const probe = admit()
  assert.ok(typeof probe === 'function')
  assert.equal(admit(), 0)
  probe('neither')
  const second = admit()
  assert.ok(typeof second === 'function')
  second('failure')
  assert.equal(admit(), 1_000)
  state.now += 1_000
  attempt('success')
  assert.deepEqual(told, ['open', 'closed'])
  attempt('failure')
  assert.equal(typeof admit(), 'function', 'the failures before are forgotten')
  attempt('failure')
  assert.equal(admit(), 1_000)
  assert.deepEqual(told, ['open', 'closed', 'open'])
})

test('an attempt that began before the service was left alone changes nothing', () => {
  const { state, attempt, admit, told } = breaker()
  const early = [admit(), admit()]
  attempt('failure', 'failure')
  state.now += 500
  for (const [index, settle] of early.entries()) {
    assert.ok(typeof settle === 'function')
    settle(index === 0 ? 'failure' : 'success')
    assert.equal(admit(), 500)
  }
  assert.deepEqual(told, ['open'])
})

test('a clock that is set back leaves no service alone for longer', () => {
  const { state, attempt, admit } = breaker()
  attempt('failure', 'failure')
  state.now -= 5_000
  assert.equal(admit(), 1_000)
  state.now += 1_000
  assert.equal(typeof admit(), 'function')
})

const never = () => new AbortController().signal

test('so many are let in, so many wait in order, and the next is refused', async () => {
  const bulkhead = createBulkhead({ inFlight: 2, queued: 2 })
  const order: string[] = []
  const enter = (name: string) =>
    bulkhead.enter(never())?.then((place) => {
      order.push(name)
      return place
    })
  const [a, b] = [await enter('a'), await enter('b')]
  const [c, d] = [enter('c'), enter('d')]
  assert.equal(enter('e'), undefined)
  assert.deepEqual(order, ['a', 'b'])
  b?.[Symbol.dispose]()
  const third = await c
  assert.deepEqual(order, ['a', 'b', 'c'])
  b?.[Symbol.dispose]()
  b?.[Symbol.dispose]()
  const f = enter('f')
  assert.notEqual(f, undefined, 'who was let in left a place to wait in')
  assert.equal(enter('g'), undefined)
  assert.deepEqual(order, ['a', 'b', 'c'], 'a place counts once')
  for (const place of [a, third]) place?.[Symbol.dispose]()
  for (const place of [await d, await f]) place?.[Symbol.dispose]()
  assert.deepEqual(order, ['a', 'b', 'c', 'd', 'f'])
  assert.notEqual(await enter('h'), undefined)
  assert.notEqual(await enter('i'), undefined)
  assert.notEqual(enter('j'), undefined)
  assert.equal(order.length, 7)
})

test('who gives up leaves the line with its own reason, and takes no place', async () => {
  const bulkhead = createBulkhead({ inFlight: 1, queued: 1 })
  const place = await bulkhead.enter(never())
  const gone = new AbortController()
  const waiting = bulkhead.enter(gone.signal)
  const reason = new Error('gave up')
  gone.abort(reason)
  await assert.rejects(waiting ?? assert.fail('it waits'), reason)
  const next = bulkhead.enter(never())
  assert.notEqual(next, undefined, 'its place in the line is free')
  place?.[Symbol.dispose]()
  const admitted = await next
  admitted?.[Symbol.dispose]()
  await assert.rejects(bulkhead.enter(AbortSignal.abort(reason)) ?? assert.fail('it is refused'), reason)
  assert.notEqual(await bulkhead.enter(never()), undefined)
})

test('who was let in and gives up then keeps its place', async () => {
  const bulkhead = createBulkhead({ inFlight: 1, queued: 1 })
  const first = await bulkhead.enter(never())
  const later = new AbortController()
  const second = bulkhead.enter(later.signal)
  first?.[Symbol.dispose]()
  const place = await second
  later.abort()
  assert.ok(place)
})
