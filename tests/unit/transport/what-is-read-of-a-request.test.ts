import assert from 'node:assert/strict'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { acceptedForms } from '../../../host/src/transport/http/accept.ts'
import { parseMessage, parseText, readMessage } from '../../../host/src/transport/http/body.ts'
import { idOf, isRequest } from '../../../host/src/transport/http/json-rpc.ts'
import { readNarrowing } from '../../../host/src/transport/http/narrowing.ts'

const JSON_HEADERS = { 'content-type': 'application/json' }

function request(headers: Readonly<Record<string, string>>): IncomingMessage {
  return Object.assign(new IncomingMessage(new Socket()), { headers })
}

/** Reads what comes in these pieces. */
function read(pieces: readonly (string | Buffer)[], headers: Readonly<Record<string, string>> = JSON_HEADERS, maxBytes = 100) {
  const req = request(headers)
  const reading = readMessage(req, maxBytes)
  for (const piece of pieces) req.push(piece)
  req.push(null)
  return reading
}

/** [Accept header, JSON is taken, an event stream is taken] */
const ACCEPT: readonly (readonly [string | undefined, boolean, boolean])[] = [
  [undefined, true, true],
  ['', true, true],
  [' ', true, true],
  ['application/json, text/event-stream', true, true],
  ['text/event-stream,application/json', true, true],
  ['APPLICATION/JSON, Text/Event-Stream', true, true],
  ['application/json', true, false],
  ['text/event-stream', false, true],
  ['*/*', true, true],
  ['application/*', true, false],
  ['text/*', false, true],
  ['text/html', false, false],
  ['application/json;q=0', false, false],
  ['application/json;q=0.1', true, false],
  ['application/json; charset=utf-8; q=0.000', false, false],
  ['application/json; charset=utf-8', true, false],
  ['*/*, text/event-stream;q=0', true, false],
  ['text/event-stream;q=0, */*', true, false],
  ['application/*;q=0, */*', false, true],
  ['application/*;q=0, application/json', true, false],
  ['application/json;q=0, application/*', false, false],
  ['application/json;q=x', false, false],
  ['application/jsonx', false, false],
]
for (const [header, json, stream] of ACCEPT)
  test(`Accept ${JSON.stringify(header)}: JSON ${json}, stream ${stream}`, () => {
    assert.deepEqual(acceptedForms(header), { json, stream })
  })

/** [headers, status] */
const CONTENT: readonly (readonly [Readonly<Record<string, string>>, number])[] = [
  [{}, 415],
  [{ 'content-type': 'application/json' }, 200],
  [{ 'content-type': 'Application/JSON' }, 200],
  [{ 'content-type': 'application/json; charset=utf-8' }, 200],
  [{ 'content-type': 'application/json ;charset="UTF-8"' }, 200],
  [{ 'content-type': 'application/json;charset=utf8' }, 200],
  [{ 'content-type': 'application/json; profile=x' }, 200],
  [{ 'content-type': 'application/json; charset=latin1' }, 415],
  [{ 'content-type': 'application/json; charset=utf-16' }, 415],
  [{ 'content-type': 'application/json; charset=utf-8x' }, 415],
  [{ 'content-type': 'application/json; charset=xutf-8' }, 415],
  [{ 'content-type': 'application/json; charset=latin1; charset=utf-8' }, 415],
  [{ 'content-type': 'text/plain' }, 415],
  [{ 'content-type': 'text/plain; charset=utf-8' }, 415],
  [{ 'content-type': 'application/json, text/plain' }, 415],
  [{ ...JSON_HEADERS, 'content-encoding': 'identity' }, 200],
  [{ ...JSON_HEADERS, 'content-encoding': 'Identity' }, 200],
  [{ ...JSON_HEADERS, 'content-encoding': 'gzip' }, 415],
  [{ ...JSON_HEADERS, 'content-encoding': '' }, 415],
]
for (const [headers, status] of CONTENT)
  test(`a body with ${JSON.stringify(headers)}: ${status}`, async () => {
    const answer = await read(['{"id":1}'], headers)
    const { refused } = answer
    assert.equal(refused?.status ?? 200, status)
    if (status === 200) assert.deepEqual(answer, { message: { id: 1 } })
    if (headers['content-encoding'] === 'gzip')
      assert.deepEqual(refused?.headers, { 'accept-encoding': 'identity' }, 'it says what to send')
  })

