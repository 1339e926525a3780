import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { createHost, type EmbeddedEntry, type Host } from 'mcp-patchbay'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'

const CANARY = 'canary-8d02c6e1f4'

/** A package with a dependency, as npm installs them. */
const FILES = {
  'node_modules/mcp-echo/package.json': JSON.stringify({
    name: 'mcp-echo',
    version: '1.2.3',
    type: 'module',
    exports: './index.js',
    dependencies: { shout: '1.0.0' },
  }),
  'node_modules/mcp-echo/index.js': `
    import { definePlugin, defineTool, hasCredential, Secret, ServiceError, Type } from '@mcp-patchbay/plugin-api'
    import shout from 'shout'
    const empty = Type.Object({})
    export default definePlugin({
      name: 'echo',
      config: Type.Object({ apiUrl: Type.String(), apiKey: Type.Optional(Secret()) }),
      isAuthConfigured: hasCredential,
      createClient: ({ http }) => http,
      tools: [
        defineTool({ name: 'text', description: 'Say it louder', access: 'read', input: Type.Object({ text: Type.String() }),
          run: ({ text }, { progress }) => { progress(1, { total: 2, message: 'half' }); return shout(text) } }),
        defineTool({ name: 'value', description: 'A value', access: 'read', input: empty, output: Type.Object({ of: Type.String() }),
          run: (_, { config, cache }) => cache.wrap('of', { ttlMs: 60_000 }, async () => ({ of: config.apiKey + '!' })) }),
        defineTool({ name: 'fetch', description: 'Ask the service', access: 'read', input: Type.Object({ path: Type.String() }),
          run: async ({ path }, { client }) => JSON.stringify(await client.json(path, { query: { q: 'x' } })) }),
        defineTool({ name: 'send', description: 'Send, which a tool that reads may not', access: 'read', input: empty,
          run: (_, { client }) => client.text('/things', { method: 'POST', body: { a: 1 } }) }),
        defineTool({ name: 'refuse', description: 'Fail', access: 'read', input: empty,
          run: () => { throw new ServiceError('NOT_FOUND', 'there is no such thing', { fix: 'Ask for another' }) } }),
      ],
    })`,
  'node_modules/shout/package.json': JSON.stringify({ name: 'shout', version: '1.0.0', main: 'shout.cjs' }),
  'node_modules/shout/shout.cjs': `module.exports = (text) => text.toUpperCase()`,
}

/** CommonJS beside a node_modules that Node looks into first, and in vain. */
const COMMONJS = {
  'apps/node_modules/other/package.json': '{"name":"other"}',
  'apps/common/package.json': JSON.stringify({ name: 'common', version: '1.0.0', dependencies: { shout: '1.0.0' } }),
  'apps/common/index.js': `
    const { definePlugin, defineTool, Type } = require('@mcp-patchbay/plugin-api')
    const shout = require('shout')
    module.exports = definePlugin({
      name: 'common', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}),
      tools: [defineTool({ name: 'text_get', description: 'Say it', access: 'read', input: Type.Object({}), run: () => shout(require('./words.js').word) })],
    })`,
  'apps/common/words.js': `exports.word = 'common'`,
  // In a folder of its publisher, where Node looks for a folder of packages first.
  'node_modules/@acme/loud/package.json': JSON.stringify({
    name: '@acme/loud',
    version: '1.0.0',
    type: 'module',
    exports: './index.js',
    dependencies: { shout: '1.0.0' },
  }),
  'node_modules/@acme/loud/index.js': `
    import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
    import shout from 'shout'
    export default definePlugin({
      name: 'loud', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}),
      tools: [defineTool({ name: 'text_get', description: 'Say it', access: 'read', input: Type.Object({}), run: () => shout('loud') })],
    })`,
  'node_modules/shout/package.json': FILES['node_modules/shout/package.json'],
  'node_modules/shout/shout.cjs': FILES['node_modules/shout/shout.cjs'],
}

async function hostWith(t: TestContext, entry: Partial<EmbeddedEntry> = {}): Promise<Host> {
  const service = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ url: request.url, key: request.headers['x-api-key'] }))
  })
  service.listen(0, '127.0.0.1')
  await once(service, 'listening')
  t.after(() => service.close())
  const { port } = service.address() as AddressInfo
  const files = sourceTree(FILES)
  t.after(() => files[Symbol.dispose]())
  const host = await createHost(
    { plugins: [{ use: 'mcp-echo', config: { apiUrl: `http://127.0.0.1:${port}` }, ...entry }] },
    { file: join(files.root, 'mcp.config.ts'), env: { ECHO_API_KEY: CANARY }, patienceMs: Infinity },
  )
  t.after(() => host.close())
  return host
}

async function textOf(host: Host, tool: string, input: unknown = {}): Promise<string> {
  const answer = await host.call(tool, input)
  assert.equal(answer.kind, 'result')
  const [first] = answer.kind === 'result' ? answer.result.content : []
  return first?.type === 'text' ? first.text : ''
}

test('runs a package from npm in a process of its own, with its dependencies', async (t) => {
  const host = await hostWith(t)
  const [plugin] = host.list().plugins
  assert.deepEqual([plugin?.state, plugin?.isolation, plugin?.version], ['active', 'process', '1.2.3'])
  assert.equal(await textOf(host, 'echo_text', { text: 'hello' }), 'HELLO')
})

for (const isolation of ['inline', 'process'] as const) {
  test(`answers the same from the same files with isolation ${isolation}`, async (t) => {
    const host = await hostWith(t, { isolation })
    const steps: unknown[] = []
    await host.call('echo_text', { text: 'a' }, { io: { progress: (...step) => steps.push(step) } })
    assert.deepEqual(steps, [[1, { total: 2, message: 'half' }]])
    assert.equal(await textOf(host, 'echo_value'), '{"of":"[secret]!"}')
    // The service got the key and said it back; the plugin and the caller do not see it.
    assert.equal(await textOf(host, 'echo_fetch', { path: '/a' }), '{"url":"/a?q=x","key":"[redacted]"}')
    assert.match(await textOf(host, 'echo_send'), /was not sent: it may write, and this call may only read/)
    assert.match(await textOf(host, 'echo_refuse'), /there is no such thing[^]*Ask for another/)
  })
}

test('finds the dependency of a process of its own behind folders of packages that lack it, and reports no refusal', async (t) => {
  const files = sourceTree(COMMONJS)
  t.after(() => files[Symbol.dispose]())
  const plugins = ['./common', '@acme/loud'].map((use) => ({ use, isolation: 'process' as const }))
  const log = fakeLog()
  const host = await createHost({ plugins }, { file: files.path('apps/mcp.config.json'), env: {}, patienceMs: Infinity, log })
  t.after(() => host.close())
  assert.equal(await textOf(host, 'common_text_get'), 'COMMON')
  assert.equal(await textOf(host, 'loud_text_get'), 'LOUD')
  // Where Node looks on its way there nobody has asked for.
  assert.doesNotMatch(JSON.stringify(log.lines), /plugin_access_denied/)
})
