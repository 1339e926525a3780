import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { test } from 'node:test'
import type { ReadFile } from '../../../host/src/modules/types.ts'
import { moduleBench } from '../../fixtures/plugins/module-graph.ts'

const manifest = (name: string, type: 'module' | 'commonjs') => JSON.stringify({ name, type, version: '1.0.0', main: 'index.js' })
const files = {
  'plugin/package.json': '{ "type": "module" }',
  'plugin/index.js': `import { own } from './own.js'
import esm from 'esm-package'
import common from 'common-package'
import { createRequire } from 'node:module'
export const lazy = () => import('./lazy.js')
export const required = createRequire(import.meta.url)('./required.cjs')
export default [own, esm, common]\n`,
  'plugin/own.js': 'export const own = 1\n',
  'plugin/lazy.js': `export { default } from 'late-package'\n`,
  'plugin/required.cjs': `module.exports = require('./data.json')\n`,
  'plugin/data.json': '{ "value": 1 }',
  'node_modules/esm-package/package.json': manifest('esm-package', 'module'),
  'node_modules/esm-package/index.js': `export { default } from './inner.js'\n`,
  'node_modules/esm-package/inner.js': 'export default 2\n',
  'node_modules/common-package/package.json': manifest('common-package', 'commonjs'),
  'node_modules/common-package/index.js': `module.exports = require('./inner.js')\n`,
  'node_modules/common-package/inner.js': 'module.exports = 3\n',
  'node_modules/late-package/package.json': manifest('late-package', 'module'),
  'node_modules/late-package/index.js': 'export default 4\n',
}

test('judges the bytes of every file that runs, own and of packages, also those that are imported late', async () => {
  const seen = new Map<string, ReadFile>()
  using bench = moduleBench(files, { admit: (read) => void seen.set(read.file, read) })
  const { exports } = await bench.load<{ default: unknown; lazy: () => Promise<unknown> }>('plugin/index.js')
  assert.deepEqual(exports.default, [1, 2, 3])
  await exports.lazy()
  const judged = [...seen.values()].map(({ file, once }) => `${once ? 'once ' : ''}${relative(bench.root, file)}`)
  assert.deepEqual(judged.toSorted(), [
    'once node_modules/common-package/index.js',
    'once node_modules/common-package/inner.js',
    'once node_modules/esm-package/index.js',
    'once node_modules/esm-package/inner.js',
    'once node_modules/late-package/index.js',
    'plugin/data.json',
    'plugin/index.js',
    'plugin/lazy.js',
    'plugin/own.js',
    'plugin/required.cjs',
  ])
  for (const { file, digest } of seen.values()) assert.equal(digest, hash('sha256', readFileSync(file)), file)
})

const judged = Object.keys(files).filter((file) => !file.endsWith('package.json') && !/lazy|late/.test(file))
for (const refused of judged)
  test(`does not evaluate what depends on ${refused} when it is refused`, async () => {
    using bench = moduleBench(files, {
      admit({ file }) {
        if (file.endsWith(refused)) throw new Error(`refused ${refused}`)
      },
    })
    await assert.rejects(bench.load('plugin/index.js'), { message: `refused ${refused}` })
  })

for (const refused of ['plugin/lazy.js', 'node_modules/late-package/index.js'])
  test(`refuses ${refused} when it is imported at last, and serves on without it`, async () => {
    using bench = moduleBench(files, {
      admit({ file }) {
        if (file.endsWith(refused)) throw new Error(`refused ${refused}`)
      },
    })
    const { exports } = await bench.load<{ default: unknown; lazy: () => Promise<unknown> }>('plugin/index.js')
    await assert.rejects(exports.lazy(), { message: `refused ${refused}` })
    assert.deepEqual(exports.default, [1, 2, 3])
  })
