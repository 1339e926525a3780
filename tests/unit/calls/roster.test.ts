import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Roster, type Leaving } from '../../../host/src/data/roster.ts'

test('whoever comes and goes in whatever order, those who are here are the ones that did not leave', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 20 })), (turns) => {
      const roster = new Roster<number>()
      const expected = new Map<number, Leaving>()
      for (const turn of turns) {
        const place = expected.get(turn)
        place?.leave()
        if (place) expected.delete(turn)
        else expected.set(turn, roster.add(turn))
        assert.equal(roster.size, expected.size)
        assert.deepEqual(new Set(roster), new Set(expected.keys()))
      }
    }),
  )
})

test('whoever leaves twice takes nobody with it', () => {
  const roster = new Roster<string>()
  const place = roster.add('a')
  place.leave()
  roster.add('b')
  place.leave()
  assert.deepEqual([...roster], ['b'])
})

test('each is looked at although all leave while they are', () => {
  const roster = new Roster<number>()
  const places = [1, 2, 3].map((member) => roster.add(member))
  const met: number[] = []
  for (const member of roster) {
    met.push(member)
    for (const place of places) place.leave()
  }
  assert.deepEqual(met, [1, 2, 3])
})

test('whoever leaves last is told of, once', () => {
  let emptied = 0
  const roster = new Roster<number>(() => emptied++)
  const places = [1, 2].map((member) => roster.add(member))
  places[0]?.leave()
  assert.equal(emptied, 0)
  places[1]?.leave()
  places[1]?.leave()
  assert.equal(emptied, 1)
})
