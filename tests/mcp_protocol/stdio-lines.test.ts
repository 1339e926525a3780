import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createFastPath } from '../../host/src/transport/fast-path/fast-path.ts'
import { createStdioTransport } from '../../host/src/transport/stdio/stdio.ts'
import { demoPlugin } from '../fixtures/plugins/demo-plugin.ts'
import { hostError } from '../../host/src/errors.ts'
import { startServing, type Serving } from '../fixtures/http/serving.ts'

for (const [what, line, code] of [
  ['is not JSON', 'hello', -32700],
  ['is cut off', '{"jsonrpc":"2.0","id":1', -32700],
  ['is not valid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), -32700],
  ['is longer than may be', `{"x":"${'x'.repeat(70_000)}"}`, -32600],
  ['nests too deeply', '['.repeat(100), -32600],
  ['has its method twice', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}', -32600],
  ['is no message', '42', -32600],
  ['is a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600],
] as const) {
  test(`answers a line that ${what} with an error, and serves the next one`, async (t) => {
    const client = await startStdio(t)
    client.input.write(line)
    client.input.write('\n\n \r\n')
    const { id, error } = await client.message()
    assert.deepEqual([id, error?.code], [null, code])
    client.send(call(2, 'demo_whoami'))
    assert.equal((await client.message()).id, 2)
  })
}

test('answers a message that is no request by the id it gave', async (t) => {
  const client = await startStdio(t)
  client.send({ jsonrpc: '2.0', id: 'mine', method: 42 })
  assert.equal((await client.message()).id, 'mine')
})

test('puts a message together that comes in pieces', async (t) => {
  const client = await startStdio(t)
  for (const byte of Buffer.from(`${JSON.stringify(call(1, 'demo_echo', { text: 'süß' }))}\n`))
    client.input.write(Buffer.of(byte))
  assert.deepEqual((await client.message()).result?.structuredContent, { text: 'süß' })
})

test('reads no more while the client does not read', async (t) => {
  const client = await startStdio(t, { highWaterMark: 1_000 })
  client.lines.pause()
  client.output.pause()
  for (let id = 1; id <= 1_000; id++) client.send(call(id, 'demo_echo', { text: 'x'.repeat(500) }))
  while (!client.input.isPaused()) await new Promise((resolve) => client.input.once('pause', resolve))
  assert.ok(client.output.readableLength + client.output.writableLength < 200_000)
  client.output.resume()
  client.lines.resume()
  const ids = new Set<unknown>()
  while (ids.size < 1_000) ids.add((await client.message()).id)
})

for (const direct of [true, false]) {
  const by = direct ? 'the fast path' : 'the SDK'
  test(`begins as many calls at a time as memory has room for their answers, the others in order: ${by}`, async (t) => {
    const demo = demoPlugin()
    const client = await startStdio(t, { direct, resultBytes: 8_388_608 }, demo)
    const keys = Array.from({ length: 20 }, (_, index) => `k${index}`)
    const started = keys.map((key) => demo.started(key))
    let isCancelledBegun = false
    void started[9]?.then(() => (isCancelledBegun = true))
    for (const [id, key] of keys.entries()) client.send({ ...call(id, 'demo_wait', { key }), ...(direct && waits(id, key)) })
    await Promise.all(started.slice(0, 8))
    client.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 9, ...plain } })
    for (let turn = 0; turn < 10; turn++) await setImmediate()
    assert.equal(client.inFlight.size, 8)
    const ids: unknown[] = []
    for (const [id, key] of keys.entries()) {
      if (id === 9) continue
      await started[id]
      assert.ok(client.inFlight.size <= 8)
      demo.release(key)
      ids.push((await client.message()).id)
    }
    assert.equal(isCancelledBegun, false)
    assert.deepEqual(
      ids,
      [...keys.keys()].filter((id) => id !== 9),
    )
  })
}

test('begins no more calls for a client that does not read', async (t) => {
  const client = await startStdio(t, { highWaterMark: 1_000 })
  client.lines.pause()
  client.output.pause()
  const lines = Array.from({ length: 200 }, (_, id) => `${JSON.stringify(call(id, 'demo_echo', { text: 'x'.repeat(1_000) }))}\n`)
  client.input.write(lines.join(''))
  while (!client.output.writableNeedDrain || client.inFlight.size > 0) await setImmediate()
  for (let turn = 0; turn < 10; turn++) await setImmediate()
  assert.ok(client.output.writableLength < 250_000, String(client.output.writableLength))
  client.output.resume()
  client.lines.resume()
  for (let count = 0; count < 200; count++) assert.ok((await client.message()).result)
})

