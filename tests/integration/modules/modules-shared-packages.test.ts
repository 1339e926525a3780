import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin } from '@mcp-patchbay/plugin-api'
import { checkPlugin } from '@mcp-patchbay/plugin-api/testing'
import typebox from 'typebox'
import values from 'typebox/value'
import { moduleBench } from '../../fixtures/plugins/module-graph.ts'

interface Seen {
  readonly definePlugin: unknown
  readonly checkPlugin: unknown
  readonly Type: unknown
  readonly Value: unknown
}

const host: Seen = { definePlugin, checkPlugin, Type: typebox, Value: values }
const byImport = `export { definePlugin } from '@mcp-patchbay/plugin-api'
export { checkPlugin } from '@mcp-patchbay/plugin-api/testing'
export { default as Type } from 'typebox'
export { default as Value } from 'typebox/value'`
const byRequire = `exports.definePlugin = require('@mcp-patchbay/plugin-api').definePlugin
exports.checkPlugin = require('@mcp-patchbay/plugin-api/testing').checkPlugin
exports.Type = require('typebox').default
exports.Value = require('typebox/value').default`
const wrongCopy = {
  'p/node_modules/@mcp-patchbay/plugin-api/package.json':
    '{ "type": "module", "exports": { "./*": "./index.js", ".": "./index.js" } }',
  'p/node_modules/@mcp-patchbay/plugin-api/index.js': 'export const definePlugin = 0, checkPlugin = 0',
}

const plugins: readonly (readonly [who: string, entry: string, files: Readonly<Record<string, string>>])[] = [
  ['one ES module dropped anywhere', 'p.mjs', { 'p.mjs': byImport }],
  ['one TypeScript file dropped anywhere', 'p.ts', { 'p.ts': byImport }],
  ['one CommonJS file dropped anywhere', 'p.cjs', { 'p.cjs': byRequire }],
  [
    'a file with createRequire',
    'p.mjs',
    {
      'p.mjs': `import { createRequire } from 'module'\nconst require = createRequire(import.meta.url)\nconst exports = {}\n${byRequire}\nexport const { definePlugin, checkPlugin, Type, Value } = exports`,
    },
  ],
  ['a plugin with a copy of its own', 'p/index.mjs', { ...wrongCopy, 'p/index.mjs': byImport }],
  ['a shared file outside the root', 'p/index.mjs', { 'p/index.mjs': `export * from '../shared.mjs'`, 'shared.mjs': byImport }],
  [
    'an ES module of its node_modules',
    'p/index.mjs',
    {
      'p/index.mjs': `export * from 'kit'`,
      'p/node_modules/kit/package.json': '{ "type": "module", "exports": "./kit.js" }',
      'p/node_modules/kit/kit.js': byImport,
    },
  ],
  [
    'an installed package outside the root, and what that imports',
    'p/index.mjs',
    {
      'p/index.mjs': `export * from 'kit'`,
      'node_modules/kit/package.json': '{ "type": "module", "exports": "./kit.js" }',
      'node_modules/kit/kit.js': `export * from 'inner'`,
      'node_modules/inner/package.json': '{ "type": "module", "exports": "./inner.js" }',
      'node_modules/inner/inner.js': byImport,
    },
  ],
  [
    'an installed CommonJS package outside the root',
    'p/index.mjs',
    {
      'p/index.mjs': `import kit from 'kit'\nexport const { definePlugin, checkPlugin, Type, Value } = kit`,
      'node_modules/kit/package.json': '{ "main": "kit.js" }',
      'node_modules/kit/kit.js': byRequire,
    },
  ],
  [
    'an installed CommonJS package outside the root that CommonJS requires, and what that requires',
    'p/index.cjs',
    {
      'p/index.cjs': `module.exports = { ...require('kit') }`,
      'node_modules/kit/package.json': '{ "main": "kit.js" }',
      'node_modules/kit/kit.js': `module.exports = require('./inner')`,
      'node_modules/kit/inner.js': byRequire,
    },
  ],
]

for (const [who, entry, files] of plugins)
  test(`${who} gets the host's copy of what is shared`, async () => {
    using bench = moduleBench(files)
    const { exports } = await bench.load<Seen & { default?: Seen }>(entry, { root: entry.includes('/') ? 'p' : entry })
    const seen = exports.default ?? exports
    for (const key of ['definePlugin', 'checkPlugin', 'Type', 'Value'] as const) assert.equal(seen[key], host[key], key)
  })

test("resolves a shared package to the host's copy", async () => {
  using bench = moduleBench({
    'p/index.mjs': `import { createRequire } from 'node:module'\nexport const urls = [import.meta.resolve('typebox'), createRequire(import.meta.url).resolve('typebox')]`,
  })
  const { urls } = (await bench.load<{ urls: string[] }>('p/index.mjs')).exports
  assert.deepEqual(urls, [import.meta.resolve('typebox'), import.meta.resolve('typebox').slice('file://'.length)])
})

test('a package that is neither shared nor installed is missing, as in Node', async () => {
  using bench = moduleBench({ 'p/index.mjs': `import 'not-installed'` })
  await assert.rejects(bench.load('p/index.mjs'), { code: 'ERR_MODULE_NOT_FOUND' })
})
