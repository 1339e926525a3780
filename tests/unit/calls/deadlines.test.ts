import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deadlines, type Limited } from '../../../host/src/server/call/deadlines.ts'

function limited(ms: number): { readonly limited: Limited; readonly expired: Promise<number> } {
  const { promise, resolve } = Promise.withResolvers<number>()
  return { limited: { dueAt: performance.now() + ms, expire: () => resolve(ms) }, expired: promise }
}

test('each expires in its turn, also one that is due before those that came first', async () => {
  const deadlines = new Deadlines()
  const order: number[] = []
  await Promise.all(
    [60, 20, 40].map(async (ms) => {
      const { limited: one, expired } = limited(ms)
      deadlines.add(one)
      order.push(await expired)
    }),
  )
  assert.deepEqual(order, [20, 40, 60])
})

test('what left does not expire, and what came after it does', async () => {
  const deadlines = new Deadlines()
  let gone = false
  deadlines.add({ dueAt: performance.now() + 10, expire: () => (gone = true) }).release()
  const { limited: next, expired } = limited(20)
  deadlines.add(next)
  await expired
  assert.equal(gone, false)
})

test('one that begins another as it expires does not lose it', async () => {
  const deadlines = new Deadlines()
  const { limited: second, expired } = limited(30)
  const first = deadlines.add({
    dueAt: performance.now() + 5,
    expire() {
      first.release()
      deadlines.add(second)
    },
  })
  assert.equal(await expired, 30)
})
