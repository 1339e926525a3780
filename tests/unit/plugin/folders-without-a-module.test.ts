import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HostError } from '../../../host/src/errors.ts'
import { resolvePlugin } from '../../../host/src/plugin/source/resolve-entry.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

test('a folder without its module is told from one that is not there, with what its package.json names', () => {
  using tree = sourceTree({
    'plugins/empty/notes.txt': '',
    'plugins/unbuilt/package.json':
      '{ "exports": { ".": { "types": "./dist/a.d.ts", "import": "./dist/a.js" } }, "main": "./main.js" }',
    'node_modules/@acme/unbuilt/package.json': '{ "name": "@acme/unbuilt", "exports": "./dist/index.js" }',
  })
  for (const [use, message, fix] of [
    ['./plugins/none', /was not found in \S+none$/, /^Fix the path/],
    ['@acme/none', /was not found in \S+node_modules$/, /^Install it: npx mcp-patchbay add @acme\/none$/],
    ['./plugins/empty', /has no module in \S+empty: it has no index file and no package\.json/, /^Fix the path/],
    [
      './plugins/unbuilt',
      /has no module in \S+unbuilt: its package\.json names \.\/dist\/a\.js, \.\/main\.js, which is not there$/,
      /^Build it, or correct exports in \S+unbuilt.package\.json$/,
    ],
    ['@acme/unbuilt', /has no module in \S+unbuilt: its package\.json names \.\/dist\/index\.js/, /^As the author .*build it/],
  ] as const)
    assert.throws(
      () => resolvePlugin({ use, instance: 'p' }, tree.root),
      (error) => {
        assert.ok(error instanceof HostError)
        assert.equal(error.code, 'PLUGIN_NOT_FOUND')
        assert.match(error.message, message)
        assert.match(error.fix[0] ?? '', fix)
        return true
      },
    )
})
