import { test } from 'node:test'
import { checkPlugin, toolSnapshot } from '@mcp-patchbay/plugin-api/testing'
import plugin from '../index.ts'

checkPlugin(plugin)

test('shows clients the tools that its snapshot holds', (t) => {
  t.assert.snapshot(toolSnapshot(plugin), { serializers: [String] })
})
