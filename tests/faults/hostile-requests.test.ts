import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { definePlugin, defineTool, Type, type ServicePlugin } from '@mcp-patchbay/plugin-api'
import { hostUnderTest } from '../fixtures/projects/host-under-test.ts'

const echo = definePlugin({
  name: 'hostile',
  config: Type.Object({}),
  isAuthConfigured: () => true,
  createClient: () => ({}),
  tools: [
    defineTool({
      name: 'any_take',
      description: 'Takes anything.',
      access: 'read',
      input: Type.Object({}, { additionalProperties: true }),
      run: () => 'taken',
    }),
    defineTool({
      name: 'items_take',
      description: 'Takes what is described.',
      access: 'read',
      input: Type.Object({
        q: Type.String({ pattern: '^(a+)+$', maxLength: 100 }),
        list: Type.Optional(Type.Array(Type.Object({ n: Type.Integer({ default: 1 }) }), { uniqueItems: true })),
      }),
      run: () => 'taken',
    }),
  ],
}) as ServicePlugin

const nested = (open: string, close: string) => fc.nat({ max: 3_000 }).map((depth) => open.repeat(depth) + close.repeat(depth))
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', '', '\ud800', 'hostile_any_take', 'hostile_items_take', '2.0'),
  fc.nat({ max: 200_000 }).map((length) => 'x'.repeat(length)),
)
const value = fc.oneof({ depthSize: 'small' }, fc.jsonValue(), text, fc.double(), fc.constantFrom(Number.MAX_VALUE, -0, 2 ** 53))
const json = (one: unknown) => JSON.stringify(one) ?? 'null'

/** Methods that answer at once; what a listening client gets has no end. */
const method = fc.oneof(
  fc.constantFrom(
    'tools/call',
    'tools/list',
    'ping',
    'initialize',
    'server/discover',
    'resources/read',
    'prompts/get',
    'completion/complete',
  ),
  fc.constantFrom('notifications/cancelled', 'notifications/initialized', '__proto__', 'tools', ''),
  text,
)
const message = fc.record(
  {
    jsonrpc: fc.oneof({ weight: 8, arbitrary: fc.constant('2.0') }, value),
    id: fc.oneof({ weight: 4, arbitrary: fc.nat() }, value),
    method: fc.oneof({ weight: 8, arbitrary: method }, value),
    params: fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record(
          {
            name: fc.oneof(fc.constantFrom('hostile_any_take', 'hostile_items_take'), value),
            arguments: fc.oneof(value, fc.dictionary(text, value, { maxKeys: 5 }), fc.record({ q: value, list: value })),
            uri: value,
            cursor: value,
            protocolVersion: fc.oneof(fc.constantFrom('2025-06-18', '2025-11-25', '2024-11-05'), value),
            capabilities: value,
            clientInfo: value,
            _meta: fc.oneof(
              fc.dictionary(text, value, { maxKeys: 3 }),
              fc.constant({ 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }),
            ),
          },
          { requiredKeys: [] },
        ),
      },
      value,
    ),
  },
  { requiredKeys: [] },
)
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'hostile', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}
/** A call as it should be, of which only the arguments are anything. */
const wellFormed = fc
  .oneof(value, fc.dictionary(text, value, { maxKeys: 5 }), fc.record({ q: value, list: value }))
  .map((given) => ({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'hostile_any_take', arguments: given, _meta: META },
  }))
const body = fc.oneof(
  { weight: 6, arbitrary: wellFormed.map(json) },
  { weight: 6, arbitrary: message.map(json) },
  fc.array(fc.oneof(message, value), { maxLength: 110 }).map(json),
  // A message with something put into its text.
  fc
    .tuple(message.map(json), fc.nat(), fc.constantFrom('{', ']', '"', '\\', '\0', ',', '{"a":', '1e400', '\\ud800', '/**/'))
    .map(([whole, at, piece]) => {
      const place = at % (whole.length + 1)
      return whole.slice(0, place) + piece + whole.slice(place)
    }),
  nested('[', ']'),
  nested('{"a":', '}'),
  fc
    .tuple(nested('[', ']'), nested('{"a":', '1}'))
    .map(
      ([list]) =>
        `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"hostile_any_take","arguments":{"a":${list || 1}}}}`,
    ),
  fc.nat({ max: 20_000 }).map((keys) => `{${Array.from({ length: keys }, (_, at) => `"k${at}":1`).join(',')}}`),
  fc.uint8Array({ maxLength: 300 }),
  text,
)
const printable = fc
  .string({ unit: fc.constantFrom('a', 'Z', '0', '-', '_', '/', ';', '=', ',', ' ', '"', '*'), maxLength: 30 })
  .map((one) => one.trim())
