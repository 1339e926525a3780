import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Sessions, type Session } from '../../../host/src/transport/streamable/sessions.ts'

interface Fake extends Session {
  isBusy: boolean
  closings: number
}

function open(limits: { max: number; maxPerOwner?: number; idleMs?: number }) {
  const clock = { at: 0 }
  const sessions = new Sessions<Fake>({ idleMs: 1_000, ...limits, now: () => clock.at })
  const add = (id: string, owner = 'alice', options: { view?: string; isBusy?: boolean } = {}): Fake => {
    const fake: Fake = {
      id,
      owner,
      view: '',
      isBusy: false,
      closings: 0,
      close: () => {
        fake.closings++
        return Promise.resolve()
      },
      ...options,
    }
    sessions.add(fake)
    return fake
  }
  const ids = () => [...sessions].map(({ id }) => id)
  return { sessions, clock, add, ids }
}

test('a session is found by its owner, at the address where it was opened, and by nothing else', () => {
  const { sessions, add } = open({ max: 10 })
  const plain = add('1')
  const narrow = add('2', 'alice', { view: '/readonly' })
  const TABLE = [
    ['1', 'alice', undefined, plain],
    ['1', 'alice', '', plain],
    ['1', 'bob', '', undefined],
    ['1', '', '', undefined],
    ['1', 'alice', '/readonly', undefined],
    ['2', 'alice', '/readonly', narrow],
    ['2', 'alice', undefined, undefined],
    ['2', 'bob', '/readonly', undefined],
    ['3', 'alice', '', undefined],
  ] as const
  for (const [id, owner, view, expected] of TABLE)
    assert.equal(sessions.find(id, owner, view), expected, `${id} ${owner} ${view}`)
})

test('an idle session is over after its time, a busy one is not, and each use begins the time again', () => {
  const { sessions, clock, add, ids } = open({ max: 10, idleMs: 1_000 })
  const idle = add('idle')
  const busy = add('busy', 'alice', { isBusy: true })
  const used = add('used')
  clock.at = 1_000
  assert.equal(sessions.find('idle', 'bob'), undefined, 'a stranger does not keep it open')
  assert.equal(sessions.find('used', 'alice'), used)
  sessions.sweep()
  assert.deepEqual(ids(), ['idle', 'busy', 'used'])
  clock.at = 1_001
  assert.equal(sessions.find('idle', 'alice'), undefined, 'it is over before it is swept')
  sessions.sweep()
  assert.deepEqual(ids(), ['busy', 'used'])
  clock.at = 2_000
  sessions.sweep()
  assert.deepEqual(ids(), ['busy', 'used'])
  clock.at = 2_001
  sessions.sweep()
  assert.deepEqual(ids(), ['busy'])
  assert.deepEqual(
    [idle, busy, used].map(({ closings }) => closings),
    [1, 0, 1],
  )
})

test('an owner has half of all sessions unless its number is given', () => {
  for (const [limits, ofOne] of [
    [{ max: 4 }, 2],
    [{ max: 5 }, 3],
    [{ max: 1 }, 1],
    [{ max: 5, maxPerOwner: 1 }, 1],
    [{ max: 3, maxPerOwner: 9 }, 3],
  ] as const) {
    const { sessions, add } = open(limits)
    let count = 0
    while (count < 20 && sessions.makeRoom('alice')) add(`${count++}`, 'alice', { isBusy: true })
    assert.equal(count, ofOne, JSON.stringify(limits))
  }
})

test("at its own limit an owner's session that was used longest ago makes room, and never one of another owner", () => {
  const { sessions, add, ids } = open({ max: 10, maxPerOwner: 3 })
  const other = add('of bob', 'bob')
  const made = ['1', '2', '3'].map((id) => add(id))
  sessions.find('1', 'alice')
  assert.equal(sessions.makeRoom('alice'), true)
  assert.deepEqual(ids(), ['of bob', '1', '3'])
  add('4')
  assert.equal(sessions.makeRoom('alice'), true)
  assert.deepEqual(ids(), ['of bob', '1', '4'])
  assert.deepEqual(
    [other, ...made].map(({ closings }) => closings),
    [0, 0, 1, 1],
  )
})

test('an owner whose sessions are all busy gets no further one at its limit, while others do', () => {
  const { sessions, add, ids } = open({ max: 4, maxPerOwner: 2 })
  add('1', 'alice', { isBusy: true })
  add('2', 'alice', { isBusy: true })
  add('of bob', 'bob')
  assert.equal(sessions.makeRoom('alice'), false)
  assert.equal(sessions.makeRoom('bob'), true)
  assert.deepEqual(ids(), ['1', '2', 'of bob'])
})

test('when all are taken, an own idle session makes room first, then one of the owner that has the most', () => {
  const { sessions, add, ids } = open({ max: 5, maxPerOwner: 3 })
  add('a1')
  add('b1', 'bob')
  add('b2', 'bob')
  add('b3', 'bob')
  add('a2')
  assert.equal(sessions.makeRoom('alice'), true)
  assert.deepEqual(ids(), ['b1', 'b2', 'b3', 'a2'], 'her own, although bob has more')
  add('a3')
  assert.equal(sessions.makeRoom('carol'), true)
  assert.deepEqual(ids(), ['b2', 'b3', 'a2', 'a3'], 'of bob, who has the most')
  add('c1', 'carol', { isBusy: true })
  assert.equal(sessions.makeRoom('dora'), true)
  assert.deepEqual(ids(), ['b2', 'b3', 'a3', 'c1'], 'of alice, who was there first of two with as many')
  add('c2', 'carol', { isBusy: true })
  assert.equal(sessions.makeRoom('carol'), true)
  assert.deepEqual(ids(), ['b3', 'a3', 'c1', 'c2'], 'her own are busy')
})

test('nothing makes room where everything is busy', () => {
  const { sessions, add, ids } = open({ max: 2 })
  add('1', 'alice', { isBusy: true })
  add('2', 'bob', { isBusy: true })
  assert.equal(sessions.makeRoom('carol'), false)
  assert.deepEqual(ids(), ['1', '2'])
})

test('a session is deleted once, and no longer counts for its owner', () => {
  const { sessions, add } = open({ max: 4, maxPerOwner: 1 })
  const session = add('1', 'alice', { isBusy: true })
  assert.equal(sessions.makeRoom('alice'), false)
  assert.deepEqual([sessions.delete('1'), sessions.delete('1'), sessions.delete('2')], [true, false, false])
  assert.equal(sessions.size, 0)
  assert.equal(sessions.find('1', 'alice'), undefined)
  assert.equal(sessions.makeRoom('alice'), true)
  assert.equal(session.closings, 0, 'whoever deletes it has closed it')
  add('2', 'alice', { isBusy: true })
  assert.equal(sessions.size, 1)
  assert.equal(sessions.makeRoom('alice'), false, 'it counts again after its owner had none')
})

test('closeAll closes each session, busy or not, waits for them and leaves none', async () => {
  const { sessions, add } = open({ max: 4 })
  const { promise, resolve } = Promise.withResolvers<void>()
  const idle = add('1')
  add('2', 'bob', { isBusy: true, close: () => promise } as object)
  let isDone = false
  const closing = sessions.closeAll().then(() => (isDone = true))
  assert.deepEqual([sessions.size, idle.closings], [0, 1])
  await Promise.resolve()
  await Promise.resolve()
  await Promise.resolve()
  assert.equal(isDone, false)
  resolve()
  await closing
})
