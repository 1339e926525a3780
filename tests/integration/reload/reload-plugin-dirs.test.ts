import assert from 'node:assert/strict'
import { cpSync, renameSync } from 'node:fs'
import { test } from 'node:test'
import { reloading, revisionPlugin } from '../../fixtures/plugins/reloading.ts'

const files = { 'plugins/a/index.ts': revisionPlugin('a', 1) }

test('serves a folder that is dropped into pluginDirs', async (t) => {
  const at = await reloading(t, {
    ...files,
    'elsewhere/b/index.ts': revisionPlugin('b', 1, { head: `import './lib/x.ts'` }),
    'elsewhere/b/lib/x.ts': '',
  })
  cpSync(at.path('elsewhere/b'), at.path('plugins/b'), { recursive: true })
  const { instance, outcome } = await at.reloads.next()
  assert.deepEqual([instance, outcome, await at.call('b_rev')], ['b', 'added', '1'])
  at.write('plugins/b/index.ts', revisionPlugin('b', 2))
  await at.reloads.next()
  assert.equal(await at.call('b_rev'), '2')
})

test('serves a folder whose module comes long after the folder', async (t) => {
  const at = await reloading(t, files)
  at.write('plugins/b/README.md', 'soon')
  // The folder alone is no plugin: what was found then changes nothing.
  at.write('plugins/a/index.ts', revisionPlugin('a', 2))
  await at.reloads.next()
  at.write('plugins/b/index.ts', revisionPlugin('b', 1))
  await at.reloads.next(({ instance }) => instance === 'b')
  assert.equal(await at.call('b_rev'), '1')
})

test('serves a single file that is dropped into pluginDirs, and follows its edits', async (t) => {
  const at = await reloading(t, files)
  at.write('plugins/c.ts', revisionPlugin('c', 1))
  await at.reloads.next()
  at.write('plugins/c.ts', revisionPlugin('c', 2))
  await at.reloads.next(({ outcome }) => outcome === 'replaced')
  assert.equal(await at.call('c_rev'), '2')
})

test('serves what is dropped into a folder of pluginDirs that did not exist', async (t) => {
  const at = await reloading(t, {}, { config: { pluginDirs: ['./later'] } })
  at.write('later/b/index.ts', revisionPlugin('b', 1))
  await at.reloads.next()
  assert.equal(await at.call('b_rev'), '1')
})

test('drains a plugin whose folder is deleted: its call finishes, then it is gone', async (t) => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const { promise: started, resolve: start } = Promise.withResolvers<void>()
  Object.assign(globalThis, { pluginDirsTest: { start, released } })
  const slow = revisionPlugin('b', 1).replace(
    'run: () => "1"',
    `run: async () => { globalThis.pluginDirsTest.start(); await globalThis.pluginDirsTest.released; return 'finished' }`,
  )
  const at = await reloading(t, { ...files, 'plugins/b/index.ts': slow })
  const held = at.call('b_rev')
  await started
  renameSync(at.path('plugins/b'), at.path('trash'))
  const removed = await at.reloads.next()
  assert.deepEqual([removed.instance, removed.outcome, removed.changes.removed], ['b', 'removed', 1])
  await assert.rejects(at.call('b_rev'), { code: 'TOOL_UNKNOWN' })
  release()
  assert.equal(await held, 'finished')
  assert.equal((await at.drains.next()).finished, 1)
  assert.equal(await at.call('a_rev'), '1')
})
