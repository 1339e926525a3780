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

test('a log line that cannot be read fails no call', async () => {
  const hostile = { get: () => assert.fail('read') }
  const plugin = definePlugin({
    name: 'telling',
    config: Type.Object({}),
    isAuthConfigured: () => true,
    createClient: () => ({}),
    tools: [
      defineTool({
        name: 'all_tell',
        description: 'Logs what cannot be read.',
        access: 'read',
        input: Type.Object({}),
        run(_, { log }) {
          log.info('getter', Object.defineProperty({}, 'a', { enumerable: true, ...hostile }))
          log.info('json', { toJSON: hostile.get, big: 1n })
          log.child(Object.defineProperty({}, 'a', { enumerable: true, ...hostile })).info('child')
          return 'told'
        },
      }),
    ],
  })
  await using host = await createHost({ plugins: [{ use: plugin }] })
  const io = { log: (_: unknown, data: unknown) => void seen.push(data) }
  const seen: unknown[] = []
  const answer = await host.call('telling_all_tell', {}, { io })
  assert.deepEqual(answer, { kind: 'result', result: { content: [{ type: 'text', text: 'told' }] } })
  assert.deepEqual(seen, ['getter', 'json', 'child'])
})
