// The direct path must not be told from the SDK's: the same requests go to two listeners over one registry, one with the direct path
// and one without, and the answers are compared. Where they may differ is in `deliberate`, row by row, with the reason.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { defineTool, ServiceError, Type, type Content } from '@mcp-patchbay/plugin-api'
import { demoPlugin } from '../fixtures/plugins/demo-plugin.ts'
import { createExchanger, type WireAnswer, type WireRequest } from '../fixtures/auth/exchange.ts'
import { pick, randomFrom, type Random } from '../fixtures/random.ts'
import { serveBoth } from '../fixtures/http/serving.ts'

type Era = '2026-07-28' | '2025 in a session' | '2025 without sessions'
const ERAS: readonly Era[] = ['2026-07-28', '2025 in a session', '2025 without sessions']

/** Each row changes an answer to what both paths must agree in. */
const deliberate: Readonly<Record<string, (answer: WireAnswer) => WireAnswer>> = {
  // Both are right for every 2025 request, and clients must read both. A stream costs several times the answer it carries.
  'a 2025 answer that nothing comes before is JSON, not a stream of one event': (answer) =>
    answer.isStream && answer.messages.length === 1
      ? { ...answer, isStream: false, headers: { ...answer.headers, 'content-type': 'application/json' } }
      : answer,
  'ids and signed states are random in both': (answer) => ({
    ...answer,
    headers: { ...answer.headers, ...(answer.headers['mcp-session-id'] !== undefined && { 'mcp-session-id': 'random' }) },
    messages: answer.messages.map((message) => withoutRandom(message)),
  }),
}

const SEED = Number(process.env['SEED'] ?? 20_261_122)
const REQUESTS_PER_ERA = Number(process.env['REQUESTS'] ?? 1_200)

for (const era of ERAS) {
  test(`answers every method of ${era} as the SDK does`, async (t) => {
    // A 2025 list with an output that is no object is the SDK's to translate; the mutated requests have it in.
    const { compare, taken } = await bothPaths(t, era, era === '2026-07-28' ? [] : ['demo_numbers'])
    for (const [method, params] of validRequests) {
      // Twice: what a client says of itself is known from its first request on.
      await compare(wireRequest(era, message(era, method, params)))
      const before = taken()
      await compare(wireRequest(era, message(era, method, params)))
      const isHot = hot[era].includes(method) && !isOutOfTheOrdinary(era, params)
      assert.equal(taken() > before, isHot, `${method} ${JSON.stringify(params)} was answered by the wrong path`)
    }
  })

  test(`answers ${REQUESTS_PER_ERA} mutated requests of ${era} as the SDK does`, async (t) => {
    const { compare, taken } = await bothPaths(t, era)
    const random = randomFrom(SEED)
    let answered = 0
    for (let index = 0; index < REQUESTS_PER_ERA; index++)
      if ((await compare(mutatedRequest(era, random))).status === 200) answered++
    // A corpus of refusals alone would show little.
    assert.ok(answered > REQUESTS_PER_ERA / 4, `only ${answered} were answered`)
    assert.ok(taken() > REQUESTS_PER_ERA / 10, `only ${taken()} were answered directly`)
  })
}

/** What the direct path must take, when nothing about it is unusual. */
const hot: Readonly<Record<Era, readonly string[]>> = {
  '2026-07-28': ['tools/list', 'tools/call', 'server/discover'],
  '2025 in a session': ['tools/list', 'tools/call', 'ping'],
  '2025 without sessions': ['tools/list', 'tools/call', 'ping'],
}

/** Tools that ask, that are unknown, or whose schema the era sees in another form are the SDK's; so are pages. */
function isOutOfTheOrdinary(era: Era, { name, cursor }: Readonly<Record<string, unknown>>): boolean {
  if (cursor !== undefined) return true
  if (name === undefined) return false
  if (['demo_ask', 'demo_headed', 'demo_missing', 'demo_admin', 'demo_numbers'].some((other) => other === name)) return true
  return era !== '2026-07-28' && name === 'demo_log'
}

const validRequests: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['tools/list', {}],
  ['tools/list', { cursor: 'next' }],
  ['ping', {}],
  ['server/discover', {}],
  ['tools/call', { name: 'demo_echo', arguments: { text: 'hello' } }],
  ['tools/call', { name: 'demo_echo', arguments: { text: 'ä"\\\u2028 \ud800 日本' } }],
  ['tools/call', { name: 'demo_echo', arguments: { text: 7, more: true } }],
  ['tools/call', { name: 'demo_echo' }],
  ['tools/call', { name: 'demo_whoami', arguments: {} }],
  ['tools/call', { name: 'demo_whoami' }],
  ['tools/call', { name: 'demo_numbers' }],
  ['tools/call', { name: 'demo_items' }],
  ['tools/call', { name: 'demo_refuses' }],
  ['tools/call', { name: 'demo_throws' }],
  ['tools/call', { name: 'demo_misfits' }],
  ['tools/call', { name: 'demo_log' }],
  ['tools/call', { name: 'demo_ask' }],
  ['tools/call', { name: 'demo_headed', arguments: { region: 'eu' } }],
  ['tools/call', { name: 'demo_admin' }],
  ['tools/call', { name: 'demo_missing' }],
  ['prompts/list', {}],
  ['prompts/get', { name: 'demo_greet', arguments: { who: 'Ada' } }],
  ['resources/list', {}],
  ['resources/templates/list', {}],
  ['resources/read', { uri: 'demo://readme' }],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'demo_greet' }, argument: { name: 'who', value: '' } }],
  ['no/such/method', {}],
  ['__proto__', {}],
  ['constructor', {}],
]

