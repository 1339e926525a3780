import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { makeKey } from '../../../host/src/auth/inbound/keys/api-key.ts'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import type { EntryConfig } from '../../../host/src/config/schema/schema.ts'
import { createHost } from '../../../host/src/host.ts'
import type { Host } from '../../../host/src/types.ts'
import { httpClients, v1, v2, type TestClient } from '../../fixtures/http/mcp-clients.ts'

const root = join(import.meta.dirname, '../../..')
const command = (name: string) => [process.execPath, join('tests/fixtures/servers', `${name}-server.mjs`)]
const people = ['ada', 'bob']
/** One of each era, and one whose questions come over another stream. */
const asked = {
  'a client of 2025': v1,
  'a client of 2026-07-28': v2,
  'a client of 2024': httpClients['the v1 SDK over HTTP+SSE'] ?? v1,
}
const keys = new Map(people.map((id) => [id, makeKey(id)]))
const keyOf = (id: string) => keys.get(id)?.key ?? ''
let host: Host
let url: URL
let metrics: URL

const configWith = (more: Partial<EntryConfig> = {}) =>
  resolveConfig({
    plugins: [
      { use: 'mcp:exec', as: 'legacy', command: command('legacy'), share: 'caller', maxProcesses: 16, ...more },
      { use: 'mcp:exec', as: 'modern', command: command('modern'), share: 'caller', maxProcesses: 16 },
      { use: 'mcp:exec', as: 'few', command: command('legacy'), share: 'session', maxProcesses: 1, roots: ['./tests'] },
    ],
    auth: {
      inbound: {
        mode: 'apiKey',
        keys: people.map((id) => ({ id, hash: keys.get(id)?.hash ?? '', scopes: [] })),
      },
    },
  })

before(async () => {
  const env = { PATH: process.env['PATH'] }
  host = await createHost(configWith(), { file: join(root, 'mcp.config.ts'), env, log: fakeLog(), patienceMs: Infinity })
  const opened = await host.listen({ http: { port: 0 }, management: { port: 0 } })
  url = new URL(opened.url ?? '')
  metrics = new URL('/metrics', opened.managementUrl)
})
after(() => host.close({ graceMs: 0 }))

type Connect = (typeof httpClients)[string]
const as = (t: TestContext, who: string, { connect = v1, answer = who }: { connect?: Connect; answer?: string } = {}) =>
  connect(t, url, { headers: { authorization: `Bearer ${keyOf(who)}` }, answers: () => answer })
const said = async (client: TestClient, name: string) => JSON.parse(await client.call(name)) as Record<string, unknown>

for (const [name, connect] of Object.entries(asked)) {
  test(`a server of 2025 asks ${name} in the middle of a call`, async (t) => {
    const client = await as(t, 'ada', { connect })
    const { action, content } = await said(client, 'legacy_ask')
    assert.deepEqual([action, content], ['accept', { name: 'ada' }])
    assert.equal(await client.call('legacy_ask_twice'), '["ada","ada"]')
    assert.equal(await client.call('legacy_sample'), '{"type":"text","text":"Paris"}')
    assert.equal(await client.call('legacy_roots'), '{"roots":[{"uri":"file:///here"}]}')
  })

  test(`a server of 2026-07-28 asks ${name}, and its state comes back to it`, async (t) => {
    const client = await as(t, 'ada', { connect })
    assert.deepEqual(await said(client, 'modern_ask'), { who: { name: 'ada' }, state: 'of the server' })
  })
}

for (const server of ['legacy_ask', 'modern_ask'])
  test(`${server}: of several callers at once each is asked for itself`, async (t) => {
    const clients = await Promise.all(
      people.flatMap((who) => [v1, v2].map(async (connect) => ({ who, client: await as(t, who, { connect }) }))),
    )
    const answers = await Promise.all(
      [...clients, ...clients].map(async ({ who, client }) => ({ who, answer: JSON.stringify(await said(client, server)) })),
    )
    for (const { who, answer } of answers) assert.match(answer, new RegExp(`"name":"${who}"`), who)
    if (server !== 'legacy_ask') return
    const pids = await Promise.all(
      clients.map(async ({ who, client }) => ({ who, ...(await said(client, 'legacy_environment')) })),
    )
    const owners = Map.groupBy(pids as { who: string; pid: number }[], ({ pid }) => pid)
    for (const [pid, of] of owners) assert.equal(new Set(of.map(({ who }) => who)).size, 1, `${pid} serves one caller`)
  })

test('a client that cannot be asked is not said to be one that can', async (t) => {
  const client = await v1(t, url, { headers: { authorization: `Bearer ${keyOf('ada')}` } })
  assert.match(await client.call('legacy_ask'), /does not support form elicitation/i)
})

