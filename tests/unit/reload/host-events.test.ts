import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reloading, revisionPlugin } from '../../fixtures/plugins/reloading.ts'

test('who embeds a host hears of generations, reloads and drained versions, and a listener that throws stops nothing', async (t) => {
  const at = await reloading(t, { 'plugins/a/index.ts': revisionPlugin('a', 1) }, { watch: false })
  const heard: unknown[] = []
  const note = ({ generation, tools }: { generation: number; tools: number }) => heard.push([generation, tools])
  const fails = () => {
    throw new Error('of the embedder')
  }
  at.host.on('generation', note)
  for (const event of ['generation', 'reload', 'drained'] as const) at.host.on(event, fails)
  await at.edit('plugins/a/index.ts', revisionPlugin('a', 2, { tools: ['rev', 'more'] }))
  assert.equal((await at.reloads.next(() => true)).instance, 'a')
  assert.equal((await at.drains.next(() => true)).instance, 'a')
  assert.equal(await at.call('a_rev'), '2')
  assert.deepEqual(heard, [[2, 2]])
  for (const event of ['generation', 'reload', 'drained'])
    assert.ok(
      at.lines.all.some((line) => line.event === 'listener_failed' && line['topic'] === event),
      event,
    )
  at.host.off('generation', note)
  await at.edit('plugins/a/index.ts', revisionPlugin('a', 3))
  assert.deepEqual([heard.length, await at.call('a_rev')], [1, '3'])
})
