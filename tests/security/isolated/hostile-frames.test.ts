import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'node:test'
import { hostileFrames, writeFrames } from '../../fixtures/plugins/hostile-frames.ts'
import { isolatedHost } from '../../fixtures/plugins/isolated-host.ts'

const at = await isolatedHost({ config: { limits: { callTimeoutMs: 5_000 } } })

const HEAP_MB = 64

test('whatever a plugin writes into its channel, the call ends, the host lives and the others answer', async () => {
  const heap = () => process.memoryUsage().heapUsed / 1_048_576
  const before = heap()
  let ended = 0
  await fc.assert(
    fc.asyncProperty(hostileFrames, async (frames) => {
      const exits = () => at.lines.all.filter(({ event }) => event === 'plugin_exited').length
      const had = exits()
      const answer = await at.tell(writeFrames(frames), 'brief')
      assert.equal(typeof answer, 'string')
      const { text: beside } = await at.client.call('neighbour_sum')
      assert.match(beside, /1,2/)
      // Ended for it, or in good health: whichever it is, it answers again. One that is suspected to be stuck may end in between.
      let back = ''
      for (let tries = 0; tries < 3 && !back.startsWith('{'); tries++) back = await at.tell(`return 'back'`)
      assert.deepEqual(JSON.parse(back), { value: 'back' })
      ended += exits() - had
      at.passMinute()
    }),
    { seed: 20_261_129, numRuns: 12, endOnFailure: true },
  )
  assert.ok(ended > 5, `${ended} of them ended the plugin`)
  assert.ok(heap() - before < HEAP_MB, `the heap grew by ${heap() - before} MB`)
})
