import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { createWindowLimit, type WindowLimit } from '../../../host/src/data/window-limit.ts'

let at: number
let drops: number[]
let limit: WindowLimit

beforeEach(() => {
  at = 1_700
  drops = []
  limit = createWindowLimit({ limit: 3, now: () => at, onNext: (dropped) => drops.push(dropped) })
  assert.deepEqual([limit.take(), limit.take(2)], [true, true])
})

test('what is over the limit of a window is refused until the window has ended', () => {
  assert.equal(limit.take(), false)
  at += 999
  assert.equal(limit.take(), false, 'a window lasts as long as it says, wherever in a second it began')
  at += 1
  assert.equal(limit.take(3), true)
  assert.equal(limit.take(), false)
})

test('the next window is told how often the one before refused, or something was dropped elsewhere', () => {
  limit.take()
  limit.drop(4)
  at += 1_000
  limit.roll()
  limit.roll()
  at += 5_000
  limit.take()
  assert.deepEqual(drops, [0, 5, 0])
})

test('a clock that is set back begins a window instead of waiting for the old time', () => {
  at -= 3_600_000
  assert.equal(limit.take(3), true)
})

test('an amount that is larger than the limit is refused, and what comes after it in the window', () => {
  at += 1_000
  assert.deepEqual([limit.take(4), limit.take(1)], [false, false])
})
