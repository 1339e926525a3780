import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHost } from 'mcp-patchbay'
import { hostUnderTest } from '../../fixtures/projects/host-under-test.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

/** Runs when anything imports it, which nothing may. */
const TRAP = `globalThis.trapped = import.meta.url; export default {}`

/** What could lead out of the folder of the config, or to the network. `root` stands for the absolute path of the folder above it. */
const refused = [
  '../outside.mjs',
  './../outside.mjs',
  './plugins/../../outside.mjs',
  'root/outside.mjs',
  '/etc/passwd',
  'file:///etc/passwd',
  'file://root/outside.mjs',
  'http://127.0.0.1:9/plugin.mjs',
  'https://example.com/plugin.mjs',
  'data:text/javascript,globalThis.trapped = 1',
  'node:fs',
  'blob:nodedata:1',
  '@scope/../../outside',
  '@acme/jira/../../../outside',
  'jira/../../outside.mjs',
  'outside.mjs\0.ts',
  './plugins/jira\0',
  '..\\outside.mjs',
  '~/outside.mjs',
  '',
]

for (const use of refused)
  test(`${JSON.stringify(use)} is refused and never imported`, async (t) => {
    using tree = sourceTree({ 'outside.mjs': TRAP, 'project/plugins/jira/index.mjs': TRAP, 'project/node_modules/.keep': '' })
    const specifier = use.replace('root', tree.root)
    const file = tree.path('project/mcp.config.json')
    const opened = hostUnderTest(t, [specifier], { file })
    const problem = await opened.then(
      ({ host }) => {
        const [plugin] = host.list().plugins
        assert.equal(plugin?.state, 'failed')
        assert.match(plugin.reason?.code ?? '', /^PLUGIN_(?:SPECIFIER|NOT_FOUND)$/)
        return plugin.reason
      },
      (error: { code: string; fix: readonly string[] }) => {
        assert.equal(error.code, 'CONFIG_INVALID')
        return error
      },
    )
    assert.notEqual(problem?.fix.length, 0)
    assert.equal(Reflect.get(globalThis, 'trapped'), undefined)
  })

test('a module of Node is not a plugin', async (t) => {
  using tree = sourceTree({ 'project/node_modules/.keep': '' })
  const { host } = await hostUnderTest(t, ['fs', 'inspector'], { file: tree.path('project/mcp.config.json') })
  assert.deepEqual(
    host.list().plugins.map(({ state, reason }) => [state, reason?.code]),
    [
      ['failed', 'PLUGIN_NOT_FOUND'],
      ['failed', 'PLUGIN_NOT_FOUND'],
      ['active', undefined],
    ],
  )
})

test('a package that the config does not name is not loaded, however near its name is', async () => {
  using tree = sourceTree({
    'project/node_modules/mcp-jirra/package.json': JSON.stringify({
      name: 'mcp-jirra',
      version: '1.0.0',
      exports: './index.mjs',
    }),
    'project/node_modules/mcp-jirra/index.mjs': TRAP,
  })
  await using host = await createHost({ plugins: ['mcp-jira'] }, { file: tree.path('project/mcp.config.json') })
  assert.deepEqual(
    host.list().plugins.map(({ state, reason }) => [state, reason?.code]),
    [['failed', 'PLUGIN_NOT_FOUND']],
  )
  assert.equal(Reflect.get(globalThis, 'trapped'), undefined)
})
