import assert from 'node:assert/strict'
import { test } from 'node:test'
import { demoPlugin } from '../fixtures/plugins/demo-plugin.ts'
import { httpClients, v1, v2 } from '../fixtures/http/mcp-clients.ts'
import { bearers, serveHttp } from '../fixtures/http/serving.ts'

for (const [name, connect] of Object.entries(httpClients)) {
  test(`passes progress on to ${name}`, async (t) => {
    const demo = demoPlugin()
    const { url } = await serveHttp(t, [demo.plugin])
    const client = await connect(t, url)
    const seen: string[] = []
    await client.call(
      'demo_progress',
      {},
      {
        onprogress({ progress, total, message }) {
          seen.push(`${progress}/${total} ${message}`)
          demo.release('step')
        },
      },
    )
    assert.deepEqual(seen, ['1/3 step 1', '2/3 step 2', '3/3 step 3'])
  })

  test(`aborts the tool when ${name} cancels`, async (t) => {
    const demo = demoPlugin()
    const { url, inFlight } = await serveHttp(t, [demo.plugin])
    const client = await connect(t, url)
    const started = demo.started('a')
    const aborted = demo.aborted('a')
    const cancel = new AbortController()
    const call = client.call('demo_wait', { key: 'a' }, { signal: cancel.signal })
    await started
    cancel.abort()
    await assert.rejects(call)
    await aborted
    await inFlight.idle()
    assert.equal(await client.call('demo_whoami'), 'local of nobody')
  })

  test(`sends what a tool logs to ${name}, once it asked for it`, async (t) => {
    const { url } = await serveHttp(t, [demoPlugin().plugin])
    const client = await connect(t, url)
    const heard = await client.logs()
    await client.call('demo_log')
    await heard.until('warning {"event":"a_warning","padding":""}')
    assert.deepEqual(heard.all, ['debug {"event":"a_detail","padding":""}', 'warning {"event":"a_warning","padding":""}'])
  })
}

test('aborts the tool when the client of a 2026-07-28 request goes away', async (t) => {
  const demo = demoPlugin()
  const { url, inFlight } = await serveHttp(t, [demo.plugin])
  const started = demo.started('a')
  const aborted = demo.aborted('a')
  const gone = new AbortController()
  const request = postModern(url, 1, 'demo_wait', { key: 'a' }, { signal: gone.signal })
  await started
  gone.abort()
  await assert.rejects(request)
  await aborted
  await inFlight.idle()
})

test('aborts what runs for an HTTP+SSE client whose stream ends', async (t) => {
  const demo = demoPlugin()
  const { url, inFlight } = await serveHttp(t, [demo.plugin])
  const client = await httpClients['the v1 SDK over HTTP+SSE']?.(t, url)
  const started = demo.started('a')
  const aborted = demo.aborted('a')
  const call = client?.call('demo_wait', { key: 'a' }).catch(() => 'closed')
  await started
  await client?.close()
  await aborted
  assert.equal(await call, 'closed')
  await inFlight.idle()
})

test('never mixes up fifty clients that use the same request id at the same time', async (t) => {
  const demo = demoPlugin()
  const names = Array.from({ length: 50 }, (_, index) => `caller_${index}`)
  const authenticate = bearers(Object.fromEntries(names.map((name) => [name, {}])))
  const { url } = await serveHttp(t, [demo.plugin], { deps: { authenticate } })
  const all = Promise.all(names.map((name) => demo.started(name)))
  const answers = Promise.all(
    names.map(async (name, index) => {
      const headers = { authorization: `Bearer ${name}` }
      // Every other one in a session of its own, where the first request after initialize has the same id for all.
      if (index % 2 === 0) return postModern(url, 7, 'demo_wait', { key: name }, { headers })
      return (await v1(t, url, { headers })).call('demo_wait', { key: name })
    }),
  )
  await all
  for (const name of names.toReversed()) demo.release(name)
  assert.deepEqual(
    await answers,
    names.map((name) => `waited for ${name}`),
  )
})

test('keeps callers apart over two hundred interleaved calls', async (t) => {
  const authenticate = bearers({ ada: { tenant: 'a' }, bob: { tenant: 'b' } })
  const { url } = await serveHttp(t, [demoPlugin().plugin], { deps: { authenticate } })
  const clients = await Promise.all(
    ['ada', 'bob'].flatMap((who) =>
      [v1, v2].map(async (connect) => ({ who, client: await connect(t, url, { headers: { authorization: `Bearer ${who}` } }) })),
    ),
  )
  const calls = Array.from({ length: 200 }, (_, index) => clients[index % clients.length]).map(async (one) => ({
    who: one?.who,
    said: await one?.client.call('demo_whoami'),
  }))
  for (const { who, said } of await Promise.all(calls)) assert.equal(said, who === 'ada' ? 'ada of a' : 'bob of b')
})

test('shows a request less when its headers ask for less', async (t) => {
  const config = { tools: { toolsets: { small: ['demo_echo', 'demo_delete'] } } }
  const { url } = await serveHttp(t, [demoPlugin().plugin], { config })
  for (const connect of Object.values(httpClients)) {
    const toolsets = await connect(t, url, { headers: { 'x-patchbay-toolsets': 'small' } })
    assert.deepEqual(await toolsets.tools(), ['demo_echo', 'demo_delete'])
    await assert.rejects(toolsets.call('demo_whoami'), { code: -32602, message: /Unknown tool: demo_whoami/ })
    const both = await connect(t, url, { headers: { 'x-patchbay-toolsets': 'danger , small', 'x-patchbay-read-only': 'true' } })
    assert.deepEqual(await both.tools(), ['demo_echo'])
    await assert.rejects(both.call('demo_delete'), { code: -32602, message: /Unknown tool: demo_delete/ })
  }
})

async function postModern(
  url: URL,
  id: number,
  name: string,
  args: Record<string, unknown>,
  { headers = {}, signal }: { headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<string | undefined> {
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': name,
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args, _meta: meta } }),
    ...(signal && { signal }),
  })
  const answer = (await response.json()) as { id: number; result?: { content: { text: string }[] } }
  assert.equal(answer.id, id)
  return answer.result?.content[0]?.text
}