test('a body that is not read is told what it would have to be', async () => {
  for (const [headers, message] of [
    [{}, 'Content-Type must be application/json in UTF-8, not missing'],
    [{ 'content-type': 'text/plain' }, 'Content-Type must be application/json in UTF-8, not "text/plain"'],
    [{ ...JSON_HEADERS, 'content-encoding': 'gzip' }, 'Content-Encoding "gzip" is not accepted; send the body as it is'],
  ] as const)
    assert.equal((await read(['{}'], headers)).refused?.message, message)
})

test('a body has at most as many bytes as are allowed, whether its length was told or not', async () => {
  const ofBytes = (count: number) => `"${'é'.repeat((count - 2) / 2)}"`
  for (const [told, bytes, max, status] of [
    [undefined, 100, 100, 200],
    [undefined, 102, 101, 413],
    ['100', 100, 100, 200],
    ['101', 100, 100, 413],
    ['10', 102, 101, 413],
  ] as const) {
    const text = Buffer.from(ofBytes(bytes))
    const headers = told === undefined ? JSON_HEADERS : { ...JSON_HEADERS, 'content-length': told }
    for (const pieces of [[text], [text.subarray(0, 51), text.subarray(51)], Array.from(text, (byte) => Buffer.of(byte))]) {
      const answer = await read(pieces, headers, max)
      assert.equal(answer.refused?.status ?? 200, status, `${told} ${bytes} of ${max} in ${pieces.length} pieces`)
      if (status === 413)
        assert.deepEqual(answer.refused, {
          status: 413,
          code: -32600,
          message: `The body is longer than ${max} bytes (limits.bodyBytes)`,
        })
      else assert.deepEqual(answer, { message: 'é'.repeat(49) })
    }
  }
})

test('a body that breaks off is no message, and one that is refused is read to its end', async () => {
  const broken = request(JSON_HEADERS)
  const reading = readMessage(broken, 100)
  broken.push('{"id":1}')
  broken.destroy()
  await assert.rejects(reading, /went away/)

  const failed = request(JSON_HEADERS)
  const failing = readMessage(failed, 100)
  failed.destroy(new Error('reset'))
  await assert.rejects(failing, /reset/)

  const refused = request({ 'content-type': 'text/plain' })
  await readMessage(refused, 100)
  assert.equal(refused.readableFlowing, true)
})

/** [bytes of a message, what it is, or the status, code and text of the refusal] */
const PARSED: readonly (readonly [string | Buffer, unknown, (readonly [number, number, string])?])[] = [
  ['{"id":1}', { id: 1 }],
  ['[]', []],
  ['', undefined, [400, -32700, 'Parse error: the message is not valid JSON']],
  ['{', undefined, [400, -32700, 'Parse error: the message is not valid JSON']],
  [Buffer.from([0x22, 0xff, 0x22]), undefined, [400, -32700, 'Parse error: the message is not valid UTF-8']],
  ['{"id":1,"id":2}', undefined, [400, -32600, 'The message has the key "id" twice']],
  [JSON.stringify({ method: 'm'.repeat(256) }), { method: 'm'.repeat(256) }],
  [JSON.stringify({ method: 'm'.repeat(257) }), undefined, [400, -32600, 'A method has at most 256 characters']],
  [JSON.stringify([{}, { method: 'm'.repeat(257) }]), undefined, [400, -32600, 'A method has at most 256 characters']],
  [JSON.stringify([null, 1, { method: 1, x: 'm'.repeat(300) }]), [null, 1, { method: 1, x: 'm'.repeat(300) }]],
  [JSON.stringify('m'.repeat(300)), 'm'.repeat(300)],
  [JSON.stringify({ method: Array(300).fill('m') }), { method: Array(300).fill('m') }],
]
for (const [bytes, message, refused] of PARSED)
  test(`the message ${String(bytes).slice(0, 30)} of ${bytes.length}: ${refused?.[2] ?? 'is read'}`, () => {
    const expected = refused ? { refused: { status: refused[0], code: refused[1], message: refused[2] } } : { message }
    assert.deepEqual(parseMessage(Buffer.from(bytes)), expected)
    if (typeof bytes === 'string') assert.deepEqual(parseText(bytes), expected)
  })

