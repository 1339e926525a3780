import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { test, type TestContext } from 'node:test'
import { createLogger } from '../../../host/src/observability/logger.ts'
import { demoPlugin } from '../../fixtures/plugins/demo-plugin.ts'
import { RawSession } from '../../fixtures/http/raw-session.ts'
import { serveHttp } from '../../fixtures/http/serving.ts'

const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }
const LIMIT = 10_000

/** A listener that takes 10,000 bytes, and a way to post anything to it. */
async function listener(t: TestContext) {
  const { url, log } = await serveHttp(t, [demoPlugin().plugin], { deps: { bodyBytes: LIMIT } })
  const post = async (
    body: string | Uint8Array<ArrayBuffer> | ReadableStream,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'demo_echo',
        ...headers,
      },
      body,
      ...(body instanceof ReadableStream && { duplex: 'half' }),
    })
    const text = await response.text()
    return { status: response.status, ...(text.startsWith('{') ? (JSON.parse(text) as Omit<Answer, 'status'>) : {}) }
  }
  return { url, log, post }
}

interface Answer {
  readonly status: number
  readonly id?: unknown
  readonly error?: { readonly code: number; readonly message: string }
  readonly result?: {
    readonly content: readonly { readonly text: string }[]
    readonly structuredContent?: unknown
    readonly isError?: boolean
  }
}

/** A call of demo_echo as it is on the wire. */
function echo(text: unknown, more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'demo_echo', arguments: { text, ...more }, _meta: meta },
  })
}

test('takes a body up to the limit and not one byte more, with and without a length', async (t) => {
  const { post } = await listener(t)
  const sized = (bytes: number) => echo('x'.repeat(bytes - echo('').length))
  for (const [bytes, status] of [
    [LIMIT - 1, 200],
    [LIMIT, 200],
    [LIMIT + 1, 413],
    [10 * LIMIT, 413],
  ] as const) {
    assert.equal((await post(sized(bytes))).status, status, `${bytes} bytes`)
    assert.equal((await post(new Blob([sized(bytes)]).stream())).status, status, `${bytes} bytes in chunks`)
  }
  assert.match((await post(sized(LIMIT + 1))).error?.message ?? '', /longer than 10000 bytes \(limits\.bodyBytes\)/)
})

test('serves the next request on a connection whose last one was too long', async (t) => {
  const { post } = await listener(t)
  for (let round = 0; round < 20; round++) {
    assert.equal((await post(echo('x'.repeat(LIMIT)))).status, 413)
    assert.equal((await post(echo('short'))).status, 200)
  }
})

for (const type of [
  'text/plain',
  'application/x-www-form-urlencoded',
  'application/jsonx',
  'text/plain; application/json',
  'application/json, text/plain',
  'application/json; charset=utf-16',
  'application/json; charset=latin1',
  '',
]) {
  test(`refuses the content type ${JSON.stringify(type)}`, async (t) => {
    const { post } = await listener(t)
    assert.equal((await post(echo('a'), { 'content-type': type })).status, 415)
  })
}

for (const type of [
  'application/json',
  'application/json; charset=utf-8',
  'Application/JSON;charset="UTF-8"',
  'application/json ; profile=x',
]) {
  test(`takes the content type ${JSON.stringify(type)}`, async (t) => {
    const { post } = await listener(t)
    assert.equal((await post(echo('a'), { 'content-type': type })).status, 200)
  })
}

test('refuses a compressed body without unpacking it', async (t) => {
  const { post } = await listener(t)
  const bomb = gzipSync(Buffer.alloc(50_000_000))
  assert.equal((await post(new Uint8Array(bomb.subarray(0, 9_000)), { 'content-encoding': 'gzip' })).status, 415)
  assert.equal((await post(echo('a'), { 'content-encoding': 'identity' })).status, 200)
})

