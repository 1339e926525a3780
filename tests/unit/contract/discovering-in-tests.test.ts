import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin, defineTool, toolResult, Type, type HttpClient } from '@mcp-patchbay/plugin-api'
import { callTool, discover, fakeHttp, toolSnapshot } from '@mcp-patchbay/plugin-api/testing'

const plugin = definePlugin({
  name: 'shop',
  config: Type.Object({ apiUrl: Type.String({ default: 'https://shop.example' }) }),
  isAuthConfigured: () => true,
  createClient: ({ http }) => http,
  tools: [defineTool({ name: 'about_get', description: 'Itself.', access: 'read', input: Type.Object({}), run: () => 'about' })],
  discover: async ({ http, config }) => ({
    tools: (await http.json<string[]>('/operations')).map((name) =>
      defineTool({
        name,
        description: `Of ${config.apiUrl}.`,
        access: 'read',
        input: Type.Object({}),
        run: async (_, { client }: { client: HttpClient }) =>
          toolResult({ content: await client.text(`/${name}`), structuredContent: { name } }),
      }),
    ),
  }),
})

test('the test kit discovers as the host does, and calls what was found', async () => {
  const http = fakeHttp([
    { method: 'GET', path: '/operations', json: ['orders_list'] },
    { method: 'GET', path: '/orders_list', text: 'none' },
  ])
  const whole = await discover(plugin, { http })
  assert.deepEqual(
    whole.tools.map(({ name }) => name),
    ['about_get', 'orders_list'],
  )
  assert.equal(await callTool(whole, 'about_get'), 'about')
  const { content, structuredContent } = await callTool<ReturnType<typeof toolResult>>(whole, 'orders_list', {}, { http })
  assert.deepEqual(content, [{ type: 'text', text: 'none' }])
  assert.deepEqual(structuredContent, { name: 'orders_list' })
  assert.notDeepEqual(toolSnapshot(whole), toolSnapshot(plugin))
})