test('what asks for an answer, and the id to answer with', () => {
  for (const [message, asks, id] of [
    [{ method: 'a', id: 1 }, true, 1],
    [{ method: 'a', id: 'x' }, true, 'x'],
    [{ method: 'a', id: 0 }, true, 0],
    [{ method: 'a', id: null }, true, null],
    [{ method: 'a', id: {} }, true, null],
    [{ method: 'a' }, false, null],
    [{ id: 1, result: {} }, false, null],
    [[{ method: 'a' }, { method: 'b', id: 2 }], true, null],
    [[{ method: 'a' }, { id: 2 }], false, null],
    [[], false, null],
    [null, false, null],
    ['x', false, null],
  ] as const) {
    assert.equal(isRequest(message), asks, JSON.stringify(message))
    assert.equal(idOf(message), id, JSON.stringify(message))
  }
})

const names = (count: number) => Array.from({ length: count }, (_, index) => `t${index}`).join(',')

/** [X-Patchbay-Toolsets, X-Patchbay-Read-Only, path, what is given up; undefined for a refusal] */
const NARROWED: readonly (readonly [string | undefined, string | undefined, string, object | undefined])[] = [
  [undefined, undefined, '/mcp', { readOnly: false }],
  [undefined, 'true', '/mcp', { readOnly: true }],
  [undefined, 'false', '/mcp', { readOnly: false }],
  [undefined, 'TRUE', '/mcp', undefined],
  [undefined, '', '/mcp', undefined],
  [undefined, '1', '/mcp', undefined],
  ['triage', undefined, '/mcp', { toolsets: ['triage'], readOnly: false }],
  ['triage', 'true', '/mcp', { toolsets: ['triage'], readOnly: true }],
  [' a , tag:b,a', undefined, '/mcp', { toolsets: ['a', 'tag:b'], readOnly: false }],
  ['', undefined, '/mcp', undefined],
  ['a,', undefined, '/mcp', undefined],
  ['a b', undefined, '/mcp', undefined],
  ['tag:tag:a', undefined, '/mcp', undefined],
  ['*', undefined, '/mcp', undefined],
  ['a'.repeat(64), undefined, '/mcp', { toolsets: ['a'.repeat(64)], readOnly: false }],
  ['a'.repeat(65), undefined, '/mcp', undefined],
  [names(32), undefined, '/mcp', { toolsets: names(32).split(','), readOnly: false }],
  [names(33), undefined, '/mcp', undefined],
  [
    undefined,
    undefined,
    '/mcp/readonly',
    { readOnly: false, address: { path: '/readonly', toolsets: undefined, readOnly: true } },
  ],
  [
    undefined,
    undefined,
    '/mcp/x/triage',
    { readOnly: false, address: { path: '/x/triage', toolsets: ['triage'], readOnly: false } },
  ],
  [
    undefined,
    undefined,
    '/mcp/x/a%2Ctag%3Ab',
    { readOnly: false, address: { path: '/x/a%2Ctag%3Ab', toolsets: ['a', 'tag:b'], readOnly: false } },
  ],
  [
    'c',
    'true',
    '/mcp/x/a,b/readonly',
    {
      toolsets: ['c'],
      readOnly: true,
      address: { path: '/x/a,b/readonly', toolsets: ['a', 'b'], readOnly: true },
    },
  ],
  [undefined, undefined, '/mcp/x/a%20b', undefined],
  [undefined, undefined, '/mcp/x/%E0%A4%A', undefined],
  [undefined, undefined, `/mcp/x/${names(33)}`, undefined],
  ['a b', undefined, '/mcp/readonly', undefined],
]
for (const [toolsets, readOnly, path, expected] of NARROWED)
  test(`toolsets ${JSON.stringify(toolsets?.slice(0, 20))} and read-only ${JSON.stringify(readOnly)} at ${path.slice(0, 40)}`, () => {
    const headers = {
      ...(toolsets !== undefined && { 'x-patchbay-toolsets': toolsets }),
      ...(readOnly !== undefined && { 'x-patchbay-read-only': readOnly }),
    }
    const answer = readNarrowing(request(headers), path)
    if (expected === undefined) assert.equal('refused' in answer && answer.refused.status, 400)
    else assert.deepEqual(JSON.parse(JSON.stringify(answer)), JSON.parse(JSON.stringify({ narrowing: expected })))
  })
