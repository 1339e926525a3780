import assert from 'node:assert/strict'
import { test } from 'node:test'
import { normalizeEntry } from '../../../host/src/config/schema/schema.ts'
import { noCapabilities } from '../../../host/src/pin/capabilities.ts'
import { execCommand, npmCommand } from '../../../host/src/plugin/mcp-server/process/server-command.ts'

const args = ['--key=${KEY}', '${KEY}${LEVEL}', '${OTHER}', '$KEY', '${constructor}']
const env = { KEY: 'a b', LEVEL: 'debug' }
const of = {
  instance: 'files',
  config: {},
  capabilities: noCapabilities,
  configDir: '/project',
  env: { OTHER: 'of the host' },
  heapMb: 64,
}
const expected = ['--key=a b', 'a bdebug', '${OTHER}', '$KEY', '${constructor}']

test('an argument holds a variable of the entry by its name, and no other one', () => {
  const npm = npmCommand(
    { folder: '/tree', entryFile: '/tree/run.js' },
    { ...of, entry: normalizeEntry({ use: 'mcp:npm:x', args, env }) },
  )
  assert.deepEqual(npm.args.slice(npm.args.indexOf('/tree/run.js') + 1), expected)
  const command = ['/bin/run', '${LEVEL}']
  const exec = execCommand({ ...of, entry: normalizeEntry({ use: 'mcp:exec', command, args, env }) })
  assert.deepEqual(exec.args, ['debug', ...expected])
})
