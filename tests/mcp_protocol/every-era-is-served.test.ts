import assert from 'node:assert/strict'
import { test } from 'node:test'
import { demoPlugin } from '../fixtures/plugins/demo-plugin.ts'
import { httpClients } from '../fixtures/http/mcp-clients.ts'
import { bearers, serveHttp } from '../fixtures/http/serving.ts'

for (const [name, connect] of Object.entries(httpClients)) {
  test(`lists, calls, reads and prompts for ${name}`, async (t) => {
    const { url } = await serveHttp(t, [demoPlugin().plugin])
    const client = await connect(t, url)
    assert.deepEqual((await client.tools()).slice(0, 3), ['demo_echo', 'demo_whoami', 'demo_delete'])
    assert.deepEqual((await client.callWhole('demo_echo', { text: 'hello' })).structuredContent, { text: 'hello' })
    assert.deepEqual(await client.resources(), ['demo://readme'])
    assert.deepEqual(await client.templates(), ['demo://pages/{id}'])
    assert.equal(await client.read('demo://readme'), 'Read me')
    assert.equal(await client.read('demo://pages/7'), 'Page 7')
    assert.deepEqual(await client.prompts(), ['demo_greet', 'demo_interview'])
    assert.equal(await client.prompt('demo_greet', { who: 'Ada' }), 'Greet Ada')
    assert.deepEqual(await client.complete('demo_greet'), [])
    assert.match(client.instructions ?? '', /- demo: A demonstration/)
  })

  test(`says the same of unknown and hidden things to ${name}`, async (t) => {
    const authenticate = bearers({ ada: { permissions: [] } })
    const { url } = await serveHttp(t, [demoPlugin().plugin], { deps: { authenticate } })
    const client = await connect(t, url, { headers: { authorization: 'Bearer ada' } })
    assert.ok(!(await client.tools()).includes('demo_admin'))
    for (const tool of ['demo_admin', 'demo_nothing', '__proto__', 'constructor', 'toString', 'hasOwnProperty', '']) {
      await assert.rejects(client.call(tool), { code: -32602, message: new RegExp(`Unknown tool: ${tool}$`) })
    }
    await assert.rejects(client.read('demo://nothing'), { code: -32602, message: /Resource not found: demo:\/\/nothing/ })
    await assert.rejects(client.prompt('demo_nothing'), { code: -32602, message: /Unknown prompt: demo_nothing/ })
    await assert.rejects(client.prompt('demo_greet'), { code: -32602, message: /Invalid arguments for prompt demo_greet/ })
    await assert.rejects(client.complete('demo_nothing'), { code: -32602, message: /Unknown prompt: demo_nothing/ })
  })

  test(`answers wrong arguments with an error for the model, to ${name}`, async (t) => {
    const { url } = await serveHttp(t, [demoPlugin().plugin])
    const client = await connect(t, url)
    const answer = await client.callWhole('demo_echo', { text: 7, more: true })
    assert.equal(answer.isError, true)
    assert.match(answer.content[0]?.text ?? '', /Invalid arguments for demo_echo/)
  })
}

test('wraps an array for 2025 clients and leaves it as it is for 2026 ones', async (t) => {
  const { url } = await serveHttp(t, [demoPlugin().plugin])
  for (const [name, connect] of Object.entries(httpClients)) {
    const client = await connect(t, url)
    const expected = name.includes('2026') ? [1, 2, 3] : { result: [1, 2, 3] }
    assert.deepEqual((await client.callWhole('demo_numbers')).structuredContent, expected, name)
  }
})

test('serves 2025 clients without sessions when told to', async (t) => {
  const { url } = await serveHttp(t, [demoPlugin().plugin], { options: { sessions: { mode: 'stateless', max: 1, idleMs: 1 } } })
  for (const name of ['the v1 SDK over Streamable HTTP', 'the v2 SDK as a 2025 client', 'the v2 SDK at 2026-07-28']) {
    const client = await httpClients[name]?.(t, url)
    assert.equal(await client?.call('demo_whoami'), 'local of nobody')
  }
})

for (const version of ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']) {
  test(`agrees on ${version} with a client that asks for it`, async (t) => {
    const { url } = await serveHttp(t, [demoPlugin().plugin])
    const params = { protocolVersion: version, capabilities: {}, clientInfo: { name: 'raw', version: '1' } }
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
    })
    assert.match(await response.text(), new RegExp(`"protocolVersion":"${version}"`))
    assert.ok(response.headers.get('mcp-session-id'))
  })
}

test('names only the services that the caller sees something of', async (t) => {
  const other = demoPlugin({ description: 'Another' }).plugin
  const hidden = {
    ...other,
    name: 'hidden',
    tools: other.tools.filter(({ name }) => name === 'admin'),
    resources: [],
    prompts: [],
  }
  const authenticate = bearers({ ada: { permissions: [] }, root: { permissions: ['admin'] } })
  const { url } = await serveHttp(t, [demoPlugin().plugin, hidden], { deps: { authenticate } })
  for (const [who, sees] of [
    ['ada', false],
    ['root', true],
  ] as const) {
    for (const connect of Object.values(httpClients)) {
      const client = await connect(t, url, { headers: { authorization: `Bearer ${who}` } })
      assert.equal(client.instructions?.includes('hidden'), sees)
    }
  }
})

test('sends lists of 2026-07-28 with their lifetime, and private', async (t) => {
  const { url } = await serveHttp(t, [demoPlugin().plugin])
  for (const method of ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list', 'server/discover']) {
    const answer = await modernPost(url, method)
    assert.deepEqual([answer.result?.ttlMs, answer.result?.cacheScope], [5_000, 'private'], method)
  }
})

test('refuses a tool call whose Mcp-Param header is not that of its arguments', async (t) => {
  const { url } = await serveHttp(t, [demoPlugin().plugin])
  const params = { name: 'demo_headed', arguments: { region: 'eu' } }
  assert.equal((await modernPost(url, 'tools/call', params, { 'mcp-param-region': 'us' })).error?.code, -32020)
  assert.equal((await modernPost(url, 'tools/call', params, { 'mcp-param-region': 'eu' })).result?.content?.[0]?.text, 'eu')
})

interface RawAnswer {
  readonly result?: {
    readonly ttlMs?: number
    readonly cacheScope?: string
    readonly content?: readonly { readonly text: string }[]
  }
  readonly error?: { readonly code: number }
}

async function modernPost(
  url: URL,
  method: string,
  params: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof params['name'] === 'string' && { 'mcp-name': params['name'] }),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
  })
  return (await response.json()) as RawAnswer
}
