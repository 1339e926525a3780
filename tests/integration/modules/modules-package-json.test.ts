import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { moduleBench } from '../../fixtures/plugins/module-graph.ts'

const withDependency = {
  'p/package.json': '{ "name": "p", "type": "module", "imports": { "#own": "./own.js" } }',
  'p/index.js': `export { value } from 'dep'\nexport { own } from '#own'`,
  'p/own.js': 'export const own = 1',
  'p/other.js': 'export const own = 2',
  'p/node_modules/dep/package.json': '{ "type": "module", "exports": "./index.js" }',
  'p/node_modules/dep/index.js': 'export const value = 1',
  'p/node_modules/dep/moved.js': 'export const value = 2',
}

test('a changed "type" counts at the next load', async () => {
  using bench = moduleBench({
    'p/package.json': '{ "type": "module" }',
    'p/index.js': `import './lib.mjs'\nexport const isModule = typeof module === 'undefined'`,
    'p/lib.mjs': '',
  })
  assert.equal((await bench.load('p/index.js')).exports['isModule'], true)
  bench.write('p/package.json', '{ "type": "commonjs" }')
  bench.write('p/index.js', `exports.isModule = typeof module === 'undefined'`)
  assert.equal((await bench.load('p/index.js')).exports['isModule'], false)
})

test('a package.json that appears, or goes, counts at the next load', async () => {
  using bench = moduleBench({ 'p/index.js': 'const isModule = this === undefined\nif (!isModule) exports.isModule = isModule' })
  assert.equal((await bench.load('p/index.js')).exports['isModule'], false)
  bench.write('p/package.json', '{ "type": "module" }')
  assert.deepEqual(Object.keys((await bench.load('p/index.js')).exports), [])
  bench.remove('p/package.json')
  assert.equal((await bench.load('p/index.js')).exports['isModule'], false)
})

const changes: readonly (readonly [what: string, path: string, content: string, changed: string])[] = [
  ['"exports" of a dependency', 'p/node_modules/dep/package.json', '{ "type": "module", "exports": "./moved.js" }', '"exports"'],
  [
    '"main" of a dependency',
    'p/node_modules/dep/package.json',
    '{ "type": "module", "exports": "./index.js", "main": "moved.js" }',
    '"main"',
  ],
  ['"imports"', 'p/package.json', '{ "name": "p", "type": "module", "imports": { "#own": "./other.js" } }', '"imports"'],
  [
    '"imports" and "exports"',
    'p/package.json',
    '{ "name": "p", "type": "module", "exports": "./index.js" }',
    '"exports" and "imports"',
  ],
]

for (const [what, path, content, changed] of changes)
  test(`a change of ${what}, which Node read once for all, requires a restart and says so`, async () => {
    using bench = moduleBench(withDependency)
    const first = await bench.load('p/index.js')
    bench.write(path, content)
    await assert.rejects(bench.load('p/index.js'), {
      code: 'MODULE_RESTART_REQUIRED',
      message: `${bench.path(path)} changed in ${changed}, which Node reads only once, so the host must restart to load the file`,
    })
    assert.deepEqual([first.exports['value'], first.exports['own']], [1, 1])
    bench.write(path, withDependency[path === 'p/package.json' ? path : 'p/node_modules/dep/package.json'])
    await bench.load('p/index.js')
  })

test('"imports" in a package.json that was not there when Node looked require a restart', async () => {
  using bench = moduleBench({ 'p/index.mjs': `export { own } from '#own'`, 'p/own.mjs': 'export const own = 1' })
  await assert.rejects(bench.load('p/index.mjs'), { code: 'ERR_PACKAGE_IMPORT_NOT_DEFINED' })
  bench.write('p/package.json', '{ "imports": { "#own": "./own.mjs" } }')
  await assert.rejects(bench.load('p/index.mjs'), { code: 'MODULE_RESTART_REQUIRED' })
})

test('a dependency required by CommonJS is compared as well', async () => {
  using bench = moduleBench({
    'p/index.cjs': `exports.value = require('dep').value`,
    'p/node_modules/dep/package.json': '{ "main": "a.js" }',
    'p/node_modules/dep/a.js': 'exports.value = 1',
    'p/node_modules/dep/b.js': 'exports.value = 2',
  })
  await bench.load('p/index.cjs')
  bench.write('p/node_modules/dep/package.json', '{ "main": "b.js" }')
  await assert.rejects(bench.load('p/index.cjs'), { code: 'MODULE_RESTART_REQUIRED' })
})