test('tells requests that it did not begin that it closes', async (t) => {
  const demo = demoPlugin()
  const client = await startStdio(t, { resultBytes: 8_388_608 }, demo)
  const keys = Array.from({ length: 9 }, (_, index) => `k${index}`)
  const eight = keys.slice(0, 8).map((key) => demo.started(key))
  for (const [id, key] of keys.entries()) client.send(call(id, 'demo_wait', { key }))
  await Promise.all(eight)
  for (let turn = 0; turn < 10; turn++) await setImmediate()
  await client.stdio.close({ graceMs: 0 })
  const answers = []
  for (let count = 0; count < 9; count++) answers.push(await client.message())
  assert.deepEqual(
    answers.filter(({ error }) => error?.message === 'The server is shutting down').map(({ id }) => id),
    [8],
  )
})

test('sees the end of the input of a client that does not read, and ends', async (t) => {
  const client = await startStdio(t, { highWaterMark: 1_000 })
  client.lines.pause()
  client.output.pause()
  for (let id = 1; id <= 10; id++) client.send(call(id, 'demo_echo', { text: 'x'.repeat(500) }))
  while (!client.output.writableNeedDrain) await setImmediate()
  for (let id = 11; id <= 20; id++) client.send(call(id, 'demo_echo', { text: 'x'.repeat(500) }))
  client.input.end()
  await client.stdio.closed
  client.output.resume()
  client.lines.resume()
  const ids = new Set<unknown>()
  while (ids.size < 20) ids.add((await client.message()).id)
})

test('refuses what comes while it closes, and ends what it follows', async (t) => {
  const demo = demoPlugin()
  const client = await startStdio(t, {}, demo)
  const started = demo.started('a')
  client.send(call(1, 'demo_wait', { key: 'a' }))
  client.send({ ...call(2, ''), method: 'subscriptions/listen', params: { ...meta, notifications: { toolsListChanged: true } } })
  await started
  const closed = client.stdio.close({ graceMs: 10_000 })
  client.send(call(3, 'demo_whoami'))
  const acknowledged = await client.message()
  assert.equal(acknowledged.method, 'notifications/subscriptions/acknowledged')
  const refused = await client.message()
  assert.deepEqual([refused.id, refused.error?.message], [3, 'The server is shutting down'])
  demo.release('a')
  assert.equal((await client.message()).result?.content?.[0]?.text, 'waited for a')
  assert.deepEqual([(await client.message()).id], [2])
  await closed
  await client.stdio.closed
})

for (const direct of [true, false])
  test(`a connection is of the revision of its first request, whoever answers that (direct: ${direct})`, async (t) => {
    const client = await startStdio(t, { direct })
    const ask = async (id: number, method: string, params: object) => {
      client.send({ jsonrpc: '2.0', id, method, params })
      const { error, ...answer } = await client.message()
      assert.equal(answer.id, id)
      return error
    }
    assert.equal(await ask(1, 'tools/list', plain), undefined)
    assert.equal(await ask(2, 'tools/call', { ...plain, name: 'demo_echo', arguments: { text: 'a' } }), undefined)
    assert.equal(await ask(3, 'resources/list', plain), undefined)
    const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'older', version: '1' } }
    assert.match((await ask(4, 'initialize', hello))?.message ?? '', /2026-07-28|not supported|Unsupported/i)
    assert.equal(await ask(5, 'tools/list', plain), undefined)
  })

test('a client of 2025 is served, whose first request nobody but the SDK takes', async (t) => {
  const client = await startStdio(t, { direct: true })
  const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'older', version: '1' } }
  client.send({ jsonrpc: '2.0', id: 1, method: 'initialize', params: hello })
  client.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
  client.send({ jsonrpc: '2.0', id: 2, method: 'tools/list' })
  assert.equal((await client.message()).id, 1)
  assert.equal((await client.message()).id, 2)
})