const rare = <Value>(arbitrary: fc.Arbitrary<Value>) =>
  fc.option(arbitrary, { freq: 12, nil: undefined }).chain((one) => fc.nat(11).map((at) => (at === 0 ? one : undefined)))
const headers = fc
  .record({
    'content-type': fc.oneof(
      { weight: 20, arbitrary: fc.constant('application/json') },
      fc.constantFrom('text/plain', 'application/jsonx', 'application/json; charset=utf-16'),
      printable,
    ),
    accept: fc.oneof(
      { weight: 20, arbitrary: fc.constant('application/json, text/event-stream') },
      fc.constantFrom('*/*', 'text/html'),
      printable,
    ),
    'mcp-protocol-version': fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom('2026-07-28', '2026-07-28', '2025-11-25') },
      printable,
    ),
    'mcp-method': fc.oneof({ weight: 6, arbitrary: fc.constant('tools/call') }, printable),
    'mcp-name': fc.oneof({ weight: 6, arbitrary: fc.constant('hostile_any_take') }, fc.constant('=?base64?////?='), printable),
    'mcp-session-id': rare(printable),
    'last-event-id': rare(printable),
    'x-patchbay-toolsets': rare(printable),
    'x-patchbay-read-only': rare(printable),
    authorization: rare(printable),
    origin: rare(fc.oneof(fc.constantFrom('null', 'https://evil.example'), printable)),
    'x-upstream-hostile-authorization': rare(printable),
  })
  .map((all) => Object.fromEntries(Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined)))

for (const [path, PATCHBAY_DIRECT] of [
  ['with the fast path', undefined],
  ['by the SDK alone', 'off'],
] as const)
  test(`whatever is posted is answered within bounds, and the next good request is served, ${path}`, async (t) => {
    if (PATCHBAY_DIRECT !== undefined) {
      const before = process.env['PATCHBAY_DIRECT']
      process.env['PATCHBAY_DIRECT'] = PATCHBAY_DIRECT
      t.after(() => (before === undefined ? delete process.env['PATCHBAY_DIRECT'] : (process.env['PATCHBAY_DIRECT'] = before)))
    }
    const { url, client } = await hostUnderTest(t, [echo])
    let requests = 0
    let served = 0
    await fc.assert(
      fc.asyncProperty(body, headers, async (sent, given) => {
        const response = await fetch(url, {
          method: 'POST',
          headers: given,
          body: typeof sent === 'string' ? sent : Uint8Array.from(sent),
        })
        const answer = await response.text()
        assert.ok(response.status < 500, `${response.status} ${answer.slice(0, 200)}`)
        // An id comes back as it was.
        assert.ok(answer.length < 100_000 + sent.length, `${answer.length} characters`)
        if (response.headers.get('content-type')?.startsWith('application/json') && answer !== '')
          for (const one of [JSON.parse(answer)].flat() as unknown[]) assertMessage(one)
        requests += 1
        served += response.status === 200 ? 1 : 0
        if (requests % 20 === 0) assert.equal((await client.call('hostile_any_take', { requests })).status, 200)
      }),
      { numRuns: 400 },
    )
    assert.ok(served > 10, `${served} of them were good after all`)
    // What a caller names is quoted, and not all of it.
    const long = await client.call('x'.repeat(10_000))
    assert.match(long.text, /Unknown tool: x{200}…/)
  })

/** JSON-RPC 2.0, or the form of an OAuth error at the edge: with a short text for the client in any case. */
function assertMessage(one: unknown): void {
  const { jsonrpc, id, result, error } = one as Record<string, unknown>
  assert.equal(jsonrpc, '2.0', JSON.stringify(one).slice(0, 300))
  assert.ok(id === null || typeof id === 'string' || typeof id === 'number' || id === undefined)
  if (result !== undefined) return
  const { code, message: told } = error as { code: unknown; message: unknown }
  assert.ok(Number.isInteger(code))
  assert.ok(typeof told === 'string' && told.length > 0 && told.length < 2_000, `${String(told).length} characters`)
}
