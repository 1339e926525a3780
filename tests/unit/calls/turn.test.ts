import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { writeSoon } from '../../../host/src/transport/http/write-batch.ts'

/** As much of a response as is looked at. */
function response(): { readonly res: ServerResponse; readonly destroyedBy: unknown[] } {
  const destroyedBy: unknown[] = []
  return { res: { destroy: (error: unknown) => destroyedBy.push(error) } as unknown as ServerResponse, destroyedBy }
}

test('answers of one turn are written at its end, in the order they were ready in', async () => {
  const written: number[] = []
  for (const answer of [1, 2, 3]) writeSoon(response().res, () => written.push(answer))
  assert.deepEqual(written, [])
  await setImmediate()
  assert.deepEqual(written, [1, 2, 3])
})

test('one that cannot be written ends its own connection and no other', async () => {
  const broken = response()
  const whole = response()
  const error = new Error('no such header')
  let written = false
  writeSoon(broken.res, () => {
    throw error
  })
  writeSoon(whole.res, () => (written = true))
  await setImmediate()
  assert.deepEqual(broken.destroyedBy, [error])
  assert.deepEqual([written, whole.destroyedBy], [true, []])
})

test('of hundreds that are ready at once the first do not wait for the last', () => {
  let written = 0
  for (let answer = 0; answer < 100; answer++) writeSoon(response().res, () => written++)
  assert.ok(written >= 64)
})