const none = Type.Object({})
const extra = [
  defineTool({
    name: 'items',
    description: 'Content items.',
    access: 'read',
    input: none,
    run: (): Content[] => [
      { type: 'text', text: 'one' },
      { type: 'image', data: 'AAAA', mimeType: 'image/png' },
      { type: 'resource_link', uri: 'demo://readme', name: 'readme' },
    ],
  }),
  defineTool({
    name: 'refuses',
    description: 'Fails as a service does.',
    access: 'read',
    input: none,
    run: () => Promise.reject(new ServiceError('NOT_FOUND', 'There is no such thing')),
  }),
  defineTool({
    name: 'throws',
    description: 'Fails as a bug does.',
    access: 'read',
    input: none,
    run: () => Promise.reject(new Error('a bug')),
  }),
  defineTool({
    name: 'misfits',
    description: 'Breaks its output schema.',
    access: 'read',
    input: none,
    output: Type.Object({ count: Type.Integer() }),
    run: () => ({ count: 'many' }) as never,
  }),
]

async function bothPaths(t: TestContext, era: Era, hidden: readonly string[] = []) {
  const { direct, sdk, taken } = await serveBoth(t, [demoPlugin({ extra }).plugin], {
    config: { tools: { deny: ['demo_admin', ...hidden] } },
    options: { sessions: { mode: era === '2025 without sessions' ? 'stateless' : 'stateful', max: 10, idleMs: 60_000 } },
  })
  const send = createExchanger(t)
  const sessionOf = async (url: URL): Promise<Record<string, string>> => {
    if (era !== '2025 in a session') return {}
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
    const opened = await send(url, wireRequest(era, message(era, 'initialize', params)))
    return { 'mcp-session-id': opened.headers['mcp-session-id'] ?? '' }
  }
  const sessions = [await sessionOf(direct), await sessionOf(sdk)]
  return {
    taken,
    compare: async (request: WireRequest): Promise<WireAnswer> => {
      const answers = await Promise.all(
        [direct, sdk].map((url, index) => send(url, { ...request, headers: { ...sessions[index], ...request.headers } })),
      )
      const [ours, theirs] = answers.map((answer) => agreed(answer)) as [WireAnswer, WireAnswer]
      assert.deepEqual(ours, theirs, `${JSON.stringify(request)} is answered differently (seed ${SEED})`)
      return ours
    },
  }
}

function agreed(answer: WireAnswer): WireAnswer {
  return Object.values(deliberate).reduce((before, change) => change(before), answer)
}

function withoutRandom(message: unknown): unknown {
  const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
  return JSON.parse(
    JSON.stringify(message, (key, value: unknown) =>
      key === 'requestState' || key === 'mcp-session-id'
        ? 'random'
        : typeof value === 'string'
          ? value.replace(uuid, 'random')
          : value,
    ) ?? 'null',
  )
}

type Params = Readonly<Record<string, unknown>>
interface Message {
  [key: string]: unknown
  params: Params
}

const PROTOCOL = 'io.modelcontextprotocol/protocolVersion'
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities'
const CLIENT = 'io.modelcontextprotocol/clientInfo'
const LOG_LEVEL = 'io.modelcontextprotocol/logLevel'

function message(era: Era, method: string, params: Params): Message {
  const meta = { [PROTOCOL]: '2026-07-28', [CLIENT]: { name: 'test', version: '1' }, [CAPABILITIES]: {} }
  return { jsonrpc: '2.0', id: 1, method, params: era === '2026-07-28' ? { ...params, _meta: meta } : { ...params } }
}

function headersOf(era: Era, { method, params }: Message): Record<string, string> {
  const name = params['name'] ?? params['uri']
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': era === '2026-07-28' ? '2026-07-28' : '2025-11-25',
    ...(era === '2026-07-28' && { 'mcp-method': String(method), ...(typeof name === 'string' && { 'mcp-name': name }) }),
  }
}

function wireRequest(era: Era, sent: Message): WireRequest {
  return { headers: headersOf(era, sent), body: JSON.stringify(sent) }
}

/** A request that is right, then wrong, or odd, in up to three ways. */
function mutatedRequest(era: Era, random: Random): WireRequest {
  const [method, params] = pick(random, random() < 0.7 ? hotRequests : validRequests)
  const sent = message(era, method, params)
  const headers = headersOf(era, sent)
  sent['id'] = pick(random, [1, 7, 'a', '日', 0, -1])
  for (let left = Math.floor(random() * 4); left > 0; left--) pick(random, mutations)(sent, headers, random)
  return { headers, body: mutatedText(JSON.stringify(sent), random) }
}

