import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Roster } from '../../host/src/data/roster.ts'

test('whoever comes and goes in whatever order, those who are here are the ones that did not leave', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 20 })), (turns) => {
      const roster = new Roster<number>()
      const expected = new Map<number, () => void>()
      for (const turn of turns) {
        const leave = expected.get(turn)
        if (leave) leave()
        if (leave) expected.delete(turn)
        else expected.set(turn, roster.add(turn))
        assert.equal(roster.size, expected.size)
        assert.deepEqual(new Set(roster), new Set(expected.keys()))
      }
    }),
  )
})

test('whoever leaves twice takes nobody with it', () => {
  const roster = new Roster<string>()
  const leave = roster.add('a')
  leave()
  roster.add('b')
  leave()
  assert.deepEqual([...roster], ['b'])
})

test('each is looked at although all leave while they are', () => {
  const roster = new Roster<number>()
  const ways = [1, 2, 3].map((member) => roster.add(member))
  const met: number[] = []
  for (const member of roster) {
    met.push(member)
    for (const leave of ways) leave()
  }
  assert.deepEqual(met, [1, 2, 3])
})
