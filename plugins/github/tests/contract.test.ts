import { test } from 'node:test'
import { checkPlugin, toolSnapshot } from '@mcp-patchbay/plugin-api/testing'
import here from '../index.ts'
import { describedByItsProcess } from './isolated.ts'

const isApart = process.env['GITHUB_TEST_ISOLATION'] === 'process'

// Calls functions of the plugin: of one in its own process the host checks what that process says of it.
if (!isApart) checkPlugin(here)

test('shows clients the tools that its snapshot holds', async (t) => {
  const plugin = isApart ? await describedByItsProcess() : here
  t.assert.snapshot(toolSnapshot(plugin), { serializers: [String] })
})
