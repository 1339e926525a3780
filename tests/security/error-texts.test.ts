import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin, definePrompt, defineResource, defineTool, Secret, ServiceError, Type } from '@mcp-patchbay/plugin-api'
import type { ServicePlugin } from '@mcp-patchbay/plugin-api'
import { CANARY, hostUnderTest, replyOf } from '../fixtures/projects/host-under-test.ts'

const LEAKY = `ENOENT: no such file or directory, open '/etc/patchbay/keys.json' while asking https://api.example.com/v1?token=${CANARY}`

class LeakyError extends TypeError {
  readonly path = '/etc/patchbay/keys.json'
  readonly env = { ...process.env, API_KEY: CANARY }
  constructor() {
    super(LEAKY, { cause: new Error(`inner ${LEAKY}`) })
  }
}

/** Whatever a plugin throws that is no ServiceError: none of it is for a client. */
const thrown: readonly (readonly [what: string, make: () => unknown])[] = [
  ['an error with a stack, a path and a secret', () => new LeakyError()],
  ['several errors', () => new AggregateError([new LeakyError()], LEAKY)],
  ['a text', () => LEAKY],
  ['an object', () => ({ message: LEAKY, stack: `Error: ${LEAKY}\n    at /srv/app/secret.ts:1:1`, toString: () => LEAKY })],
  ['nothing', () => undefined],
  ['an error whose message throws', () => Object.defineProperty(new Error(), 'message', { get: () => assert.fail(LEAKY) })],
  ['what throws when it is looked at', () => new Proxy({}, { getPrototypeOf: () => assert.fail(LEAKY) })],
  [
    'a ServiceError that throws when it is read',
    () => new Proxy(new ServiceError('NOT_FOUND', LEAKY), { get: () => assert.fail(LEAKY) }),
  ],
  [
    'an error that looks like one of the host',
    () => Object.assign(new Error(LEAKY), { name: 'HostError', code: 'CALL_TIMEOUT' }),
  ],
  [
    'an error that looks like one of the protocol',
    () => Object.assign(new Error(LEAKY), { code: -32602, data: { path: LEAKY } }),
  ],
]

function throwing(): ServicePlugin {
  const named = thrown.map(([, make], index) => ({ make, name: `case_${index}` }))
  const fail = (make: () => unknown) => () => {
    throw make()
  }
  return definePlugin({
    name: 'throwing',
    config: Type.Object({}),
    isAuthConfigured: () => true,
    createClient: () => undefined,
    tools: named.map(({ make, name }) =>
      defineTool({ name, description: 'Throws.', access: 'read', input: Type.Object({}), run: fail(make) }),
    ),
    prompts: named.map(({ make, name }) => definePrompt({ name, run: fail(make) })),
    resources: named.map(({ make, name }) => defineResource({ name, uri: `throwing://${name}`, read: fail(make) })),
  }) as ServicePlugin
}