const utf8 = (text: string) => new Uint8Array(Buffer.from(text))
for (const [what, body, code, echoed = null] of [
  ['nothing', '', -32700],
  ['spaces', '   ', -32700],
  ['a cut-off message', echo('a').slice(0, -1), -32700],
  ['garbage after the message', `${echo('a')}}`, -32700],
  ['two messages', `${echo('a')}\n${echo('b')}`, -32700],
  ['NaN', '{"jsonrpc":"2.0","id":NaN,"method":"ping"}', -32700],
  ['a comment', `/* hi */${echo('a')}`, -32700],
  ['single quotes', "{'jsonrpc':'2.0'}", -32700],
  ['a byte order mark', utf8(`\uFEFF${echo('a')}`), -32700],
  ['invalid UTF-8', new Uint8Array(Buffer.concat([Buffer.from('{"a":"'), Buffer.of(0xc3, 0x28), Buffer.from('"}')])), -32700],
  [
    'an overlong encoding',
    new Uint8Array(Buffer.concat([Buffer.from('{"a":"'), Buffer.of(0xc0, 0xaf), Buffer.from('"}')])),
    -32700,
  ],
  ['UTF-16', new Uint8Array(Buffer.from(`\uFEFF${echo('a')}`, 'utf16le')), -32700],
  ['a bare NUL in a string', echo('a').replace('"a"', '"\u0000"'), -32700],
  ['null', 'null', -32600],
  ['a number', '42', -32600],
  ['a number beyond all', '1e400', -32600],
  ['a string', '"x"', -32600],
  ['an empty object', '{}', -32600],
  ['an empty batch', '[]', -32600],
  ['a batch of 2026-07-28', `[${echo('a')}]`, -32600],
  ['a batch in a batch', '[[{"jsonrpc":"2.0","id":1,"method":"ping"}]]', -32600],
  ['an id that is null', echo('a').replace('"id":1', '"id":null'), -32600],
  ['an id that is a fraction', echo('a').replace('"id":1', '"id":1.5'), -32600, 1.5],
  ['an id beyond all numbers', echo('a').replace('"id":1', '"id":1e400'), -32600],
  ['its method twice', echo('a').replace('"method"', '"method":"ping","method"'), -32600],
  ['its id twice', echo('a').replace('"id":1', '"id":1,"id":2'), -32600],
  ['the name of the tool twice', echo('a').replace('"name"', '"name":"demo_delete","name"'), -32600],
  ['a thousand levels of arrays', `{"a":${'['.repeat(1_000)}${']'.repeat(1_000)}}`, -32600],
  ['levels without end', '['.repeat(9_000), -32600],
  ['a thousand levels of objects', `${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}`, -32600],
] as const) {
  test(`answers ${what} with 400 and ${code}`, async (t) => {
    const { post } = await listener(t)
    const { status, error, id } = await post(body)
    assert.deepEqual([status, error?.code, id], [400, code, echoed])
  })
}

test('refuses a message of more than ten thousand keys', async (t) => {
  const { url } = await serveHttp(t, [demoPlugin().plugin])
  const keys = JSON.stringify(Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [`k${index}`, 0])))
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: keys })
  assert.equal(response.status, 400)
  assert.match(await response.text(), /more than 10000 keys/)
})

test('refuses two megabytes of brackets before the parser sees that they are no JSON', async (t) => {
  const { url } = await serveHttp(t, [demoPlugin().plugin])
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '['.repeat(2_000_000),
  })
  assert.equal(response.status, 400)
  assert.match(await response.text(), /nests deeper than 64/)
})

test('takes __proto__ and constructor in arguments for what they are', async (t) => {
  const { post } = await listener(t)
  for (const evil of [
    '{"__proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    '[{"a":[{"__proto__":{"polluted":1}}]}]',
  ]) {
    const inText = await post(echo('a').replace('"text":"a"', `"text":${evil}`))
    assert.equal(inText.result?.isError, true)
    const asKey = await post(
      echo('a').replace('"text":"a"', `"text":"a",${evil.startsWith('{') ? evil.slice(1, -1) : `"more":${evil}`}`),
    )
    assert.equal(asKey.status, 200)
  }
  assert.equal((await post(echo('a').replace('"jsonrpc"', '"__proto__":{"polluted":1},"jsonrpc"'))).status, 400)
  assert.equal(({} as { polluted?: number }).polluted, undefined)
})

