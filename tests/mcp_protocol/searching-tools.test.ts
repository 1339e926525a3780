import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { defineTool, Type } from '@mcp-patchbay/plugin-api'
import { demoPlugin } from '../fixtures/plugins/demo-plugin.ts'
import { replyOf } from '../fixtures/projects/host-under-test.ts'
import { httpClients, stdioClients, type TestClient } from '../fixtures/http/mcp-clients.ts'
import { rawClient } from '../fixtures/http/raw-client.ts'
import { RawSession } from '../fixtures/http/raw-session.ts'
import { serveBoth, serveHttp } from '../fixtures/http/serving.ts'

const SEARCH = ['tools_search', 'tools_describe', 'tools_call']
const config = { tools: { search: { always: ['demo_whoami'] } } }

/** Finds a tool by what it does, calls it by the definition in the hit, and one that asks back. */
async function useSearch(client: TestClient): Promise<void> {
  assert.deepEqual(await client.tools(), [...SEARCH, 'demo_whoami'])
  assert.match(client.instructions ?? '', /find them with tools_search, and call them with tools_call/)
  const { structuredContent } = await client.callWhole('tools_search', { query: 'give a text back', limit: 3 })
  const { tools } = structuredContent as { tools: { name: string; inputSchema?: { required?: string[] } }[] }
  const [best] = tools
  assert.equal(best?.name, 'demo_echo')
  assert.deepEqual(best.inputSchema?.required, ['text'])
  const echoed = await client.callWhole('tools_call', { name: best.name, arguments: { text: 'hello' } })
  assert.deepEqual(echoed.structuredContent, { text: 'hello' })
  assert.deepEqual((await client.callWhole('demo_echo', { text: 'again' })).structuredContent, { text: 'again' })
  assert.match(await client.call('tools_call', { name: 'demo_echo' }), /Invalid arguments for demo_echo: `text` is missing/)
  const unknown = await client.callWhole('tools_call', { name: 'demo_nothing' })
  assert.equal(unknown.isError, true)
  assert.match(await client.call('tools_call', { name: 'demo_ask' }), /Ada/)
}

for (const [name, connect] of Object.entries(httpClients))
  test(`${name} finds and calls tools that are not listed`, async (t) => {
    const { url } = await serveHttp(t, [demoPlugin().plugin], { config })
    await useSearch(await connect(t, url, { answers: () => 'Ada' }))
  })

for (const [name, connect] of Object.entries(stdioClients))
  test(`${name} on stdio finds and calls tools that are not listed`, async (t) => {
    const args = ['--conditions=@mcp-patchbay/source', new URL('../fixtures/http/stdio-server.ts', import.meta.url).pathname]
    const command = { command: process.execPath, args: [...args, JSON.stringify(config)] }
    await useSearch(await connect(t, command, { answers: () => 'Ada' }))
  })

test('without sessions, 2025 clients find and call tools that are not listed', async (t) => {
  const { url } = await serveHttp(t, [demoPlugin().plugin], {
    config,
    options: { sessions: { mode: 'stateless', max: 10, idleMs: 1_000 } },
  })
  const ask = async (method: string, params: object): Promise<string> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-11-25',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    return response.text()
  }
  assert.match(await ask('tools/list', {}), /"tools_search"/)
  assert.match(await ask('tools/call', { name: 'tools_search', arguments: { query: 'text' } }), /demo_echo/)
  assert.match(
    await ask('tools/call', { name: 'tools_call', arguments: { name: 'demo_echo', arguments: { text: 'x' } } }),
    /"text":"x"/,
  )
})

const requests: readonly (readonly [params: object, isHot: boolean])[] = [
  [{ name: 'tools_search', arguments: { query: 'gives back' } }, true],
  [{ name: 'tools_search', arguments: { query: 'zzz' } }, true],
  [{ name: 'tools_search', arguments: {} }, true],
  [{ name: 'tools_describe', arguments: { names: ['demo_echo', 'demo_admin', 'demo_missing'] } }, true],
  [{ name: 'tools_call', arguments: { name: 'demo_echo', arguments: { text: 'x' } } }, true],
  [{ name: 'tools_call', arguments: { name: 'demo_whoami' } }, true],
  [{ name: 'tools_call', arguments: { name: 'tools_call' } }, true],
  [{ name: 'tools_call', arguments: { nam: 'demo_echo' } }, true],
  [{ name: 'tools_call', arguments: { name: 'demo_admin', arguments: {} } }, false],
  [{ name: 'tools_call', arguments: { name: 'demo_missing', arguments: {} } }, false],
  [{ name: 'tools_call', arguments: { name: 'demo_numbers' } }, false],
]

test('the three tools are answered on the fast path, as the SDK would', async (t) => {
  const { direct, sdk, taken } = await serveBoth(t, [demoPlugin().plugin], {
    config,
    deps: { authenticate: async () => ({ principal: { id: 'ada', tenant: undefined, permissions: [], kind: 'apiKey' } }) },
  })
  const [fast, slow] = [rawClient(direct), rawClient(sdk)]
  const [fastSession, slowSession] = [await RawSession.open(direct), await RawSession.open(sdk)]
  for (const [params, isHot] of requests) {
    const before = taken()
    const modern = await fast.post('tools/call', { ...params })
    const same = async (of: { text: string }, other: Promise<{ text: string }>) =>
      assert.deepEqual(replyOf(of), replyOf(await other), JSON.stringify(params))
    await same(modern, slow.post('tools/call', { ...params }))
    assert.equal(taken() > before, isHot, `2026-07-28 ${JSON.stringify(params)}`)
    const between = taken()
    const older = await fastSession.post('tools/call', { ...params }, 7)
    await same(older, slowSession.post('tools/call', { ...params }, 7))
    assert.equal(taken() > between, isHot, `2025 ${JSON.stringify(params)}`)
  }
})

test('a changed tool that is not listed changes no list; the first above the limit changes it once', async (t) => {
  const tool = (name: string) =>
    defineTool({ name, description: 'New.', access: 'read', input: Type.Object({}), run: () => 'new' })
  const first = demoPlugin().plugin
  const served = await serveHttp(t, [first], { config: { tools: { search: true } } })
  const listing = await serveHttp(t, [first], { config: { tools: { search: { above: first.tools.length } } } })
  const heard = await Promise.all(
    [served, listing].flatMap(({ url }) => Object.values(httpClients).map(async (connect) => (await connect(t, url)).changes())),
  )
  const next = demoPlugin({ extra: [tool('extra')] }).plugin
  // Sessions open their stream in the background.
  for (const { http } of [served, listing]) while (http.open.streams < Object.keys(httpClients).length) await setImmediate()
  for (const one of [served, listing]) {
    await one.publish([next])
    await one.publish([{ ...next, prompts: [] }])
  }
  await Promise.all(heard.map((one) => one.until('prompts')))
  const own = heard.slice(0, Object.keys(httpClients).length)
  for (const { all } of own) assert.deepEqual(all, ['prompts'])
  for (const { all } of heard.slice(own.length)) assert.deepEqual(all, ['tools', 'prompts'])
})