test('roots of the config are told to the server, and no caller is asked for its own', async (t) => {
  const client = await as(t, 'ada')
  assert.deepEqual(JSON.parse(await client.call('few_roots')), {
    roots: [{ uri: `file://${join(root, 'tests')}`, name: 'tests' }],
  })
})

test('a server that has a process for each session says when there are none left', async (t) => {
  const first = await as(t, 'ada')
  const cancel = new AbortController()
  const busy = first.call('few_wait', {}, { signal: cancel.signal })
  await first.call('few_echo', { text: 'the process is there' })
  const second = await as(t, 'bob')
  assert.match(await second.call('few_echo', { text: 'x' }), /Other callers use all 1 processes/)
  cancel.abort()
  await assert.rejects(busy)
})

interface Posted {
  readonly result?: {
    readonly requestState?: string
    readonly inputRequests?: object
    readonly content?: readonly { text?: string }[]
  }
  readonly error?: { readonly message: string }
}

/** One request of 2026-07-28, by hand: what a client does with a question is the test's. */
async function post(who: string, params: Record<string, unknown>): Promise<Posted> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${keyOf(who)}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': String(params['name']),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        ...params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {}, url: {} } },
        },
      },
    }),
  })
  const text = await response.text()
  return JSON.parse(text.includes('data: ') ? (text.split('data: ').at(-1) ?? '') : text) as Posted
}

const named = (key: string, name: string) => ({ inputResponses: { [key]: { action: 'accept', content: { name } } } })
const ask = { name: 'legacy_ask', arguments: {} }

const waiting = async () => {
  const [, count] = /^patchbay_server_calls_waiting\{plugin="legacy"\} (\d+)$/m.exec(await (await fetch(metrics)).text()) ?? []
  return Number(count)
}

test('a call that waits is its callers alone, is answered once, and runs once', async () => {
  const before = await waiting()
  const { requestState } = (await post('ada', ask)).result ?? {}
  assert.ok(requestState)
  assert.equal(await waiting(), before + 1)
  assert.match((await post('bob', { ...ask, ...named('question1', 'bob'), requestState })).error?.message ?? '', /requestState/)
  const { result } = await post('ada', { ...ask, ...named('question1', 'Ada'), requestState })
  assert.match(result?.content?.[0]?.text ?? '', /"name":"Ada"/)
  assert.equal(await waiting(), before)
  const again = await post('ada', { ...ask, ...named('question1', 'Ada'), requestState })
  assert.match(again.result?.content?.[0]?.text ?? '', /The answer came too late: no call of "legacy" waits for it here/)
})

test('a question that comes back without an answer is refused at the server', async () => {
  const { requestState } = (await post('ada', ask)).result ?? {}
  const { result } = await post('ada', { ...ask, requestState, inputResponses: {} })
  assert.match(result?.content?.[0]?.text ?? '', /The client gave no answer/)
})

test('an address that the server wants opened is asked for, and the call is made when it was', async () => {
  const visit = { name: 'legacy_visit', arguments: {} }
  const { requestState, inputRequests } = (await post('ada', visit)).result ?? {}
  assert.match(JSON.stringify(inputRequests), /"url":"https:\/\/example\.com\/login"/)
  const said = (action: string) => post('ada', { ...visit, requestState, inputResponses: { address1: { action } } })
  assert.match((await said('decline')).result?.content?.[0]?.text ?? '', /its caller said no/)
  assert.equal((await said('accept')).result?.content?.[0]?.text, 'visited')
})

test('a call that waits outlives new versions of its server, and is answered by the process that it began in', async () => {
  const { requestState } = (await post('ada', ask)).result ?? {}
  await host.apply({ config: configWith({ serverCredentials: 'allow' }) })
  const { result } = await post('ada', { ...ask, ...named('question1', 'Ada'), requestState })
  assert.match(result?.content?.[0]?.text ?? '', /"name":"Ada"/, 'started alike')

  const other = (await post('ada', ask)).result ?? {}
  const drained = new Promise<unknown>((resolve) => host.on('drained', resolve))
  await host.apply({ config: configWith({ args: ['other'] }) })
  const late = (await post('ada', { ...ask, ...named('question1', 'Ada'), requestState: other.requestState })).result
  const { pid } = JSON.parse(late?.content?.[0]?.text ?? '{}') as { pid: number }
  await drained
  assert.throws(() => process.kill(pid, 0), 'the process of the old version is gone')
  const next = (await post('ada', { name: 'legacy_environment', arguments: {} })).result
  assert.match(next?.content?.[0]?.text ?? '', /"argv":\["other"\]/)
})