const hotRequests = validRequests.filter(([method]) => method.startsWith('tools/'))

type Mutation = (sent: Message, headers: Record<string, string>, random: Random) => void

const change =
  (key: string, where: (sent: Message) => unknown = (sent) => sent): Mutation =>
  (sent, _headers, random) => {
    const target = where(sent)
    if (typeof target !== 'object' || target === null) return
    const value = pick(random, junk)
    if (value === DELETED) Reflect.deleteProperty(target, key)
    else Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true })
  }
const header =
  (name: string, ...values: readonly (string | undefined)[]): Mutation =>
  (_sent, headers, random) => {
    const value = pick(random, values)
    if (value === undefined) Reflect.deleteProperty(headers, name)
    else headers[name] = value
  }
const inParams = (sent: Message): unknown => sent.params
const inMeta = (sent: Message): unknown =>
  isRecord(sent.params) ? ((sent.params as Record<string, unknown>)['_meta'] ??= {}) : undefined
const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)

const DELETED = Symbol('deleted')
const junk: readonly unknown[] = [
  DELETED,
  null,
  0,
  1,
  -1,
  1.5,
  2 ** 60,
  true,
  '',
  'x',
  'a\0b',
  '日本',
  [],
  [1],
  {},
  { a: 1 },
  '2.0',
  '1.0',
  '2026-07-28',
  '2025-11-25',
  '9999-01-01',
  'tools/list',
  'tools/call',
  'demo_echo',
  'demo_ask',
  'demo_admin',
  '__proto__',
  { text: 'hi' },
  { text: 5 },
  { text: 'x', extra: 1 },
  { name: 'c', version: '2' },
  { name: 7 },
  { elicitation: {} },
  { roots: { listChanged: 1 } },
]

const mutations: readonly Mutation[] = [
  ...['jsonrpc', 'id', 'method', 'params', 'extra', 'result', 'error', '__proto__'].map((key) => change(key)),
  ...['name', 'arguments', 'cursor', '_meta', 'inputResponses', 'requestState', 'task', 'more', '__proto__'].map((key) =>
    change(key, inParams),
  ),
  ...[PROTOCOL, CAPABILITIES, CLIENT, LOG_LEVEL, 'progressToken', 'x.y/z', 'traceparent'].map((key) => change(key, inMeta)),
  ...['text', 'region', 'constructor'].map((key) =>
    change(key, (sent) => (isRecord(sent.params) ? sent.params['arguments'] : undefined)),
  ),
  header(
    'mcp-protocol-version',
    undefined,
    '2026-07-28',
    '2025-11-25',
    '2025-06-18',
    '2025-03-26',
    '1900-01-01',
    '',
    ' 2026-07-28 ',
  ),
  header('mcp-method', undefined, 'tools/call', 'tools/list', 'TOOLS/CALL', 'nope', ''),
  header('mcp-name', undefined, 'demo_echo', 'demo_admin', '=?base64?ZGVtb19lY2hv?=', '=?base64?!!?=', ' demo_echo', ''),
  header('mcp-param-region', 'eu', 'us', ''),
  header('mcp-param-other', 'x'),
  header(
    'accept',
    undefined,
    '*/*',
    'application/json',
    'text/event-stream',
    'text/html',
    'application/*',
    'Application/JSON, Text/Event-Stream',
  ),
  header(
    'content-type',
    undefined,
    'text/plain',
    'application/json; charset=utf-8',
    'application/json; charset=utf-16',
    'application/jsonx',
  ),
  header('content-encoding', 'gzip', 'identity'),
  header('mcp-session-id', 'somebody-elses', ''),
  header('last-event-id', 'x_1'),
  header('origin', 'https://evil.example', 'null', 'http://127.0.0.1'),
  header('x-patchbay-toolsets', 'danger', 'nope', '!!'),
  header('x-patchbay-read-only', 'true', 'maybe'),
]

/** Now and then what is sent is no JSON, or JSON that some parser reads otherwise. */
function mutatedText(text: string, random: Random): string {
  if (random() > 0.08) return text
  return pick(random, [
    () => '',
    () => 'null',
    () => '42',
    () => text.slice(0, -1),
    () => `${text}x`,
    () => `\ufeff${text}`,
    () => `[${text}]`,
    () => `[${text},${text}]`,
    () => '[]',
    () => text.replace('{', '{"method":"ping",'),
    () => text.replace('"params":{', '"params":{"name":"demo_admin",'),
    () => text.replace('"id"', '"i\\u0064"'),
    () => text.replace(':1', ':1e400'),
    () => `${'['.repeat(100)}${text}${']'.repeat(100)}`,
    () => ` \t\n${text}\r\n`,
    () => text.replaceAll('"', "'"),
  ])()
}
