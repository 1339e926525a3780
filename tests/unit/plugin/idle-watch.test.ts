import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createIdleWatch } from '../../../host/src/plugin/isolate/calls/idle-watch.ts'

function watched(t: TestContext, idleMs: () => number) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let now = 0
  let ended = 0
  const watch = createIdleWatch({ idleMs, now: () => now, onIdle: () => void ended++ })
  const pass = (ms: number) => {
    now += ms
    t.mock.timers.tick(ms)
  }
  return { watch, pass, ended: () => ended }
}

test('a process is idle so long after its last call, and once', (t) => {
  const { watch, pass, ended } = watched(t, () => 100)
  watch.began()
  pass(60)
  watch.entered()
  watch.left()
  pass(99)
  assert.equal(ended(), 0)
  pass(1)
  assert.equal(ended(), 1)
  pass(1_000)
  assert.equal(ended(), 1)
  watch.began()
  pass(100)
  assert.equal(ended(), 2)
})

test('a process is not idle while a call is in it', (t) => {
  const { watch, pass, ended } = watched(t, () => 100)
  watch.began()
  watch.entered()
  watch.entered()
  watch.left()
  for (let turn = 0; turn < 5; turn++) pass(100)
  assert.equal(ended(), 0)
  watch.left()
  for (let turn = 0; turn < 2; turn++) pass(100)
  assert.equal(ended(), 1)
})

test('a limit that changes is seen within a minute, and none of 0 is ever passed', (t) => {
  let idleMs = 0
  const { watch, pass, ended } = watched(t, () => idleMs)
  watch.began()
  for (let minute = 0; minute < 10; minute++) pass(60_000)
  assert.equal(ended(), 0)
  idleMs = 5_000
  pass(60_000)
  assert.equal(ended(), 1)
})

test('a process that is stopped is never idle', (t) => {
  const { watch, pass, ended } = watched(t, () => 100)
  watch.began()
  watch[Symbol.dispose]()
  pass(1_000)
  assert.equal(ended(), 0)
})