/** What a stranger may know: that it failed, and the id under which the operator finds the rest. */
const OF_PLUGIN = /The plugin "(?:throwing|clientless)" failed with an error of its own \(request [0-9a-f-]{36}\)/
const INTERNAL = /Something failed inside the host \(request [0-9a-f-]{36}\)/
/** Stacks, paths of this machine, values of the environment, addresses with their query. */
const LEAKS = /ENOENT|keys\.json|\/etc\/|\/srv\/|\.ts:\d|node_modules|at .* \(|api\.example\.com|TypeError|AggregateError|canary/

test('an error that is not meant for clients is an id to them, wherever it is thrown, and is whole in the log', async (t) => {
  const host = await hostUnderTest(t, [throwing()])
  for (const [index, [what]] of thrown.entries()) {
    const name = `case_${index}`
    const texts = [
      ...(await host.callInBothEras(`throwing_${name}`)).map(({ isError, content }) => isError && content?.[0]?.text),
      replyOf(await host.client.post('prompts/get', { name: `throwing_${name}` })).error?.message,
      replyOf(await host.client.post('resources/read', { uri: `throwing://${name}` })).error?.message,
      replyOf(await host.session.post('prompts/get', { name: `throwing_${name}` })).error?.message,
      replyOf(await host.session.post('resources/read', { uri: `throwing://${name}` })).error?.message,
    ]
    for (const text of texts) {
      assert.match(String(text), OF_PLUGIN, what)
      assert.doesNotMatch(String(text), LEAKS, what)
      const [, id] = /request ([0-9a-f-]{36})/.exec(String(text)) ?? []
      assert.ok(
        host.log.some((line) => line.event === 'call_failed' && line['call'] === id),
        `${what}: the log has ${id}`,
      )
    }
  }
  const logged = JSON.stringify(host.log)
  assert.match(logged, /ENOENT: no such file.*keys\.json/)
  assert.match(logged, /"cause":\{"name":"Error","message":"inner ENOENT/)
})

test('what a plugin says to its callers reaches them as Markdown, without the secrets of the host', async (t) => {
  const plugin = definePlugin({
    name: 'speaking',
    config: Type.Object({}),
    isAuthConfigured: () => true,
    createClient: () => undefined,
    tools: [
      defineTool({
        name: 'limits_meet',
        description: 'Is refused by its service.',
        access: 'read',
        input: Type.Object({}),
        run() {
          throw new ServiceError('RATE_LIMITED', `Too many requests with key ${CANARY}`, {
            retryAfterMs: 61_000,
            fix: `Use another key than ${CANARY}`,
            cause: new LeakyError(),
          })
        },
      }),
    ],
  })
  const host = await hostUnderTest(t, [plugin as ServicePlugin])
  for (const { isError, content } of await host.callInBothEras('speaking_limits_meet')) {
    const text = content?.[0]?.text ?? ''
    assert.equal(isError, true)
    assert.match(text, /speaking_limits_meet failed: Too many requests with key \[redacted\]/)
    assert.match(text, /Use another key than \[redacted\]/)
    assert.match(text, /Wait 61 s/)
    assert.doesNotMatch(text, LEAKS)
  }
})

test('a client that cannot be made, and a start that fails, tell the operator and no client', async (t) => {
  const base = { config: Type.Object({ apiKey: Secret() }), isAuthConfigured: () => true }
  const tool = defineTool({ name: 'one_get', description: 'One.', access: 'read', input: Type.Object({}), run: () => 'one' })
  const clientless = definePlugin({
    ...base,
    name: 'clientless',
    createClient: () => {
      throw new LeakyError()
    },
    tools: [tool],
  })
  const unstarted = definePlugin({
    ...base,
    name: 'unstarted',
    createClient: () => undefined,
    start: () => Promise.reject(new LeakyError()),
    tools: [tool],
  })
  const config = { apiKey: CANARY }
  const host = await hostUnderTest(t, [
    { use: clientless, config },
    { use: unstarted, config },
  ])
  for (const { content } of await host.callInBothEras('clientless_one_get')) {
    assert.match(content?.[0]?.text ?? '', OF_PLUGIN)
    assert.doesNotMatch(content?.[0]?.text ?? '', LEAKS)
  }
  assert.match((await host.client.call('unstarted_one_get')).text, /Unknown tool: unstarted_one_get/)
  const ready = await (await fetch(new URL('/readyz', host.management))).text()
  assert.match(ready, /failed in start: ENOENT/)
  assert.ok(!ready.includes(CANARY))
  assert.ok(!JSON.stringify(host.host.list()).includes(CANARY))
})

test("what fails in the host around a plugin is the host's own failure, and names no plugin", async (t) => {
  const host = await hostUnderTest(t, [throwing()], {
    middleware: [
      {
        name: 'broken',
        tool: (call, next) => (call.name.startsWith('throwing_') ? Promise.reject(new LeakyError()) : next()),
      },
    ],
  })
  for (const { content } of await host.callInBothEras('throwing_case_0')) {
    assert.match(content?.[0]?.text ?? '', INTERNAL)
    assert.doesNotMatch(content?.[0]?.text ?? '', LEAKS)
  }
})

test('an error of fifty million characters is bounded before it is copied, for the client and in the log', async (t) => {
  const long = 'x'.repeat(50_000_000)
  const tools = [() => new ServiceError('NOT_FOUND', long, { fix: long }), () => new Error(long)].map((make, index) =>
    defineTool({
      name: `case_${index}`,
      description: 'Fails.',
      access: 'read',
      input: Type.Object({}),
      run: () => {
        throw make()
      },
    }),
  )
  const plugin = definePlugin({
    name: 'long',
    config: Type.Object({}),
    isAuthConfigured: () => true,
    createClient: (): unknown => undefined,
    tools,
  })
  const { host } = await hostUnderTest(t, [plugin])
  for (const name of ['long_case_0', 'long_case_1']) {
    const answer = JSON.stringify(await host.call(name))
    assert.ok(answer.length < 40_000, `${answer.length} characters`)
  }
})
