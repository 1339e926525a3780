import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reloading, revisionPlugin } from '../../fixtures/plugins/reloading.ts'

const isReplaced = ({ outcome }: { readonly outcome: string }) => outcome === 'replaced'

/** Counts how often each package was evaluated, and says where a package was called from as `bindings` finds it out. */
const packages = {
  'plugins/a/package.json': JSON.stringify({ name: 'a', type: 'module', dependencies: { esm: '1', cjs: '1' } }),
  'plugins/a/node_modules/esm/package.json': JSON.stringify({
    name: 'esm',
    version: '1.0.0',
    type: 'module',
    exports: './index.js',
  }),
  'plugins/a/node_modules/esm/index.js': `import { typebox } from './uses-host.js'\nglobalThis.ownPackages.push('esm 1')\nexport const name = 'esm 1'\nexport { typebox }`,
  'plugins/a/node_modules/esm/uses-host.js': `export { Type as typebox } from 'typebox'`,
  'plugins/a/node_modules/cjs/package.json': JSON.stringify({ name: 'cjs', version: '1.0.0', main: './index.js' }),
  'plugins/a/node_modules/cjs/index.js': `globalThis.ownPackages.push('cjs 1')\nexports.name = 'cjs 1'\nexports.site = require('call-site')()`,
  'plugins/a/node_modules/call-site/index.js': `module.exports = () => {
  const prepare = Error.prepareStackTrace
  Error.prepareStackTrace = (_, sites) => sites.map((site) => site.getFileName())
  const files = new Error().stack
  Error.prepareStackTrace = prepare
  return files.find((file) => file !== __filename)
}`,
}
const plugin = (revision: number) =>
  revisionPlugin('a', revision, {
    head: `import { name, typebox } from 'esm'\nimport { Type as ours } from 'typebox'\nimport cjs from 'cjs'`,
    rest: `description: [name, cjs.name, cjs.site, typebox.Object === ours.Object].join(' | '),`,
  })

test('packages of a plugin are kept between its versions until a file of theirs changes, and know their files', async (t) => {
  const evaluated: string[] = []
  Object.assign(globalThis, { ownPackages: evaluated })
  const at = await reloading(t, { ...packages, 'plugins/a/index.ts': plugin(1) })
  const site = at.path('plugins/a/node_modules/cjs/index.js')
  const described = () => at.host.snapshot.plugins[0]?.surface?.description
  assert.equal(described(), `esm 1 | cjs 1 | ${site} | true`)
  for (const revision of [2, 3]) {
    at.write('plugins/a/index.ts', plugin(revision))
    await at.reloads.next(isReplaced)
    assert.equal(await at.call('a_rev'), String(revision))
  }
  assert.deepEqual(evaluated, ['esm 1', 'cjs 1'])

  for (const edition of [2, 3]) {
    at.write(
      'plugins/a/node_modules/esm/index.js',
      packages['plugins/a/node_modules/esm/index.js'].replaceAll('esm 1', `esm ${edition}`),
    )
    await at.reloads.next(isReplaced)
    assert.equal(described(), `esm ${edition} | cjs 1 | ${site} | true`)
  }
  const before = [...evaluated]
  at.write('plugins/a/index.ts', plugin(4))
  await at.reloads.next(isReplaced)
  assert.deepEqual([await at.call('a_rev'), evaluated], ['4', before])
})

test('a linked package of a workspace is source: each version has its own, and an edit reloads', async (t) => {
  const evaluated: string[] = []
  Object.assign(globalThis, { ownPackages: evaluated })
  const at = await reloading(t, {
    'packages/lib/package.json': JSON.stringify({ name: 'lib', type: 'module', exports: './index.ts' }),
    'packages/lib/index.ts': `globalThis.ownPackages.push('lib'); export const lib: string = 'one'`,
    'plugins/a/index.ts': `export default {}`,
  })
  at.link('packages/lib', 'plugins/a/node_modules/lib')
  at.write('plugins/a/index.ts', revisionPlugin('a', 1, { head: `import { lib } from 'lib'`, rest: 'description: lib,' }))
  await at.reloads.next(({ after }) => after?.surface?.description === 'one')
  at.write('packages/lib/index.ts', `globalThis.ownPackages.push('lib'); export const lib: string = 'two'`)
  await at.reloads.next(({ after }) => after?.surface?.description === 'two')
  assert.deepEqual(evaluated, ['lib', 'lib'])
})
