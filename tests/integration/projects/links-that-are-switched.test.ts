import assert from 'node:assert/strict'
import { renameSync, symlinkSync } from 'node:fs'
import { test } from 'node:test'
import { reloading, revisionPlugin, type Reloading } from '../../fixtures/plugins/reloading.ts'

const releases = {
  'releases/1/index.ts': revisionPlugin('a', 1),
  'releases/2/index.ts': revisionPlugin('a', 2),
}
const isReplaced = ({ outcome }: { readonly outcome: string }) => outcome === 'replaced'

/** As `ln -sfn` does it. */
function point(at: Reloading, path: string, target: string): void {
  symlinkSync(at.path(target), at.path(`${path}.new`))
  renameSync(at.path(`${path}.new`), at.path(path))
}

for (const isolation of ['inline', 'process'] as const)
  test(`a plugin behind a link is the one the link leads to, however often it is switched (${isolation})`, async (t) => {
    const at = await reloading(
      t,
      { ...releases, 'plugins/.keep': '' },
      { config: { plugins: [{ use: './current', isolation }] } },
    )
    at.link('releases/1', 'current')
    await at.reloads.next(({ after }) => after?.state === 'active')
    for (const release of [2, 1, 2]) {
      point(at, 'current', `releases/${release}`)
      await at.reloads.next(isReplaced)
      assert.equal(await at.call('a_rev'), String(release))
    }
    at.write('releases/2/index.ts', revisionPlugin('a', 3))
    await at.reloads.next(isReplaced)
    assert.equal(await at.call('a_rev'), '3')
  })

test('links in pluginDirs, on the way there and between releases are followed, and edits where they lead', async (t) => {
  const at = await reloading(t, { ...releases, 'real/.keep': '' }, { config: { pluginDirs: ['./plugins'] } })
  at.link('releases', 'stable')
  at.link('stable/1', 'real/a')
  at.link('real', 'plugins')
  await at.reloads.next(({ outcome }) => outcome === 'added')
  assert.equal(await at.call('a_rev'), '1')
  point(at, 'real/a', 'releases/2')
  await at.reloads.next(isReplaced)
  assert.equal(await at.call('a_rev'), '2')
  at.write('releases/2/index.ts', revisionPlugin('a', 3))
  await at.reloads.next(isReplaced)
  at.write('other/a/index.ts', revisionPlugin('a', 4))
  point(at, 'plugins', 'other')
  await at.reloads.next(isReplaced)
  assert.equal(await at.call('a_rev'), '4')
})

test('a file behind a link is the one the link leads to', async (t) => {
  const at = await reloading(t, {
    'plugins/a/index.ts': revisionPlugin('a', 1, { head: `import { text } from './text.ts'`, rest: 'description: text,' }),
    'texts/1.ts': `export const text = 'one'`,
    'texts/2.ts': `export const text = 'two'`,
  })
  at.link('texts/1.ts', 'plugins/a/text.ts')
  const added = await at.reloads.next(({ after }) => after?.state === 'active')
  assert.equal(added.after?.surface?.description, 'one')
  point(at, 'plugins/a/text.ts', 'texts/2.ts')
  assert.equal((await at.reloads.next(isReplaced)).after?.surface?.description, 'two')
})

test('a folder that becomes a link, and a link that becomes a folder, is taken as it is now', async (t) => {
  const at = await reloading(t, { ...releases, 'plugins/a/index.ts': revisionPlugin('a', 0) })
  renameSync(at.path('plugins/a'), at.path('kept'))
  at.link('releases/1', 'plugins/a')
  await at.reloads.next(({ after }) => after?.state === 'active')
  while ((await at.call('a_rev')) !== '1') await at.reloads.next()
  at.remove('plugins/a')
  renameSync(at.path('kept'), at.path('plugins/a'))
  while ((await at.call('a_rev').catch(() => '')) !== '0') await at.reloads.next()
})
