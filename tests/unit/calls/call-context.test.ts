import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
import { createHost } from 'mcp-patchbay'

test('a plugin may take the context of a call apart', async () => {
  const plugin = definePlugin({
    name: 'apart',
    config: Type.Object({}),
    isAuthConfigured: () => true,
    createClient: () => ({}),
    tools: [
      defineTool({
        name: 'use_all',
        description: 'Uses each function by itself.',
        access: 'read',
        input: Type.Object({}),
        run(_, { requestState, progress, closeStream, log, principal }) {
          progress(1, { total: 1 })
          closeStream()
          log.info('apart')
          return `${principal.id} ${requestState<string>() ?? 'nothing'}`
        },
      }),
    ],
  })
  await using host = await createHost({ plugins: [{ use: plugin }] })
  const seen: unknown[] = []
  const answer = await host.call(
    'apart_use_all',
    {},
    {
      io: {
        requestState: 'state',
        progress: (progress) => seen.push(progress),
        closeStream: () => seen.push('closed'),
        log: (level) => seen.push(level),
      },
    },
  )
  assert.deepEqual(answer, { kind: 'result', result: { content: [{ type: 'text', text: 'local state' }] } })
  assert.deepEqual(seen, [1, 'closed', 'info'])
})