test('a link in node_modules that points elsewhere requires a restart', async () => {
  using bench = moduleBench({
    'p/index.mjs': `export { value } from 'dep'`,
    'p/store/dep@1/package.json': '{ "type": "module", "exports": "./index.js" }',
    'p/store/dep@1/index.js': 'export const value = 1',
    'p/store/dep@2/package.json': '{ "type": "module", "exports": "./index.js" }',
    'p/store/dep@2/index.js': 'export const value = 2',
  })
  bench.link('p/store/dep@1', 'p/node_modules/dep')
  assert.equal((await bench.load('p/index.mjs')).exports['value'], 1)
  bench.remove('p/node_modules/dep')
  bench.link('p/store/dep@2', 'p/node_modules/dep')
  await assert.rejects(bench.load('p/index.mjs'), {
    code: 'MODULE_RESTART_REQUIRED',
    message: new RegExp(`${bench.path('p/node_modules/dep')} changed in its target`),
  })
})

test('changes of name, version and dependencies need no restart', async () => {
  using bench = moduleBench(withDependency)
  await bench.load('p/index.js')
  bench.write(
    'p/package.json',
    '{ "name": "q", "version": "2.0.0", "dependencies": {}, "type": "module", "imports": { "#own": "./own.js" } }',
  )
  bench.write('p/node_modules/dep/package.json', '{ "version": "2.0.0", "type": "module", "exports": "./index.js" }')
  bench.write('p/node_modules/dep/index.js', 'export const value = 3')
  assert.equal((await bench.load('p/index.js')).exports['value'], 3)
})

test('a dependency installed after a failed load is found', async () => {
  using bench = moduleBench({ 'p/index.mjs': `export { value } from 'dep'` })
  await assert.rejects(bench.load('p/index.mjs'), { code: 'ERR_MODULE_NOT_FOUND' })
  bench.write('p/node_modules/dep/package.json', '{ "type": "module", "exports": "./index.js" }')
  bench.write('p/node_modules/dep/index.js', 'export const value = 1')
  assert.equal((await bench.load('p/index.mjs')).exports['value'], 1)
})

test('a half-written package.json refuses the version, with its place', async () => {
  using bench = moduleBench(withDependency)
  await bench.load('p/index.js')
  bench.write('p/package.json', '{ "name": "p",')
  await assert.rejects(bench.load('p/index.js'), {
    code: 'MODULE_SYNTAX',
    message: new RegExp(`^${bench.path('p/package.json')}:1:15 `),
  })
  bench.write('p/package.json', withDependency['p/package.json'])
  await bench.load('p/index.js')
})

test('a package.json that is too large to be one refuses the version, and a pipe is none', async () => {
  using bench = moduleBench({ 'p/index.js': 'export const value = 1', 'q/index.js': 'export const value = 2' })
  bench.write('p/package.json', `{ "name": "${'x'.repeat(1_100_000)}" }`)
  await assert.rejects(bench.load('p/index.js'), { code: 'MODULE_SYNTAX', message: /p\/package\.json .*more than the 1048576/ })
  execFileSync('mkfifo', [bench.path('q/package.json')])
  assert.equal((await bench.load('q/index.js')).exports['value'], 2)
})

test('the files of a version include the package.json that decided, and none outside the root that is missing', async () => {
  using bench = moduleBench({ ...withDependency, 'q/lib/index.js': 'exports.a = 1' })
  const { files } = await bench.load('p/index.js')
  assert.deepEqual(
    [...files].toSorted(),
    ['index.js', 'node_modules/dep/index.js', 'node_modules/dep/package.json', 'own.js', 'package.json'].map((name) =>
      bench.path(`p/${name}`),
    ),
  )
  const typeless = await bench.load('q/lib/index.js', { root: 'q' })
  assert.deepEqual(
    [...typeless.files].toSorted(),
    ['lib/index.js', 'lib/package.json', 'package.json'].map((name) => bench.path(`q/${name}`)),
  )
})
