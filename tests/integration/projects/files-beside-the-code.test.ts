import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reloading, revisionPlugin } from '../../fixtures/plugins/reloading.ts'

/** Says what it read and what it found. */
const finding = (rest = '') =>
  revisionPlugin('a', 1, {
    head: `import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
const here = (path) => join(import.meta.dirname, path)
const prompts = readdirSync(here('prompts')).toSorted().map((name) => readFileSync(here('prompts/' + name), 'utf8'))
const found = []
for (const name of readdirSync(here('tools')).toSorted()) found.push((await import('./tools/' + name)).name)`,
    rest: `description: [...prompts, ...found].join(' '), ${rest}`,
  })
const project = (rest?: string) => ({
  'plugins/a/index.ts': finding(rest),
  'plugins/a/prompts/one.md': 'prompt',
  'plugins/a/tools/one.ts': `export const name = 'one'`,
})
const isReplaced = ({ outcome }: { readonly outcome: string }) => outcome === 'replaced'

for (const [who, files, config] of [
  ['the plugin', project(`watch: ['prompts/**'],`), {}],
  ['its entry', project(), { plugins: [{ use: './plugins/a', watch: ['./prompts/*.md'] }] }],
  ['the plugin, isolated', project(`watch: ['prompts/**'],`), { plugins: [{ use: './plugins/a', isolation: 'process' }] }],
] as const)
  test(`files that ${who} names under watch are followed: changed, new and gone`, async (t) => {
    const at = await reloading(t, files, { config })
    const said = async () => (await at.reloads.next(isReplaced)).after?.surface?.description
    at.write('plugins/a/prompts/one.md', 'changed')
    assert.equal(await said(), 'changed one')
    at.write('plugins/a/prompts/two.md', 'new')
    assert.equal(await said(), 'changed new one')
    at.remove('plugins/a/prompts/two.md')
    assert.equal(await said(), 'changed one')
  })

test('a new module beside loaded ones is found by a plugin that reads the folder', async (t) => {
  const at = await reloading(t, project())
  at.write('plugins/a/tools/two.ts', `export const name = 'two'`)
  assert.equal((await at.reloads.next(isReplaced)).after?.surface?.description, 'prompt one two')
  at.remove('plugins/a/tools/two.ts')
  assert.equal((await at.reloads.next(isReplaced)).after?.surface?.description, 'prompt one')
})

test('what editors and tests leave beside the code builds nothing, nor does an edit of a file that nothing imports', async (t) => {
  const at = await reloading(t, { ...project(), 'plugins/a/notes.ts': '// nothing imports this' })
  const { generation } = at.host.snapshot
  for (const name of [
    '.index.ts.swp',
    '4913',
    'index.ts~',
    '#index.ts#',
    '.#index.ts',
    'index.test.ts',
    'index.spec.js',
    'README.md',
  ])
    at.write(`plugins/a/${name}`, 'not a module')
  at.write('plugins/a/notes.ts', '// edited')
  at.write('plugins/a/tools/one.ts', `export const name = 'uno'`)
  const report = await at.reloads.next()
  assert.deepEqual([report.after?.surface?.description, report.generation], ['prompt uno', generation + 1])
})

test('a pattern that leads out of the folder of the plugin is refused, with the place', async (t) => {
  const at = await reloading(t, project(`watch: ['../secrets/**'],`), { watch: false })
  const [plugin] = at.host.list().plugins
  assert.deepEqual([plugin?.state, plugin?.reason?.code], ['failed', 'PLUGIN_CONTRACT'])
  assert.match(plugin?.reason?.message ?? '', /watch\[0\] "\.\.\/secrets\/\*\*" leads out of the plugin's folder/)
})
