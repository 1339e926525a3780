// What becomes of the process of a plugin, without a process and without waiting.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { HostError, hostError } from '../../../host/src/errors.ts'
import { ProcessGone } from '../../../host/src/plugin/isolate/spawn.ts'
import { superviseIsolated, type SuperviseOptions } from '../../../host/src/plugin/isolate/supervise.ts'
import type { LoadedProcess } from '../../../host/src/plugin/isolate/types.ts'
import { callRequest, fakeProcess, isolatedServices, settled, type FakeProcess } from '../../fixtures/plugins/fake-process.ts'

const LIMITS = { heapMb: 1, memoryMb: 1, answerBytes: 1_000, idleMs: 0 }

async function supervise(t: TestContext, first: FakeProcess, restart: () => Promise<LoadedProcess>) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const heard: string[] = []
  const options: Partial<SuperviseOptions> = {
    limits: LIMITS,
    timeoutMs: 1_000,
    now: () => 0,
    random: () => 0.5,
    restart,
    onRestarted: () => void heard.push('restarted'),
    onIdle: () => {},
    onFailed: () => void heard.push('failed'),
  }
  const { running } = await superviseIsolated(first.loaded, isolatedServices(), options as SuperviseOptions)
  /** Until the longest wait before another process is over. */
  const wait = async () => {
    await settled()
    t.mock.timers.tick(60_000)
    await settled()
  }
  return { running, heard, wait }
}

test('a process that dies is replaced, and calls go to the new one', async (t) => {
  const [first, second] = [fakeProcess(), fakeProcess()]
  const { running, heard, wait } = await supervise(t, first, async () => second.loaded)
  first.exit('it exited')
  await wait()
  await running.callTool('x', {}, callRequest())
  assert.deepEqual([heard, second.asked], [['restarted'], ['start', 'call']])
})

test('a process that is ready only after the plugin was disposed is ended', async (t) => {
  const [first, second] = [fakeProcess(), fakeProcess()]
  const ready = Promise.withResolvers<LoadedProcess>()
  const { running, heard, wait } = await supervise(t, first, () => ready.promise)
  first.exit('it exited')
  await wait()
  await running[Symbol.asyncDispose]()
  ready.resolve(second.loaded)
  await settled()
  assert.deepEqual([heard, second.ended], [[], ['the plugin was disposed']])
})

const lack = hostError(
  'PLUGIN_PROCESS',
  { plugin: 'a', problem: 'none', output: '' },
  Object.assign(new Error(), { code: 'EMFILE' }),
)
for (const [what, error, expected] of [
  ['want of descriptors is no fault of the plugin, and its process comes back when there are some', lack, ['restarted']],
  ['a plugin whose process cannot be started again and again is given up', new Error('no'), ['failed']],
] as const)
  test(what, async (t) => {
    const [first, second] = [fakeProcess(), fakeProcess()]
    let attempts = 0
    const { running, heard, wait } = await supervise(t, first, async () => {
      if (++attempts <= 10) throw error
      return second.loaded
    })
    first.exit('it exited')
    for (let turn = 0; turn < 15; turn++) await wait()
    assert.deepEqual(
      [heard, running.failure instanceof HostError ? running.failure.code : undefined],
      [expected, expected[0] === 'failed' ? 'PLUGIN_CRASHED' : undefined],
    )
  })

test('each call that had to end makes sure that its process still hears, and ends it where it does not', async (t) => {
  const silent = new Set(['call'])
  const first = fakeProcess({ silent })
  const { running, wait } = await supervise(t, first, () => new Promise(() => {}))
  const cancelled = async () => {
    const life = new AbortController()
    const answer = running.callTool('x', {}, callRequest(life.signal))
    life.abort(new Error('cancelled'))
    await assert.rejects(answer, /cancelled/)
    await settled()
  }
  await cancelled()
  await wait()
  assert.deepEqual(first.ended, [])
  silent.add('ping')
  await cancelled()
  await cancelled()
  assert.deepEqual(first.asked, ['start', 'call', 'ping', 'call', 'ping', 'call'], 'one question at a time')
  await wait()
  assert.match(first.ended.join(), /^it was stuck/)
})

for (const [tool, mayHaveRun] of [
  ['x', true],
  ['unknown', false],
] as const)
  test(`a call that its process took with it ${mayHaveRun ? 'may have written' : 'has written nothing where it only reads'}`, async (t) => {
    const first = fakeProcess({ silent: new Set(['call']) })
    const { running } = await supervise(t, first, () => new Promise(() => {}))
    const answer = running.callTool(tool, {}, callRequest())
    first.process.peer.giveUp(first.asked.length, new ProcessGone('it exited'))
    await assert.rejects(answer, (error: Error) => error.message.includes('may or may not') === mayHaveRun)
  })
