import assert from 'node:assert/strict'
import { test } from 'node:test'
import { moduleBench } from '../../fixtures/plugins/module-graph.ts'

interface Kind {
  readonly name: string
  readonly entry: string
  /** The file that changes, and what it holds with the value in it. */
  readonly changes: readonly [path: string, content: (value: number) => string]
  readonly files: Readonly<Record<string, string>>
}

const kinds: readonly Kind[] = [
  { name: 'the entry', entry: 'p/index.mjs', changes: ['p/index.mjs', (value) => `export const value = ${value}`], files: {} },
  {
    name: 'an imported module',
    entry: 'p/index.mjs',
    changes: ['p/lib/deep.mjs', (value) => `export const value = ${value}`],
    files: { 'p/index.mjs': `export { value } from './lib/middle.mjs'`, 'p/lib/middle.mjs': `export * from './deep.mjs'` },
  },
  {
    name: 'a TypeScript module',
    entry: 'p/index.ts',
    changes: ['p/lib.ts', (value) => `export const value: number = ${value}`],
    files: { 'p/index.ts': `import { value, type Missing } from './lib.ts'\nexport { value }\nexport type { Missing }` },
  },
  {
    name: 'a TypeScript module imported under its JavaScript name',
    entry: 'p/index.ts',
    changes: ['p/lib.ts', (value) => `export const value: number = ${value}`],
    files: { 'p/index.ts': `export { value } from './lib.js'` },
  },
  {
    name: 'imported JSON',
    entry: 'p/index.mjs',
    changes: ['p/data.json', (value) => `{ "value": ${value} }`],
    files: { 'p/index.mjs': `import data from './data.json' with { type: 'json' }\nexport const { value } = data` },
  },
  {
    name: 'a module with top-level await',
    entry: 'p/index.mjs',
    changes: ['p/slow.mjs', (value) => `export const value = await Promise.resolve(${value})`],
    files: { 'p/index.mjs': `export { value } from './slow.mjs'` },
  },
  {
    name: 'a module in a cycle',
    entry: 'p/index.mjs',
    changes: [
      'p/b.mjs',
      (value) => `import { a } from './a.mjs'\nexport const b = () => ${value}\nexport const ab = () => a() + b()`,
    ],
    files: {
      'p/a.mjs': `import { b } from './b.mjs'\nexport const a = () => b()`,
      'p/index.mjs': `import { a } from './a.mjs'\nimport './b.mjs'\nexport const value = a()`,
    },
  },
  {
    name: 'a dynamically imported module',
    entry: 'p/index.mjs',
    changes: ['p/lazy.mjs', (value) => `export const value = ${value}`],
    files: { 'p/index.mjs': `export const { value } = await import('./lazy.mjs')` },
  },
  { name: 'a CommonJS entry', entry: 'p/index.cjs', changes: ['p/index.cjs', (value) => `exports.value = ${value}`], files: {} },
  {
    name: 'an imported CommonJS module',
    entry: 'p/index.mjs',
    changes: ['p/lib.cjs', (value) => `exports.value = ${value}`],
    files: { 'p/index.mjs': `export { value } from './lib.cjs'` },
  },
  {
    name: 'a CommonJS module required by one that is imported',
    entry: 'p/index.mjs',
    changes: ['p/deep/index.js', (value) => `exports.value = ${value}`],
    files: { 'p/index.mjs': `export { value } from './lib.cjs'`, 'p/lib.cjs': `module.exports = require('./deep')` },
  },
  {
    name: 'required JSON',
    entry: 'p/index.cjs',
    changes: ['p/data.json', (value) => `{ "value": ${value} }`],
    files: { 'p/index.cjs': `exports.value = require('./data').value` },
  },
  {
    name: 'an ES module required by CommonJS',
    entry: 'p/index.cjs',
    changes: ['p/lib.mjs', (value) => `export default 0\nexport const value = ${value}`],
    files: { 'p/index.cjs': `exports.value = require('./lib.mjs').value` },
  },
  {
    name: 'a CommonJS module required by createRequire',
    entry: 'p/index.mjs',
    changes: ['p/lib.cjs', (value) => `exports.value = ${value}`],
    files: {
      'p/index.mjs': `import { createRequire } from 'node:module'\nexport const { value } = createRequire(import.meta.url)('./lib.cjs')`,
    },
  },
  {
    name: 'an ES module of its own node_modules',
    entry: 'p/index.mjs',
    changes: ['p/node_modules/dep/lib.js', (value) => `export const value = ${value}`],
    files: {
      'p/index.mjs': `export { value } from 'dep'`,
      'p/node_modules/dep/package.json': '{ "type": "module", "exports": "./index.js" }',
      'p/node_modules/dep/index.js': `export * from './lib.js'`,
    },
  },
  {
    name: 'a CommonJS module of its own node_modules',
    entry: 'p/index.mjs',
    changes: ['p/node_modules/dep/lib.js', (value) => `exports.value = ${value}`],
    files: {
      'p/index.mjs': `import dep from 'dep'\nexport const { value } = dep`,
      'p/node_modules/dep/package.json': '{ "main": "index" }',
      'p/node_modules/dep/index.js': `module.exports = require('./lib')`,
    },
  },
  {
    name: 'a file in a folder without package.json',
    entry: 'p/index.js',
    changes: ['p/lib.js', (value) => `export const value = ${value}`],
    files: { 'p/index.js': `export { value } from './lib.js'` },
  },
]

