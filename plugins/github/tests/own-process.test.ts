import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

/** Those that call the plugin; the others look at its definitions and at functions of it. */
const SUITE = ['published-examples', 'contents', 'pages', 'refusals', 'allowed-repositories'].map((name) =>
  join(import.meta.dirname, `${name}.test.ts`),
)

test('every test that calls the plugin passes with the plugin in a process of its own', () => {
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--test', '--test-reporter=tap', '--conditions=@mcp-patchbay/source', ...SUITE],
    { env: { ...process.env, NODE_TEST_CONTEXT: undefined, GITHUB_TEST_ISOLATION: 'process' }, encoding: 'utf8' },
  )
  assert.equal(status, 0, stdout)
  assert.match(stdout, /^# fail 0$/m)
  assert.ok(Number(/^# pass (\d+)$/m.exec(stdout)?.[1]) > 20, stdout)
})
