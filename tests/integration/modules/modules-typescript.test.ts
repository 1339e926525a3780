import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { withoutWarningOf } from '../../../host/src/modules/experimental.ts'
import { createTypeStripper } from '../../../host/src/modules/typescript.ts'
import { moduleBench } from '../../fixtures/plugins/module-graph.ts'

test('TypeScript runs in every form Node knows: .ts, .mts, .cts, of a module and of CommonJS', async () => {
  using bench = moduleBench({
    'p/package.json': '{ "type": "module" }',
    'p/index.ts': `import a from './a.mts'\nimport b from './b.cts'\nimport c from './c.js'\nimport d from './common/d.js'\nexport const all: unknown[] = [a, b.b, c, d.d]`,
    'p/a.mts': `export default 'a' as string`,
    'p/b.cts': `exports.b = 'b' as string`,
    'p/c.ts': `export default 'c' as string`,
    'p/common/package.json': '{ "type": "commonjs" }',
    'p/common/d.ts': `exports.d = require('./e.js') as string`,
    'p/common/e.ts': `module.exports = 'e' satisfies string`,
  })
  assert.deepEqual((await bench.load('p/index.ts')).exports['all'], ['a', 'b', 'c', 'e'])
})

test('JavaScript is found before TypeScript of the same name', async () => {
  using bench = moduleBench({
    'p/index.mjs': `export { value } from './lib.mjs'`,
    'p/lib.mjs': 'export const value = 1',
    'p/lib.mts': 'export const value = 2',
  })
  assert.equal((await bench.load('p/index.mjs')).exports['value'], 1)
})

const installed = [
  [
    'a root in node_modules',
    'node_modules/plugin/index.ts',
    { 'node_modules/plugin/index.ts': '' },
    'node_modules/plugin/index.ts',
  ],
  [
    'a package of the plugin',
    'p/index.mjs',
    {
      'p/index.mjs': `import 'dep'`,
      'p/node_modules/dep/package.json': '{ "exports": "./index.ts" }',
      'p/node_modules/dep/index.ts': '',
    },
    'p/node_modules/dep/index.ts',
  ],
  [
    'a package outside the root',
    'p/index.mjs',
    {
      'p/index.mjs': `import 'dep'`,
      'node_modules/dep/package.json': '{ "exports": "./index.ts" }',
      'node_modules/dep/index.ts': '',
    },
    'node_modules/dep/index.ts',
  ],
] as const

for (const [where, entry, files, file] of installed)
  test(`TypeScript in ${where} is refused, with the file and what to do`, async () => {
    using bench = moduleBench(files)
    await assert.rejects(bench.load(entry), {
      code: 'MODULE_TYPESCRIPT_IN_PACKAGE',
      message: `${bench.path(file)} is TypeScript inside node_modules; an installed package must ship JavaScript`,
    })
  })

test('TypeScript of a linked package runs: its real path is outside node_modules', async () => {
  using bench = moduleBench({
    'p/index.mjs': `export { value } from 'dep'`,
    'dep/package.json': '{ "type": "module", "exports": "./index.ts" }',
    'dep/index.ts': 'export const value: number = 1',
  })
  bench.link('dep', 'p/node_modules/dep')
  assert.equal((await bench.load('p/index.mjs')).exports['value'], 1)
})

test('strips a file again when its content changed, and only then', () => {
  const strip = createTypeStripper()
  // Of no other run: what is stripped may be kept by its digest.
  const [one, two] = [randomUUID(), randomUUID()]
  const source = { file: '/a.ts', digest: one }
  assert.equal(strip('let a: number', source), 'let a        ')
  assert.equal(strip('never parsed', source), 'let a        ')
  assert.equal(strip('let b: number', { file: '/b.ts', digest: randomUUID() }), 'let b        ')
  assert.equal(strip('let c: number', { file: '/a.ts', digest: two }), 'let c        ')
})

test('only the warning named is swallowed', () => {
  const seen: unknown[] = []
  const { emitWarning } = Object.getOwnPropertyDescriptors(process)
  process.emitWarning = (...args: unknown[]) => void seen.push(args[0])
  try {
    const result = withoutWarningOf('this feature', () => {
      process.emitWarning('this feature is an experimental feature and might change at any time', 'ExperimentalWarning')
      process.emitWarning('that feature is an experimental feature and might change at any time', 'ExperimentalWarning')
      return 'done'
    })
    process.emitWarning('after')
    assert.deepEqual([result, seen], ['done', ['that feature is an experimental feature and might change at any time', 'after']])
  } finally {
    Object.defineProperty(process, 'emitWarning', emitWarning)
  }
})

test('a process that loads every kind of file writes nothing of its own', () => {
  const script = new URL('../../fixtures/plugins/collect-modules.ts', import.meta.url).pathname
  const { stderr, status } = spawnSync(
    process.execPath,
    ['--conditions=@mcp-patchbay/source', '--expose-gc', script, '1', 'ts'],
    { encoding: 'utf8' },
  )
  assert.deepEqual([stderr, status], ['', 0])
})