for (const { name, entry, changes, files } of kinds)
  test(`a new version has the change of ${name}, the version before keeps what it had`, async () => {
    const [path, content] = changes
    using bench = moduleBench({ ...files, [path]: content(1) })
    const first = await bench.load<{ value: number }>(entry)
    bench.write(path, content(2))
    const second = await bench.load<{ value: number }>(entry)
    assert.deepEqual([first.exports.value, second.exports.value], [1, 2])
    assert.ok(second.files.has(bench.path(path)))
  })

test('a lazy import of an old version stays in the old version, after newer ones were loaded', async () => {
  using bench = moduleBench({
    'p/index.mjs': `export { byRequire, byImportInCommonJs } from './lazy.cjs'\nexport const byImport = async () => (await import('./leaf.mjs')).leaf`,
    'p/lazy.cjs': `exports.byRequire = () => require('./leaf.cjs').leaf\nexports.byImportInCommonJs = async () => (await import('./leaf.mjs')).leaf`,
  })
  const leaves = (value: number): void => {
    bench.write('p/leaf.mjs', `export const leaf = ${value}`)
    bench.write('p/leaf.cjs', `exports.leaf = ${value}`)
  }
  interface Lazy {
    readonly byRequire: () => number
    readonly byImport: () => Promise<number>
    readonly byImportInCommonJs: () => Promise<number>
  }
  const ask = async ({ byRequire, byImport, byImportInCommonJs }: Lazy): Promise<number[]> => [
    byRequire(),
    await byImport(),
    await byImportInCommonJs(),
  ]

  leaves(1)
  const first = await bench.load<Lazy>('p/index.mjs')
  assert.deepEqual(await ask(first.exports), [1, 1, 1])
  leaves(2)
  const second = await bench.load<Lazy>('p/index.mjs')
  assert.deepEqual(await ask(second.exports), [2, 2, 2])
  leaves(3)
  assert.deepEqual(await ask(first.exports), [1, 1, 1])
  assert.deepEqual(await ask(second.exports), [2, 2, 2])
  assert.ok(first.files.has(bench.path('p/leaf.cjs')) && first.files.has(bench.path('p/leaf.mjs')))
})

test('an import and a require of one CommonJS file are one module within a version', async () => {
  using bench = moduleBench({
    'p/index.mjs': `import { createRequire } from 'node:module'\nimport lib from './lib.cjs'\nexport const same = createRequire(import.meta.url)('./lib.cjs') === lib`,
    'p/lib.cjs': `module.exports = { made: {} }`,
  })
  assert.equal((await bench.load('p/index.mjs')).exports['same'], true)
})