test('what waits for the SDK when the input ends is answered before the end', async (t) => {
  const client = await startStdio(t, { direct: true })
  client.input.end(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'resources/list', params: plain })}\n`)
  const { id, error } = await client.message()
  assert.deepEqual([id, error], [1, undefined])
  await client.stdio.closed
})

for (const [era, meta] of [
  ['2026-07-28', true],
  ['2025-11-25', false],
] as const)
  test(`a call that its plugin refuses once it is imported begins again, and has one answer: ${era}`, async (t) => {
    let refused = 0
    const client = await startStdio(t, { direct: true }, demoPlugin(), {
      // As for a tool that was listed from the cache and turned out to be another one.
      tool: async () => {
        refused++
        throw hostError('TOOL_UNKNOWN', { name: 'demo_echo' })
      },
    })
    if (!meta) {
      const hello = { protocolVersion: era, capabilities: {}, clientInfo: { name: 'older', version: '1' } }
      client.send({ jsonrpc: '2.0', id: 'hello', method: 'initialize', params: hello })
      assert.equal((await client.message()).id, 'hello')
      client.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
      // The fast path learns the revision from the first request that the SDK answers.
      client.send({ jsonrpc: '2.0', id: 'list', method: 'tools/list' })
      assert.equal((await client.message()).id, 'list')
    }
    const texts = new Map([1, 2, 3].map((id) => [id, `text ${id}`]))
    for (const [id, text] of texts)
      client.send({
        jsonrpc: '2.0',
        id,
        method: 'tools/call',
        params: { name: 'demo_echo', arguments: { text }, ...(meta && plain) },
      })
    client.send({
      jsonrpc: '2.0',
      id: 'last',
      method: 'tools/call',
      params: { name: 'demo_none', arguments: {}, ...(meta && plain) },
    })
    const answers = [await client.message(), await client.message(), await client.message(), await client.message()]
    const found = new Map(answers.map(({ id, result }) => [id, result?.structuredContent]))
    assert.deepEqual(
      found,
      new Map<unknown, unknown>([...[...texts].map(([id, text]) => [id, { text }] as const), ['last', undefined]]),
    )
    assert.equal(answers.find(({ id }) => id === 'last')?.error?.code, -32602)
    assert.equal(refused, 3, 'it was the fast path that began them')
    client.send({ jsonrpc: '2.0', id: 'more', method: 'ping', params: meta ? plain : {} })
    assert.equal((await client.message()).id, 'more', 'nothing came after the answers')
  })

interface Message {
  readonly id?: number | string | null
  readonly method?: string
  readonly result?: { readonly content?: readonly { readonly text: string }[]; readonly structuredContent?: unknown }
  readonly error?: { readonly code: number; readonly message: string }
}

/** The transport over streams of this process. */
async function startStdio(
  t: TestContext,
  { highWaterMark = 65_536, direct = false, resultBytes = 1_048_576 } = {},
  demo = demoPlugin(),
  ofFastPath: Partial<Serving['calls']> = {},
) {
  const input = new PassThrough()
  const output = new PassThrough({ highWaterMark })
  const serving = await startServing([demo.plugin])
  const stdio = createStdioTransport({
    ...serving,
    async factory() {
      // As long as it takes to read the SDK: whatever came is there by then, the end of the input too.
      if (direct) for (let turn = 0; turn < 10; turn++) await setImmediate()
      return serving.factory
    },
    ...(direct && { fastPath: createFastPath({ ...serving, calls: { ...serving.calls, ...ofFastPath } }) }),
    bodyBytes: 65_536,
    resultBytes,
    input,
    output,
  })
  t.after(() => stdio.close({ graceMs: 0 }))
  const lines = createInterface({ input: output })
  const iterator = lines[Symbol.asyncIterator]()
  return {
    input,
    output,
    lines,
    stdio,
    inFlight: serving.inFlight,
    send: (message: object) => void input.write(`${JSON.stringify(message)}\n`),
    message: async () => JSON.parse(String((await iterator.next()).value)) as Message,
  }
}

const meta = {
  _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} },
}

/** As the short way takes it. */
const plain = { _meta: { ...meta._meta, 'io.modelcontextprotocol/clientInfo': { name: 'a', version: '1' } } }

const waits = (id: number, key: string) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name: 'demo_wait', arguments: { key }, ...plain },
})

function call(id: number, name: string, input: object = {}): object {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: input, ...meta } }
}
