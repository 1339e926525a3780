import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reloading, revisionPlugin, type Reloading } from '../../fixtures/plugins/reloading.ts'

/** Waits for the file `go`, then imports, and says what it found. */
const waiting = (revision: number) =>
  revisionPlugin('a', revision, {
    head: `import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { join } from 'node:path'
const here = (name) => join(import.meta.dirname, name)`,
    tools: ['rev', 'late'],
  }).replace(
    /name: 'late'(.*)run: \(\) => "\d+"/,
    `name: 'late'$1run: async () => { while (!existsSync(here('go.flag'))) await setTimeout(10)
      return '${revision} ' + (await import('./late.ts')).late + ' ' + (await import('./old.ts').catch(() => ({ old: 'gone' }))).old }`,
  )

for (const isolation of ['inline', 'process'] as const)
  test(`a call of the version before imports the files of that version, changed or deleted since (${isolation})`, async (t) => {
    const at = await reloading(
      t,
      {
        'plugins/a/index.ts': waiting(1),
        'plugins/a/late.ts': `export const late = 'late 1'`,
        'plugins/a/old.ts': `export const old = 'old 1'`,
      },
      { config: { plugins: [{ use: './plugins/a', isolation }] } },
    )
    await kept(at)
    const call = at.call('a_late')
    at.write('plugins/a/late.ts', `export const late = 'late 2'`)
    at.remove('plugins/a/old.ts')
    at.write('plugins/a/index.ts', waiting(2))
    while ((await at.call('a_rev')) !== '2') await at.reloads.next()
    at.write('plugins/a/go.flag', '')
    assert.equal(await call, '1 late 1 old 1')
    assert.equal(await at.call('a_late'), '2 late 2 gone')
  })

test('where only the late file changed, a call imports it as it is now', async (t) => {
  const at = await reloading(t, {
    'plugins/a/index.ts': waiting(1),
    'plugins/a/late.ts': `export const late = 'late 1'`,
    'plugins/a/old.ts': `export const old = 'old'`,
  })
  await kept(at)
  const call = at.call('a_late')
  at.write('plugins/a/late.ts', `export const late = 'late 2'`)
  at.write('plugins/a/go.flag', '')
  assert.equal(await call, '1 late 2 old')
})

/** Two calls further, what a version keeps was read: it is read when the version was loaded, beside its first calls. */
async function kept(at: Reloading): Promise<void> {
  at.write('plugins/b/index.ts', revisionPlugin('b', 1))
  await at.reloads.next(({ instance, outcome }) => instance === 'b' && outcome === 'added')
  assert.equal(await at.call('a_rev'), '1')
}
