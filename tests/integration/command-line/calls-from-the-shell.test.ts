import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { runPatchbay } from '../../fixtures/projects/patchbay-process.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

const plugin = `import { definePlugin, defineTool, elicit, inputRequired, Type } from '@mcp-patchbay/plugin-api'
export default definePlugin({
  name: 'jobs', description: 'Jobs', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}),
  tools: [
    defineTool({
      name: 'import_run', description: 'Imports', access: 'read', input: Type.Object({}), permissions: ['jobs:run'],
      run: (_, { progress, principal }) => {
        progress(1, { total: 2, message: 'half' })
        progress(2, { total: 2 })
        return principal.id
      },
    }),
    defineTool({
      name: 'name_ask', description: 'Asks', access: 'read', interactive: true, input: Type.Object({}),
      run: (_, { inputResponses, clientCapabilities }) =>
        inputResponses === undefined
          ? inputRequired({ requests: { who: elicit('Who?', { type: 'object', properties: { name: { type: 'string' } } }) }, state: {} })
          : String(inputResponses.who?.content?.name) + Object.keys(clientCapabilities),
    }),
  ],
})
`
const tree = sourceTree({
  'mcp.config.json': JSON.stringify({ pluginDirs: ['./plugins'] }),
  'plugins/jobs/index.js': plugin,
  'ada.json': '{ "id": "ada", "permissions": ["jobs:run"] }',
  'bob.json': '{ "id": "bob" }',
})
after(() => tree[Symbol.dispose]())
const call = (...args: readonly string[]) => runPatchbay(['call', ...args], { cwd: tree.root })

describe('patchbay call', { concurrency: 2 }, () => {
  test('shows progress and the time of the layers on stderr, and calls as the caller of --as', async () => {
    const { code, stdout, stderr } = await call('jobs_import_run', '--as', 'ada.json', '--trace')
    assert.deepEqual([code, stdout], [0, 'ada\n'])
    assert.match(
      stderr,
      /^1\/2 {2}half\n2\/2\nLAYER +MS\nconfig and plugins +\d+\.\d\nrate.*\ncache and plugin .*\nthe way back .*\nok +\d/,
    )
  })

  test('says why the caller of --as cannot call it', async () => {
    const { code, stdout, stderr } = await call('jobs_import_run', '--as', 'bob.json')
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /^jobs_import_run cannot be called: permission: .*jobs:run/)
  })

  test('refuses a question where there is no terminal, and says how to answer it', async () => {
    const { code, stdout, stderr } = await call('jobs_name_ask')
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(
      stderr,
      /^jobs_name_ask asks a question that cannot be answered here: there is no terminal to ask on \(who\)\nTo fix:\n {2}1\. /,
    )
  })
})
