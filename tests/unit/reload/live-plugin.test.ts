import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LivePlugin } from '../../../host/src/plugin/run/live-plugin.ts'
import { activeRecord, emptyPlugin } from '../../fixtures/projects/snapshots.ts'

function serving(dispose: () => Promise<void> = async () => {}) {
  const record = activeRecord(emptyPlugin('a', []))
  assert.ok(record.live)
  let disposed = 0
  const running = {
    ...record.live.running,
    async [Symbol.asyncDispose]() {
      disposed++
      await dispose()
    },
  }
  return { live: new LivePlugin('a', running), disposed: () => disposed }
}
const reason = () => new Error('drained')

test('a version without calls is disposed at once, and takes no call from then on', async () => {
  const { live, disposed } = serving()
  assert.deepEqual(await live.drain({ drainMs: 60_000, reason }), { finished: 0, cancelled: 0 })
  assert.equal(disposed(), 1)
  assert.throws(() => live.enter({ cancel() {} }), /a version of plugin "a" that is disposed/)
})

test('a version is disposed after its last call, once, however often it is drained', async () => {
  const { live, disposed } = serving()
  const cancelled: unknown[] = []
  const calls = [0, 1].map(() => live.enter({ cancel: (why) => void cancelled.push(why) }))
  const drains = [live.drain({ drainMs: 60_000, reason }), live.drain({ drainMs: 0, reason })]
  calls[0]?.release()
  await Promise.resolve()
  assert.equal(disposed(), 0, 'while a call is in it')
  calls[1]?.release()
  for (const drain of drains) assert.deepEqual(await drain, { finished: 2, cancelled: 0 })
  assert.equal(disposed(), 1)
  assert.deepEqual(cancelled, [])
})

test('calls that are in it after drainMs are cancelled with the reason, each, and it is disposed when they have left', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { live, disposed } = serving()
  const cancelled: string[] = []
  const enter = (name: string) => {
    const place = live.enter({
      cancel(why) {
        cancelled.push(`${name}: ${why.message}`)
        place.release()
      },
    })
    return place
  }
  const [first] = [enter('first'), enter('second'), enter('third')]
  const drained = live.drain({ drainMs: 1_000, reason })
  first?.release()
  t.mock.timers.tick(999)
  assert.deepEqual(cancelled, [])
  t.mock.timers.tick(1)
  assert.deepEqual(new Set(cancelled), new Set(['second: drained', 'third: drained']))
  assert.deepEqual(await drained, { finished: 1, cancelled: 2 })
  assert.equal(disposed(), 1)
})

test('what a plugin throws while it is disposed is in the report', async () => {
  const { live } = serving(() => Promise.reject(new Error('stuck')))
  const { finished, cancelled, error } = await live.drain({ drainMs: 0, reason })
  assert.deepEqual([finished, cancelled, String(error)], [0, 0, 'Error: stuck'])
})
