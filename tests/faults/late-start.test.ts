import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin, Type, type ServicePlugin } from '@mcp-patchbay/plugin-api'
import { createHost, createLogger } from 'mcp-patchbay'
import { createFeed } from '../fixtures/http/feed.ts'

interface Line {
  readonly event: string
  readonly error?: { readonly message: string }
}

test('a plugin whose start comes too late is disposed, and what that throws goes to the log', async () => {
  const lines = createFeed<Line>()
  const late = Promise.withResolvers<AsyncDisposable>()
  const plugin = definePlugin({
    name: 'late',
    config: Type.Object({}),
    isAuthConfigured: () => true,
    createClient: () => ({}),
    start: () => late.promise,
    tools: [],
  }) as ServicePlugin
  const log = createLogger({
    level: 'warn',
    format: 'json',
    destination: { write: (line) => lines.push(JSON.parse(line) as Line) },
  })
  await using host = await createHost(
    { plugins: [{ use: plugin }], limits: { loadTimeoutMs: 1 } },
    { env: {}, log, patienceMs: Infinity },
  )
  assert.match(host.list().plugins[0]?.reason?.message ?? '', /did not finish starting within 1 ms/)
  late.resolve({ [Symbol.asyncDispose]: () => Promise.reject(new Error('the queue is gone')) })
  const { error } = await lines.next(({ event }) => event === 'plugin_dispose_failed')
  assert.equal(error?.message, 'the queue is gone')
})
