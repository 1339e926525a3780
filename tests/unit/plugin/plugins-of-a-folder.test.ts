// Which folders and files of `pluginDirs` are entries, now and while something of them is away.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { discoverEntries, type KnownFolder } from '../../../host/src/plugin/source/discover.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

function found(files: Readonly<Record<string, string>>) {
  const tree = sourceTree(files)
  const log = fakeLog()
  const known = new Map<string, KnownFolder>()
  const uses = () =>
    discoverEntries({ plugins: [], pluginDirs: ['plugins'] }, { configDir: tree.root, log, known }).map(({ use }) => use)
  return { ...tree, uses, log }
}

test('a plugin whose module is away stays an entry as long as its folder is there', () => {
  using at = found({ 'plugins/a/index.ts': '', 'plugins/b.ts': '', 'plugins/c/notes.txt': '' })
  const both = ['./plugins/a', './plugins/b.ts']
  assert.deepEqual(at.uses(), both)
  at.remove('plugins/a/index.ts')
  assert.deepEqual([at.uses(), at.uses()], [both, both])
  at.remove('plugins/a')
  at.remove('plugins/b.ts')
  assert.deepEqual(at.uses(), [])
})

test('a folder of plugins that does not exist has none, and that is nothing to warn of', () => {
  using at = found({ 'plugins/a/index.ts': '' })
  assert.equal(at.uses().length, 1)
  at.remove('plugins')
  assert.deepEqual([at.uses(), at.log.lines], [[], []])
})

test('a folder of plugins that cannot be read has what it had, with a warning', () => {
  using at = found({ 'plugins/a.ts': '' })
  assert.deepEqual(at.uses(), ['./plugins/a.ts'])
  at.remove('plugins')
  // A file cannot be listed, whoever runs the test.
  at.write('plugins', '')
  assert.deepEqual(at.uses(), [])
  assert.deepEqual(
    at.log.lines.map(({ event }) => event),
    ['plugin_dir_unreadable'],
  )
})
