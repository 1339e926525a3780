import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { runPatchbay } from '../../fixtures/projects/patchbay-process.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'
import { pluginSource, tool } from '../../fixtures/projects/pinned-project.ts'

const tree = sourceTree({
  'mcp.config.json': JSON.stringify({ pluginDirs: ['./plugins'], tools: { deny: ['notes_items_drop'] } }),
  'plugins/notes/index.js': pluginSource({
    tools: [
      tool(),
      tool({ name: 'items_drop', access: 'write' }),
      tool({ name: 'items_break', run: `() => { throw new TypeError('the disk has no such page') }` }),
    ],
  }),
  'plugins/broken/index.js': `import './missing.js'\n`,
})
after(() => tree[Symbol.dispose]())
const call = (name: string) => runPatchbay(['call', name], { cwd: tree.root })

describe('patchbay call says to the operator why it goes nowhere:', { concurrency: 2 }, () => {
  for (const [name, what] of [
    ['notes_item_get', 'a letter is missing'],
    ['items_get', 'the name of the plugin is missing'],
  ] as const)
    test(`${what}, and which tool was meant`, async () => {
      const { code, stdout, stderr } = await call(name)
      assert.match(stderr, new RegExp(`^Unknown tool: ${name}; did you mean notes_items_get\\?\\nTo fix:\\n {2}1\\. `))
      assert.match(stderr, /npx mcp-patchbay list --tools/)
      assert.deepEqual([code, stdout], [1, ''])
    })

  test('a rule hides it, with the setting behind the rule', async () => {
    const { code, stderr } = await call('notes_items_drop')
    assert.match(
      stderr,
      /^notes_items_drop cannot be called: denied_by_host: .*mcp\.config\.json: tools\.allow and tools\.deny\n/,
    )
    assert.match(stderr, /npx mcp-patchbay explain notes_items_drop/)
    assert.equal(code, 1)
  })

  test('its plugin failed, with the reason and the steps of that', async () => {
    const { code, stderr } = await call('broken_items_get')
    assert.match(stderr, /^broken_items_get cannot be called: plugin_failed: .*missing\.js/)
    assert.match(stderr, /1\. Correct the path of the import/)
    assert.equal(code, 1)
  })

  test('its plugin threw, with what was thrown and where', async () => {
    const { code, stderr } = await call('notes_items_break')
    assert.match(stderr, /TypeError: the disk has no such page\n\s+at .*plugins\/notes\/index\.js:\d+:\d+/)
    assert.equal(code, 1)
  })
})