test('CommonJS runs as it was read for the version, though the file became an ES module before it ran', async () => {
  using bench = moduleBench({
    'p/index.mjs': `import './write.mjs'\nimport { createRequire } from 'node:module'\nimport late from './late.js'\nexport const read = [late, createRequire(import.meta.url)('./late.js')]`,
    'p/late.js': `module.exports = 'as it was linked'`,
    'p/write.mjs': `import { writeFileSync } from 'node:fs'\nwriteFileSync(new URL('late.js', import.meta.url), 'export default "as it is now"')`,
  })
  const first = await bench.load('p/index.mjs')
  assert.deepEqual(first.exports['read'], ['as it was linked', 'as it was linked'])
})

test('an import of CommonJS has the names Node would give it, through re-exports', async () => {
  using bench = moduleBench({
    'p/index.mjs': `export * as lib from './lib.cjs'`,
    'p/lib.cjs': `#!/usr/bin/env node\n'use strict'\nmodule.exports = require('./inner.js')`,
    'p/inner.js': `exports.a = 1\nexports['b-c'] = 2\nObject.defineProperty(exports, '__esModule', { value: true })\nexports.default = 3\nif (false) exports.absent = 4`,
  })
  const { lib } = (await bench.load<{ lib: Record<string, unknown> }>('p/index.mjs')).exports
  const native: Record<string, unknown> = await import(bench.path('p/lib.cjs'))
  assert.deepEqual(Object.keys(lib), Object.keys(native))
  assert.deepEqual({ ...lib }, { ...native })
})

test('require gives of an ES module what Node gives', async () => {
  using bench = moduleBench({
    'p/index.cjs': `exports.results = ['./a.mjs', './b.mjs', './c.mjs', './a.mjs'].map((id) => require(id))`,
    'p/a.mjs': `export default 'a'\nexport let count = 0\nexport const increment = () => ++count`,
    'p/b.mjs': `export const b = 1`,
    'p/c.mjs': `const whole = { c: true }\nexport { whole as 'module.exports' }`,
  })
  interface Counter {
    readonly count: number
    readonly increment: () => number
  }
  const { results } = (await bench.load<{ results: [Counter, object, object, Counter] }>('p/index.cjs')).exports
  const [a, b, c, again] = results
  assert.deepEqual({ ...a, increment: 0 }, { __esModule: true, default: 'a', count: 0, increment: 0 })
  assert.deepEqual([{ ...b }, c, again === a], [{ b: 1 }, { c: true }, true])
  a.increment()
  assert.equal(again.count, 1)
})

test('a cycle of CommonJS files sees what is exported so far, and each runs once', async () => {
  using bench = moduleBench({
    'p/a.cjs': `exports.early = 1\nexports.b = require('./b.cjs')\nexports.late = 2`,
    'p/b.cjs': `exports.seen = { ...require('./a.cjs') }`,
  })
  const { b, late } = (await bench.load<{ b: { seen: object }; late: number }>('p/a.cjs')).exports
  assert.deepEqual([b.seen, late], [{ early: 1 }, 2])
})

test('a CommonJS module has the module object and require of Node', async () => {
  using bench = moduleBench({
    'p/index.cjs':
      `exports.facts = [__filename === module.filename, __dirname, module.id, module.loaded, this === exports, require.resolve('./lib.cjs'),\n` +
      `  require('fs') === process.getBuiltinModule('fs'), Object.keys(require.cache), module.paths[0], typeof require.extensions['.js'], module.children.length]\nexports.module = module\nrequire('./lib.cjs')`,
    'p/lib.cjs': '',
  })
  const { facts, module } = (await bench.load<{ facts: unknown[]; module: NodeJS.Module }>('p/index.cjs')).exports
  const file = bench.path('p/index.cjs')
  assert.deepEqual(facts, [
    true,
    bench.path('p'),
    file,
    false,
    true,
    bench.path('p/lib.cjs'),
    true,
    [file],
    bench.path('p/node_modules'),
    'function',
    0,
  ])
  assert.deepEqual(
    [module.loaded, module.children.map(({ id }) => id), module.constructor.name],
    [true, [bench.path('p/lib.cjs')], 'Module'],
  )
})

