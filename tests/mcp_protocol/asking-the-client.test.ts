import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHost } from 'mcp-patchbay'
import { demoPlugin } from '../fixtures/plugins/demo-plugin.ts'
import { httpClients, v1 } from '../fixtures/http/mcp-clients.ts'
import { bearers, serveHttp } from '../fixtures/http/serving.ts'

const answers = (message: string) => (message === 'Your name?' || message === 'Whom?' ? 'Ada' : 'blue')

for (const [name, connect] of Object.entries(httpClients)) {
  test(`asks ${name} twice in one call, with state between`, async (t) => {
    const { url } = await serveHttp(t, [demoPlugin().plugin])
    const client = await connect(t, url, { answers })
    assert.equal(await client.call('demo_ask'), 'Ada likes blue, says local')
  })

  test(`asks the model and for the roots of ${name}`, async (t) => {
    const { url } = await serveHttp(t, [demoPlugin().plugin])
    const client = await connect(t, url, { answers })
    assert.equal(await client.call('demo_ask_model'), 'Paris in file:///here')
  })

  test(`asks ${name} while a prompt is filled`, async (t) => {
    const { url } = await serveHttp(t, [demoPlugin().plugin])
    const client = await connect(t, url, { answers })
    assert.equal(await client.prompt('demo_interview'), 'Interview Ada')
  })
}

for (const [name, connect] of Object.entries(httpClients))
  if (!name.endsWith('2026-07-28'))
    test(`a host that shuts down still hears what ${name} answers to a call that runs`, async (t) => {
      const { http, url } = await serveHttp(t, [demoPlugin().plugin])
      const client = await connect(t, url, {
        answers(message) {
          http.drain()
          return answers(message)
        },
      })
      assert.equal(await client.call('demo_ask'), 'Ada likes blue, says local')
    })

test('tells a 2025 client that cannot be asked, as a result its model can read', async (t) => {
  const { url } = await serveHttp(t, [demoPlugin().plugin])
  const answer = await (await v1(t, url)).callWhole('demo_ask')
  assert.equal(answer.isError, true)
  assert.match(answer.content[0]?.text ?? '', /did not declare the required capability/)
})

test('takes state back only from whom, for what and as long as it was given', async (t) => {
  const authenticate = bearers({ ada: {}, 'ada@b': { id: 'ada', tenant: 'b' }, bob: {} })
  const { url } = await serveHttp(t, [demoPlugin().plugin], { deps: { authenticate } })
  const ask = (who: string, tool: string, more: Record<string, unknown>) => post(url, who, tool, more)
  const named = { inputResponses: { name: { action: 'accept', content: { name: 'Ada' } } } }
  const coloured = { inputResponses: { colour: { action: 'accept', content: { name: 'blue' } } } }
  const state = (await ask('ada', 'demo_ask', named)).result?.requestState ?? ''
  assert.match(state, /^v1\./)

  const refused = { code: -32602, message: 'Invalid or expired requestState', data: { reason: 'invalid_request_state' } }
  const forged = `${state.slice(0, 10)}${state[10] === 'A' ? 'B' : 'A'}${state.slice(11)}`
  assert.deepEqual((await ask('ada', 'demo_ask', { ...coloured, requestState: forged })).error, refused, 'forged')
  assert.deepEqual((await ask('ada', 'demo_ask', { ...coloured, requestState: 7 })).error, refused, 'no string')
  assert.deepEqual((await ask('bob', 'demo_ask', { ...coloured, requestState: state })).error, refused, 'another principal')
  assert.deepEqual((await ask('ada@b', 'demo_ask', { ...coloured, requestState: state })).error, refused, 'another tenant')
  assert.deepEqual((await ask('ada', 'demo_ask_other', { ...coloured, requestState: state })).error, refused, 'another tool')
  const others = { ...coloured, requestState: state, arguments: { extra: 1 } }
  assert.deepEqual((await ask('ada', 'demo_ask', others)).error, refused, 'other arguments')
  assert.equal(
    (await ask('ada', 'demo_ask', { ...coloured, requestState: state })).result?.content?.[0]?.text,
    'Ada likes blue, says ada',
  )

  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 601_000 })
  assert.deepEqual((await ask('ada', 'demo_ask', { ...coloured, requestState: state })).error, refused, 'too late')
})

const KEY = 'a key that every replica of this service has'

for (const [what, keys, isTaken] of [
  ['the same key takes', [KEY, KEY], true],
  ['another key refuses', [KEY, KEY.toUpperCase()], false],
  ['a key of its own refuses', [undefined, undefined], false],
] as const)
  test(`a replica with ${what} the state that another one left with the client`, async () => {
    const [oneKey, twoKey] = keys
    await using one = await replica(oneKey)
    await using two = await replica(twoKey)
    const named = { inputResponses: { name: { action: 'accept', content: { name: 'Ada' } } } }
    const state = (await post(one.url, 'ada', 'demo_ask', named)).result?.requestState ?? ''
    assert.match(state, /^v1\./)
    const coloured = { inputResponses: { colour: { action: 'accept', content: { name: 'blue' } } }, requestState: state }
    const { result, error } = await post(two.url, 'ada', 'demo_ask', coloured)
    if (isTaken) assert.equal(result?.content?.[0]?.text, 'Ada likes blue, says local')
    else assert.match(JSON.stringify(error), /Invalid or expired requestState/)
  })

test('does not listen with a key for its state that is missing or short, and does not show it', async () => {
  for (const [env, problem] of [
    [{}, 'STATE_KEY is not set'],
    [{ STATE_KEY: 'hunter2' }, 'STATE_KEY has fewer than 32 characters'],
    [{ STATE_KEY_FILE: '/nowhere/key' }, 'STATE_KEY_FILE names /nowhere/key: '],
  ] as const) {
    await using host = await createHost({ auth: { stateKeyVariable: 'STATE_KEY' } }, { env })
    await assert.rejects(host.listen({ http: { port: 0 } }), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'AUTH_SECRET')
      assert.ok(
        error.message.startsWith(`The key that signs the state of interactive calls cannot be used: ${problem}`),
        error.message,
      )
      assert.doesNotMatch(error.message, /hunter2/)
      return true
    })
  }
})

async function replica(key: string | undefined) {
  const plugins = [{ use: demoPlugin().plugin }]
  const config = { plugins, ...(key !== undefined && { auth: { stateKeyVariable: 'STATE_KEY' } }) }
  const host = await createHost(config, { env: { STATE_KEY: key } })
  const listening = await host.listen({ http: { port: 0 } })
  return { url: new URL(listening.url ?? ''), [Symbol.asyncDispose]: () => host.close({ graceMs: 0 }) }
}

interface Answer {
  readonly result?: { readonly requestState?: string; readonly content?: readonly { readonly text: string }[] }
  readonly error?: unknown
}

async function post(url: URL, who: string, name: string, more: Record<string, unknown>): Promise<Answer> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
  }
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${who}`,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': name,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {}, ...more, _meta: meta } }),
  })
  return (await response.json()) as Answer
}
