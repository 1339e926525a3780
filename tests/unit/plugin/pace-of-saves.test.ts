import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPace } from '../../../host/src/plugin/reload/pace.ts'

const oneFile = { files: 1, isIncomplete: false }

/** The waits of one save after the other, `everyMs` apart or, where the wait is longer, right after it. */
function waitsOf(saves: number, everyMs: number): readonly number[] {
  const pace = createPace()
  let now = 0
  return Array.from({ length: saves }, () => {
    const wait = pace.waitMs(oneFile, now)
    pace.taken(now + wait)
    now += Math.max(wait, everyMs)
    return wait
  })
}

test('a lone save is taken over after ten milliseconds', () => {
  assert.deepEqual(waitsOf(5, 300), [10, 10, 10, 10, 10])
})

test('a run of saves is followed as fast, however long it is', () => {
  for (const everyMs of [110, 150, 200, 249]) {
    const waits = waitsOf(100, everyMs)
    assert.ok(Math.max(...waits) <= 25, `every ${everyMs} ms: ${waits.join(' ')}`)
  }
})

test('a storm of saves is listened to less and less often, and its end ends that', () => {
  const pace = createPace()
  for (let now = 0; now < 1_000; now += 50) pace.taken(now)
  assert.ok(pace.waitMs(oneFile, 1_000) > 400)
  assert.equal(pace.waitMs(oneFile, 2_000), 10)
})

test('several files, and files that are gone, are waited for longer', () => {
  const pace = createPace()
  assert.deepEqual(
    [pace.waitMs({ files: 2, isIncomplete: false }, 0), pace.waitMs({ files: 1, isIncomplete: true }, 0)],
    [50, 120],
  )
})