test('a CommonJS file that became a folder is found there', async () => {
  using bench = moduleBench({ 'p/index.cjs': `exports.value = require('./lib').value`, 'p/lib.js': 'exports.value = 1' })
  assert.equal((await bench.load('p/index.cjs')).exports['value'], 1)
  bench.remove('p/lib.js')
  bench.write('p/lib/index.js', 'exports.value = 2')
  assert.equal((await bench.load('p/index.cjs')).exports['value'], 2)
})

test('JSON keeps a key named __proto__, imported and required', async () => {
  using bench = moduleBench({
    'p/index.mjs': `import data from './data.json' with { type: 'json' }\nimport { createRequire } from 'node:module'\nexport { data }\nexport const required = createRequire(import.meta.url)('./data.json')`,
    'p/data.json': '{ "__proto__": 1 }',
  })
  const { data, required } = (await bench.load<{ data: object; required: object }>('p/index.mjs')).exports
  assert.deepEqual([Object.keys(data), Object.keys(required)], [['__proto__'], ['__proto__']])
})

test('JSON imported without its attribute is refused as Node refuses it', async () => {
  using bench = moduleBench({ 'p/index.mjs': `import './data.json'`, 'p/data.json': '{}' })
  await assert.rejects(bench.load('p/index.mjs'), { code: 'ERR_IMPORT_ATTRIBUTE_MISSING' })
})

test('import.meta tells the real place of a module', async () => {
  using bench = moduleBench({
    'p/index.mjs':
      `import { fileURLToPath } from 'node:url'\nimport { readFileSync } from 'node:fs'\nexport const facts = [fileURLToPath(import.meta.url), import.meta.filename, import.meta.dirname,\n` +
      `  fileURLToPath(import.meta.resolve('./lib.mjs')), import.meta.resolve('node:fs'), readFileSync(new URL('./asset.txt', import.meta.url), 'utf8')]\n` +
      `export const byUrl = (await import(import.meta.resolve('./lib.mjs'))).made === (await import('./lib.mjs')).made`,
    'p/lib.mjs': 'export const made = {}',
    'p/asset.txt': 'asset',
  })
  const { facts, byUrl } = (await bench.load('p/index.mjs')).exports
  const file = bench.path('p/index.mjs')
  assert.deepEqual(facts, [file, file, bench.path('p'), bench.path('p/lib.mjs'), 'node:fs', 'asset'])
  assert.equal(byUrl, true)
})

test('a query of the plugin makes another module, as in Node', async () => {
  using bench = moduleBench({
    'p/index.mjs': `import * as a from './lib.mjs?a'\nimport * as b from './lib.mjs?b#c'\nexport const urls = [a.url, b.url].map((url) => new URL(url))`,
    'p/lib.mjs': `export const url = import.meta.url`,
  })
  const { urls } = (await bench.load<{ urls: URL[] }>('p/index.mjs')).exports
  assert.deepEqual(
    urls.map(({ searchParams }) => [...searchParams.keys()][0]),
    ['a', 'b'],
  )
  assert.equal(urls[1]?.hash, '#c')
})

test('a symlinked root is loaded from, and known by, its real path', async () => {
  using bench = moduleBench({ 'real/index.mjs': `export { value } from './lib.mjs'`, 'real/lib.mjs': 'export const value = 1' })
  bench.link('real', 'linked/plugin')
  const { exports, files } = await bench.load('linked/plugin/index.mjs')
  assert.equal(exports['value'], 1)
  assert.deepEqual(
    [...files].filter((file) => file.endsWith('.mjs')),
    [bench.path('real/index.mjs'), bench.path('real/lib.mjs')],
  )
})

