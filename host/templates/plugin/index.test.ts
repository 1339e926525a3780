import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callTool, checkPlugin } from '@mcp-patchbay/plugin-api/testing'
import plugin from './index.ts'

checkPlugin(plugin)

test('greets a person by name', async () => {
  assert.equal(await callTool(plugin, 'people_greet', { name: 'Ada' }), '**Hello, Ada!**')
})