for (const text of ['a\u0000b', '\u{1F600}', '\u2028']) {
  test(`gives back ${JSON.stringify(text)} as it came, escaped`, async (t) => {
    const { post } = await listener(t)
    assert.deepEqual((await post(echo(text))).result?.structuredContent, { text })
  })
}

test('gives back half a character as the sign for one that is broken', async (t) => {
  const { post } = await listener(t)
  assert.deepEqual((await post(echo('a\ud800'))).result?.structuredContent, { text: 'a\ufffd' })
})

for (const method of ['__proto__', 'constructor', 'toString', 'nothing/here', 'initialize']) {
  test(`knows no method ${method} in 2026-07-28`, async (t) => {
    const { post } = await listener(t)
    const { status, error } = await post(echo('a').replace('tools/call', method), { 'mcp-method': method })
    assert.deepEqual([status, error?.code], [404, -32601])
  })
}

for (const [what, change, headers, code] of [
  ['no _meta', [`,"_meta":${JSON.stringify(meta)}`, ''], {}, -32602],
  ['a revision that does not exist', ['2026-07-28', '2099-01-01'], { 'mcp-protocol-version': '2099-01-01' }, -32022],
  ['a header that names another revision', ['', ''], { 'mcp-protocol-version': '2025-11-25' }, -32020],
  ['a header that names another method', ['', ''], { 'mcp-method': 'tools/list' }, -32020],
  ['a header that names another tool', ['', ''], { 'mcp-name': 'demo_delete' }, -32020],
  ['a header that names a tool in base64 that is another', ['', ''], { 'mcp-name': `=?base64?${btoa('demo_delete')}?=` }, -32020],
  ['a body that names another tool than the header', ['"demo_echo"', '"demo_delete"'], {}, -32020],
] as const) {
  test(`refuses a request with ${what}`, async (t) => {
    const { post } = await listener(t)
    const { status, error } = await post(echo('a').replace(change[0], change[1]), headers)
    assert.deepEqual([status, error?.code], [400, code])
  })
}

test('takes the name of a tool in base64 in its header', async (t) => {
  const { post } = await listener(t)
  assert.equal((await post(echo('a'), { 'mcp-name': `=?base64?${btoa('demo_echo')}?=` })).status, 200)
})

test('serves a batch of at most a hundred to 2025 sessions', async (t) => {
  const { url } = await serveHttp(t, [demoPlugin().plugin])
  const session = await RawSession.open(url)
  const batch = (count: number) => Array.from({ length: count }, (_, id) => ({ jsonrpc: '2.0', id: 1_000 + id, method: 'ping' }))
  assert.equal((await session.send(batch(100))).text.match(/"result":\{\}/g)?.length, 100)
  assert.equal((await session.send(batch(101))).status, 400)
  assert.equal((await session.send([])).status, 400)
  assert.equal((await session.send(batch(100))).status, 200)
})

test('writes whatever a client sends on one line of the log', async (t) => {
  const written: string[] = []
  const log = createLogger({ level: 'debug', format: 'json', destination: { write: (line) => void written.push(line) } })
  const { url } = await serveHttp(t, [demoPlugin().plugin], { deps: { log } })
  const evil = 'a\n{"level":"error","event":"forged"}\u001b[31m'
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': `=?base64?${btoa(evil)}?=`,
    },
    body: echo('a'),
  })
  assert.equal(response.status, 400)
  const lines = written.join('').split('\n').filter(Boolean)
  assert.ok(lines.some((line) => line.includes('forged')))
  for (const line of lines) {
    // oxlint-disable-next-line no-control-regex -- that is what must not be there
    assert.doesNotMatch(line, /[\u0000-\u001f]/)
    assert.notEqual((JSON.parse(line) as { event: string }).event, 'forged')
  }
})
