import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createStartGate } from '../../../host/src/plugin/isolate/start-gate.ts'
import { settled } from '../../fixtures/plugins/fake-process.ts'

/** Starts that end when they are told to; which of them began. */
function gate(t: TestContext, atOnce: number) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const starts = createStartGate({ atOnce, heldMs: 1_000 })
  const begun: string[] = []
  const ends = new Map<string, { readonly resolve: () => void; readonly reject: (reason: Error) => void }>()
  const start = (name: string, isCalled = false) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    ends.set(name, { resolve, reject })
    return starts.pass(() => {
      begun.push(name)
      return promise
    }, isCalled)
  }
  const end = async (name: string) => {
    ends.get(name)?.resolve()
    await settled()
  }
  return { start, begun, ends, end }
}

test('so many plugins start at a time, the others in their order', async (t) => {
  const { start, begun, end } = gate(t, 2)
  for (const name of 'abcde') void start(name)
  await settled()
  assert.deepEqual(begun, ['a', 'b'])
  await end('b')
  assert.deepEqual(begun, ['a', 'b', 'c'])
  await end('a')
  await end('c')
  assert.deepEqual(begun, ['a', 'b', 'c', 'd', 'e'])
})

test('one that a call waits for starts before those that none waits for', async (t) => {
  const { start, begun, end } = gate(t, 1)
  void start('a')
  void start('b')
  void start('called', true)
  await settled()
  await end('a')
  assert.deepEqual(begun, ['a', 'called'])
})

test('one that cannot start gives its place to the next, and one that hangs does so after a second', async (t) => {
  const { start, begun, ends, end } = gate(t, 1)
  const failing = start('failing')
  for (const name of ['hanging', 'next', 'last']) void start(name)
  await settled()
  ends.get('failing')?.reject(new Error('no'))
  await assert.rejects(failing, /no/)
  await settled()
  assert.deepEqual(begun, ['failing', 'hanging'])
  t.mock.timers.tick(1_000)
  await settled()
  assert.deepEqual(begun, ['failing', 'hanging', 'next'])
  await end('hanging')
  assert.deepEqual(begun, ['failing', 'hanging', 'next'], 'its place is given away once')
  await end('next')
  assert.deepEqual(begun, ['failing', 'hanging', 'next', 'last'])
})
