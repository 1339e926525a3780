import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

/** Those that look at the plugin and call it: the others import functions of it, and the upstream that the tests have. */
const SUITE = ['contract', 'published-examples', 'refusals'].map((name) => join(import.meta.dirname, `${name}.test.ts`))

test('contract, published examples and refusals are the same with the plugin in a process of its own', () => {
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--test', '--test-reporter=tap', '--conditions=@mcp-patchbay/source', ...SUITE],
    { env: { ...process.env, NODE_TEST_CONTEXT: undefined, GITHUB_TEST_ISOLATION: 'process' }, encoding: 'utf8' },
  )
  assert.equal(status, 0, stdout)
  assert.match(stdout, /^# fail 0$/m)
  assert.ok(Number(/^# pass (\d+)$/m.exec(stdout)?.[1]) > 20, stdout)
})
