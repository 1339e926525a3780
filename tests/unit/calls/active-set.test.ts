import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ActiveSet, type Membership } from '../../../host/src/data/active-set.ts'

test('members are those that were added and not released, in whatever order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 20 })), (turns) => {
      const set = new ActiveSet<number>()
      const expected = new Map<number, Membership>()
      for (const turn of turns) {
        const place = expected.get(turn)
        place?.release()
        if (place) expected.delete(turn)
        else expected.set(turn, set.add(turn))
        assert.equal(set.size, expected.size)
        assert.deepEqual(new Set(set), new Set(expected.keys()))
      }
    }),
  )
})

test('releasing a member twice removes no other', () => {
  const set = new ActiveSet<string>()
  const place = set.add('a')
  place.release()
  set.add('b')
  place.release()
  assert.deepEqual([...set], ['b'])
})

test('every member is visited although all are released meanwhile', () => {
  const set = new ActiveSet<number>()
  const places = [1, 2, 3].map((member) => set.add(member))
  const met: number[] = []
  for (const member of set) {
    met.push(member)
    for (const place of places) place.release()
  }
  assert.deepEqual(met, [1, 2, 3])
})

test('the release of the last member is reported once', () => {
  let emptied = 0
  const set = new ActiveSet<number>(() => emptied++)
  const places = [1, 2].map((member) => set.add(member))
  places[0]?.release()
  assert.equal(emptied, 0)
  places[1]?.release()
  places[1]?.release()
  assert.equal(emptied, 1)
})
