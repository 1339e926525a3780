import assert from 'node:assert/strict'
import { mkdirSync, renameSync } from 'node:fs'
import { test } from 'node:test'
import { reloading, revisionPlugin } from '../../fixtures/plugins/reloading.ts'

const project = { 'plugins/a/index.ts': revisionPlugin('a', 1), 'plugins/b/index.ts': revisionPlugin('b', 1) }

for (const isolation of ['inline', 'process'] as const) {
  const config =
    isolation === 'inline' ? {} : { pluginDirs: ['./plugins'], plugins: [{ use: './plugins/a', isolation: 'process' }] }

  test(`a folder of pluginDirs without its module serves its last version until the module is back (${isolation})`, async (t) => {
    const at = await reloading(t, project, { config })
    at.remove('plugins/a/index.ts')
    const kept = await at.reloads.next(({ instance }) => instance === 'a')
    assert.deepEqual([kept.outcome, kept.after?.reason?.code], ['kept', 'PLUGIN_NOT_FOUND'])
    assert.equal(await at.call('a_rev'), '1')
    at.write('plugins/a/index.ts', revisionPlugin('a', 2))
    await at.reloads.next(({ outcome }) => outcome === 'replaced')
    assert.equal(await at.call('a_rev'), '2')
    at.write('plugins/a/index.ts', revisionPlugin('a', 3))
    await at.reloads.next(({ outcome }) => outcome === 'replaced')
    assert.equal(await at.call('a_rev'), '3')
  })
}

test('a folder of pluginDirs that was deleted is served again when it is back, and its edits are followed, every time', async (t) => {
  const at = await reloading(t, project)
  for (const revision of [2, 4, 6]) {
    renameSync(at.path('plugins/a'), at.path('away'))
    await at.reloads.next(({ outcome }) => outcome === 'removed')
    at.write('away/index.ts', revisionPlugin('a', revision))
    renameSync(at.path('away'), at.path('plugins/a'))
    await at.reloads.next(({ outcome }) => outcome === 'added')
    assert.equal(await at.call('a_rev'), String(revision))
    at.write('plugins/a/index.ts', revisionPlugin('a', revision + 1))
    await at.reloads.next(({ outcome }) => outcome === 'replaced')
    assert.equal(await at.call('a_rev'), String(revision + 1))
  }
})

test('pluginDirs as a whole may be away: every plugin is served again when it is back', async (t) => {
  const at = await reloading(t, project)
  renameSync(at.path('plugins'), at.path('away'))
  await at.reloads.next(({ instance, outcome }) => instance === 'b' && outcome === 'removed')
  renameSync(at.path('away'), at.path('plugins'))
  await at.reloads.next(({ instance, outcome }) => instance === 'b' && outcome === 'added')
  at.write('plugins/b/index.ts', revisionPlugin('b', 2))
  await at.reloads.next(({ instance, outcome }) => instance === 'b' && outcome === 'replaced')
  assert.deepEqual([await at.call('a_rev'), await at.call('b_rev')], ['1', '2'])
})

test('a folder that was emptied and built again, such as dist, is served again', async (t) => {
  const built = revisionPlugin('c', 1)
  const at = await reloading(t, {
    ...project,
    'plugins/c/package.json': JSON.stringify({ name: 'c', type: 'module', main: 'dist/index.js' }),
    'plugins/c/dist/index.js': built,
  })
  at.remove('plugins/c/dist')
  assert.equal((await at.reloads.next()).outcome, 'kept')
  assert.equal(await at.call('c_rev'), '1')
  mkdirSync(at.path('plugins/c/dist'))
  at.write('plugins/c/dist/index.js', revisionPlugin('c', 2))
  await at.reloads.next(({ outcome }) => outcome === 'replaced')
  assert.equal(await at.call('c_rev'), '2')
})

test('a file of pluginDirs that was deleted is served again when it is back', async (t) => {
  const at = await reloading(t, { ...project, 'plugins/c.ts': revisionPlugin('c', 1) })
  at.remove('plugins/c.ts')
  await at.reloads.next(({ outcome }) => outcome === 'removed')
  at.write('plugins/c.ts', revisionPlugin('c', 2))
  await at.reloads.next(({ outcome }) => outcome === 'added')
  at.write('plugins/c.ts', revisionPlugin('c', 3))
  await at.reloads.next(({ outcome }) => outcome === 'replaced')
  assert.equal(await at.call('c_rev'), '3')
})

test('a plugin of `plugins` whose folder was deleted serves on, and the folder is taken when it is back', async (t) => {
  const at = await reloading(t, project, { config: { pluginDirs: [], plugins: ['./plugins/a'] } })
  for (const revision of [2, 4]) {
    renameSync(at.path('plugins/a'), at.path('away'))
    assert.equal((await at.reloads.next()).outcome, 'kept')
    at.write('away/index.ts', revisionPlugin('a', revision))
    renameSync(at.path('away'), at.path('plugins/a'))
    await at.reloads.next(({ outcome }) => outcome === 'replaced')
    at.write('plugins/a/index.ts', revisionPlugin('a', revision + 1))
    await at.reloads.next(({ outcome }) => outcome === 'replaced')
    assert.equal(await at.call('a_rev'), String(revision + 1))
  }
})