test('a link among the files of a plugin is followed to where it points now', async () => {
  using bench = moduleBench({
    'p/index.mjs': `export { value } from './current/lib.mjs'`,
    'p/one/lib.mjs': 'export const value = 1',
    'p/two/lib.mjs': 'export const value = 2',
  })
  bench.link('p/one', 'p/current')
  assert.equal((await bench.load('p/index.mjs')).exports['value'], 1)
  bench.remove('p/current')
  bench.link('p/two', 'p/current')
  assert.equal((await bench.load('p/index.mjs')).exports['value'], 2)
})

test('a root inside a node_modules is evaluated again, its neighbours there are shared with the process', async () => {
  using bench = moduleBench({
    'node_modules/plugin/package.json': '{ "type": "module" }',
    'node_modules/plugin/index.js': `export { made } from 'neighbour'\nexport { value } from './lib.js'`,
    'node_modules/plugin/lib.js': 'export const value = 1',
    'node_modules/neighbour/package.json': '{ "type": "module", "exports": "./index.js" }',
    'node_modules/neighbour/index.js': 'export const made = {}',
  })
  const first = await bench.load('node_modules/plugin/index.js')
  bench.write('node_modules/plugin/lib.js', 'export const value = 2')
  const second = await bench.load('node_modules/plugin/index.js')
  assert.deepEqual([first.exports['value'], second.exports['value']], [1, 2])
  assert.equal(first.exports['made'], second.exports['made'])
  assert.ok(![...second.files].some((file) => file.includes('neighbour/index.js')))
})

test('state of a module, such as a closed client, does not pass from version to version', async () => {
  using bench = moduleBench({
    'p/index.mjs': `import { client } from './client.mjs'\nexport const close = () => client.close()\nexport const isOpen = () => client.open`,
    'p/client.mjs': `export const client = { open: true, close() { this.open = false } }`,
  })
  interface Client {
    readonly close: () => void
    readonly isOpen: () => boolean
  }
  const first = await bench.load<Client>('p/index.mjs')
  const second = await bench.load<Client>('p/index.mjs')
  first.exports.close()
  assert.deepEqual([first.exports.isOpen(), second.exports.isOpen()], [false, true])
})

test('a single file is a root of its own', async () => {
  using bench = moduleBench({
    'a.mjs': `export { shared } from './shared.mjs'`,
    'b.mjs': `export { shared } from './shared.mjs'`,
    'shared.mjs': 'export const shared = {}',
  })
  const a = await bench.load('a.mjs', { root: 'a.mjs' })
  const b = await bench.load('b.mjs', { root: 'b.mjs' })
  assert.equal(a.exports['shared'], b.exports['shared'])
})

test('two graphs in one process load the same file without seeing each other', async () => {
  using bench = moduleBench({ 'p/index.mjs': 'export const made = {}' })
  using other = moduleBench()
  const first = await bench.load('p/index.mjs')
  const { exports } = await other.graph.load(bench.path('p/index.mjs'), { root: bench.path('p'), timeoutMs: 60_000 })
  assert.notEqual(first.exports['made'], Reflect.get(exports, 'made'))
  other.graph[Symbol.dispose]()
  assert.ok((await bench.load('p/index.mjs')).exports['made'])
})

test('CommonJS and ES modules require each other to any depth, as in Node', async () => {
  using bench = moduleBench({
    'p/index.mjs': `import { createRequire } from 'node:module'\nexport const { v } = createRequire(import.meta.url)('./m.mjs')`,
    'p/m.mjs': `import d from './d.cjs'\nexport const v = ['m', ...d.v]`,
    'p/d.cjs': `module.exports = { v: ['d', ...require('./e.mjs').v] }`,
    'p/e.mjs': `import f from './f.cjs'\nexport const v = ['e', ...f]`,
    'p/f.cjs': `module.exports = [...require('./g.mjs').default, ...require('./g.mjs').default]`,
    'p/g.mjs': `export default ['g']`,
  })
  assert.deepEqual((await bench.load('p/index.mjs')).exports['v'], ['m', 'd', 'e', 'g', 'g'])
})
