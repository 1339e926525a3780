import assert from 'node:assert/strict'
import { test } from 'node:test'
import { moduleBench, type Bench } from '../../fixtures/plugins/module-graph.ts'

interface Plugin {
  readonly shared: { readonly value: number }
}

/** Two plugins, `a` and `b`, that import shared/index.mjs, which imports shared/deep.mjs, whose value is 1. */
function twoPlugins(): Bench {
  return moduleBench({
    'a/index.mjs': `export { shared } from '../shared/index.mjs'`,
    'b/index.mjs': `export { shared } from '../shared/index.mjs'\nexport const lazy = async () => (await import('../shared/lazy.mjs')).lazy`,
    'shared/index.mjs': `import { value } from './deep.mjs'\nexport const shared = { value }`,
    'shared/deep.mjs': 'export const value = 1',
    'shared/lazy.mjs': 'export const lazy = 1',
  })
}

test('an unchanged file outside the roots is one instance for every plugin and every version', async () => {
  using bench = twoPlugins()
  const [a, b, a2] = [
    await bench.load<Plugin>('a/index.mjs'),
    await bench.load<Plugin>('b/index.mjs'),
    await bench.load<Plugin>('a/index.mjs'),
  ]
  assert.equal(a.exports.shared, b.exports.shared)
  assert.equal(a.exports.shared, a2.exports.shared)
})

test('a changed file outside the roots is new for each plugin at its next load, once for all; old versions keep the old one', async () => {
  using bench = twoPlugins()
  const [a, b] = [await bench.load<Plugin>('a/index.mjs'), await bench.load<Plugin>('b/index.mjs')]
  bench.write('shared/deep.mjs', 'export const value = 2')
  const [a2, b2] = [await bench.load<Plugin>('a/index.mjs'), await bench.load<Plugin>('b/index.mjs')]
  assert.deepEqual(
    [a, b, a2, b2].map(({ exports }) => exports.shared.value),
    [1, 1, 2, 2],
  )
  assert.equal(a2.exports.shared, b2.exports.shared)
})

test('the files of a plugin name the shared file and what it imports, and no file of the other plugin', async () => {
  using bench = twoPlugins()
  const [a, b] = [await bench.load('a/index.mjs'), await bench.load('b/index.mjs')]
  const paths = (names: readonly string[]): string[] => names.map((name) => bench.path(name))
  assert.deepEqual([...a.files].toSorted(), paths(['a/index.mjs', 'shared/deep.mjs', 'shared/index.mjs']))
  assert.deepEqual([...b.files].toSorted(), paths(['b/index.mjs', 'shared/deep.mjs', 'shared/index.mjs']))
})

test('a shared file that is imported lazily joins the files, and stays with the version that imported it', async () => {
  using bench = twoPlugins()
  interface Lazy {
    readonly lazy: () => Promise<number>
  }
  const first = await bench.load<Lazy>('b/index.mjs')
  assert.ok(!first.files.has(bench.path('shared/lazy.mjs')))
  assert.equal(await first.exports.lazy(), 1)
  assert.ok(first.files.has(bench.path('shared/lazy.mjs')))
  bench.write('shared/lazy.mjs', 'export const lazy = 2')
  const second = await bench.load<Lazy>('b/index.mjs')
  assert.deepEqual([await second.exports.lazy(), await first.exports.lazy()], [2, 1])
})

test('a lazy import of a shared module makes it stale when that file changes', async () => {
  using bench = moduleBench({
    'a/index.mjs': `export { lazy, made } from '../shared.mjs'`,
    'shared.mjs': `export const made = {}\nexport const lazy = async () => (await import('./leaf.mjs')).leaf`,
    'leaf.mjs': 'export const leaf = 1',
  })
  interface Lazy {
    readonly made: object
    readonly lazy: () => Promise<number>
  }
  const first = await bench.load<Lazy>('a/index.mjs')
  assert.equal(await first.exports.lazy(), 1)
  bench.write('leaf.mjs', 'export const leaf = 2')
  const second = await bench.load<Lazy>('a/index.mjs')
  assert.notEqual(second.exports.made, first.exports.made)
  assert.deepEqual([await first.exports.lazy(), await second.exports.lazy()], [1, 2])
})

test('files outside the roots that import each other are new together', async () => {
  using bench = moduleBench({
    'a/index.mjs': `export { one } from '../one.mjs'`,
    'one.mjs': `import { two } from './two.mjs'\nexport const value = 1\nexport const one = () => two()`,
    'two.mjs': `import { value } from './one.mjs'\nexport const two = () => [value, 'first']`,
  })
  interface One {
    readonly one: () => unknown
  }
  const first = await bench.load<One>('a/index.mjs')
  bench.write('two.mjs', `import { value } from './one.mjs'\nexport const two = () => [value, 'second']`)
  const second = await bench.load<One>('a/index.mjs')
  assert.deepEqual(
    [first.exports.one(), second.exports.one()],
    [
      [1, 'first'],
      [1, 'second'],
    ],
  )
})

test('shared JSON and CommonJS follow the same rule', async () => {
  using bench = moduleBench({
    'a/index.mjs': `import common from '../common.cjs'\nexport { common }`,
    'b/index.cjs': `exports.common = require('../common.cjs')`,
    'common.cjs': `exports.data = require('./data.json')`,
    'data.json': '{ "value": 1 }',
  })
  interface Common {
    readonly common: { readonly data: { readonly value: number } }
  }
  const [a, b] = [await bench.load<Common>('a/index.mjs'), await bench.load<Common>('b/index.cjs')]
  assert.equal(a.exports.common, b.exports.common)
  bench.write('data.json', '{ "value": 2 }')
  const [a2, b2] = [await bench.load<Common>('a/index.mjs'), await bench.load<Common>('b/index.cjs')]
  assert.equal(a2.exports.common, b2.exports.common)
  assert.deepEqual([b.exports.common.data.value, b2.exports.common.data.value], [1, 2])
})

test('a shared file is let go with the last version that uses it', async () => {
  using bench = twoPlugins()
  const [a, b] = [await bench.load<Plugin>('a/index.mjs'), await bench.load<Plugin>('b/index.mjs')]
  assert.deepEqual([bench.graph.status.versions, bench.graph.status.shared], [2, 2])
  a.release()
  a.release()
  assert.deepEqual([bench.graph.status.versions, bench.graph.status.shared], [1, 2])
  b.release()
  assert.deepEqual([bench.graph.status.versions, bench.graph.status.shared], [0, 0])
  assert.notEqual((await bench.load<Plugin>('a/index.mjs')).exports.shared, a.exports.shared)
})

test('plugins loaded at the same time share what they share', async () => {
  using bench = twoPlugins()
  const [a, b] = await Promise.all([bench.load<Plugin>('a/index.mjs'), bench.load<Plugin>('b/index.mjs')])
  assert.equal(a.exports.shared, b.exports.shared)
})
