import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OpenRequests } from '../../../host/src/data/open-requests.ts'

test('whatever comes and is answered in whatever order, what is open is known by its id', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat({ max: 9 }), fc.nat({ max: 9 }).map(String))), (turns) => {
      const open = new OpenRequests<number>()
      const expected = new Map<string | number, number>()
      turns.forEach((id, turn) => {
        assert.equal(open.has(id), expected.has(id))
        assert.equal(open.get(id), expected.get(id))
        if (expected.delete(id)) return open.delete(id)
        expected.set(id, turn)
        open.add(id, turn)
      })
      assert.equal(open.size, expected.size)
      assert.deepEqual(new Set(open.values()), new Set(expected.values()))
    }),
  )
})

test('each can be deleted while all are looked at', () => {
  const open = new OpenRequests<number>()
  for (const id of [1, 2, 3]) open.add(id, id)
  const met: number[] = []
  for (const id of open.values()) {
    met.push(id)
    open.delete(id)
  }
  assert.deepEqual(met, [1, 2, 3])
  assert.equal(open.size, 0)
})
