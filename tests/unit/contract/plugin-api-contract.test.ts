import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contractFaults, definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'

const ping = defineTool({ name: 'ping', description: 'Answers pong.', access: 'read', input: Type.Object({}), run: () => 'pong' })
const plugin = definePlugin({
  name: 'notes',
  config: Type.Object({}),
  isAuthConfigured: () => true,
  createClient: () => ({}),
  tools: [ping],
})
const paths = (value: unknown) => contractFaults(value).map(({ path }) => path)
const fixFor = (apiVersion: unknown) => contractFaults({ ...plugin, apiVersion })[0]?.fix ?? ''
const withTool = (changes: Record<string, unknown>) => ({ ...plugin, tools: [{ ...ping, ...changes }] })

test('finds no fault with what definePlugin made', () => assert.deepEqual(contractFaults(plugin), []))

test('finds no fault with a plugin whose objects are frozen', () => {
  assert.deepEqual(contractFaults(Object.freeze({ ...plugin, tools: Object.freeze([Object.freeze({ ...ping })]) })), [])
})

for (const [name, value] of [
  ['nothing', undefined],
  ['null', null],
  ['a function', () => plugin],
  ['an array', [plugin]],
  ['text', 'plugin'],
] as const)
  test(`tells that a module exports ${name}`, () => {
    const [fault, ...others] = contractFaults(value)
    assert.deepEqual(others, [])
    assert.equal(fault?.path, 'default')
    assert.match(fault?.fix ?? '', /export default definePlugin/)
  })

test('names every fault at once, in the order of the contract', () => {
  const broken = {
    apiVersion: 99,
    name: 'Не-имя',
    config: Type.String(),
    isAuthConfigured: true,
    start: 'now',
    headers: [],
    tools: [
      null,
      { ...ping, name: 'x__y', access: 'readonly', input: undefined, timeoutMs: -1, run: undefined, description: ' ', tags: [1] },
      ping,
      ping,
    ],
    prompts: [{ name: 'p', arguments: Type.Object({ count: Type.Integer() }), run: 'x' }],
    resources: [{ name: 'r', uri: 'no scheme', read: () => '' }],
  }
  assert.deepEqual(paths(broken), [
    'apiVersion',
    'name',
    'config',
    'isAuthConfigured',
    'createClient',
    'start',
    'headers',
    'tools[0]',
    'tools[1].name',
    'tools[1].tags',
    'tools[1].description',
    'tools[1].access',
    'tools[1].input',
    'tools[1].timeoutMs',
    'tools[1].run',
    'tools[3].name',
    'resources[0].uri',
    'prompts[0].arguments.count',
    'prompts[0].run',
  ])
  for (const { problem, fix } of contractFaults(broken)) {
    assert.notEqual(problem, '')
    assert.notEqual(fix, '')
    assert.doesNotMatch(problem, /\[object|undefined/)
  }
})

test('tells who has to update when the versions differ', () => {
  assert.match(fixFor(2), /Update the host/)
  assert.match(fixFor(0), /Update the plugin/)
  assert.match(fixFor('1'), /Update the plugin/)
  assert.match(fixFor(undefined), /definePlugin/)
})

const names: readonly (readonly [name: unknown, fits: boolean])[] = [
  ['issues_get', true],
  ['a1_2b', true],
  ['x'.repeat(64), true],
  ['x'.repeat(65), false],
  ['Issues', false],
  ['1st', false],
  ['a__b', false],
  ['_a', false],
  ['a_', false],
  ['a-b', false],
  ['a.b', false],
  ['јira', false],
  ['a\n', false],
  ['__proto__', false],
  ['', false],
  [7, false],
]
for (const [name, fits] of names)
  test(`${fits ? 'accepts' : 'refuses'} the name ${JSON.stringify(name)}`, () => {
    assert.deepEqual(paths(withTool({ name })), fits ? [] : ['tools[0].name'])
  })

const options: readonly (readonly [changes: Record<string, unknown>, faults: readonly string[]])[] = [
  [{ cache: { ttlMs: 1_000, scope: 'caller' } }, []],
  [{ cache: { ttlMs: 1_000 } }, ['tools[0].cache']],
  [{ cache: { ttlMs: Number.NaN, scope: 'shared' } }, ['tools[0].cache']],
  [{ cache: { ttlMs: 1_000, scope: 'caller' }, access: 'write' }, ['tools[0].cache']],
  [{ approval: 'required', interactive: true, annotations: { idempotentHint: true } }, []],
  [{ approval: true }, ['tools[0].approval']],
  [{ interactive: 'yes' }, ['tools[0].interactive']],
  [{ annotations: null }, ['tools[0].annotations']],
  [{ timeoutMs: Number.POSITIVE_INFINITY }, ['tools[0].timeoutMs']],
  [{ output: 'text' }, ['tools[0].output']],
  [{ safePaths: '/search' }, ['tools[0].safePaths']],
]
for (const [changes, faults] of options)
  test(`${faults.length ? 'refuses' : 'accepts'} a tool with ${JSON.stringify(changes)}`, () => {
    assert.deepEqual(paths(withTool(changes)), faults)
  })

test('a credential goes to one place of a request, whose name needs no encoding', () => {
  const placed = (credentials: unknown) => paths({ ...plugin, credentials })
  const good = [
    { header: 'X-Key' },
    { header: 'X-Key', scheme: 'Key' },
    { query: 'api_key' },
    { query: 'filter[key]' },
    { cookie: 'sid' },
  ]
  for (const apiKey of good) assert.deepEqual(placed({ apiKey, oauth: undefined }), [])
  const bad = [
    null,
    'X-Key',
    {},
    { header: 'X-Key', query: 'key' },
    { header: 5 },
    { header: 'X', scheme: 5 },
    { query: 'a&b=c' },
  ]
  for (const apiKey of [...bad, { query: '' }, { query: 'key', scheme: 'Key' }, { cookie: 'a;b' }, { cookie: 'a b' }])
    assert.deepEqual(placed({ apiKey }), ['credentials.apiKey'], JSON.stringify(apiKey))
  assert.deepEqual(placed({ token: { header: 'X-Key' } }), ['credentials.token'])
})

test('only a template lists resources, by a function', () => {
  const resource = (more: object) =>
    paths({ ...plugin, resources: [{ name: 'note', uri: 'notes://{id}', read: () => '', ...more }] })
  assert.deepEqual(resource({ list: () => ({ resources: [] }) }), [])
  assert.deepEqual(resource({ list: [] }), ['resources[0].list'])
  assert.deepEqual(resource({ uri: 'notes://all', list: () => ({ resources: [] }) }), ['resources[0].list'])
})
