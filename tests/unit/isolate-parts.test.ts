import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inputRequired, SecretValue, ServiceError } from '@mcp-patchbay/plugin-api'
import { hostError } from '../../host/src/errors.ts'
import { silentLogger } from '../../host/src/observability/logger.ts'
import { createBroker } from '../../host/src/plugin/isolate/broker.ts'
import { createDenials } from '../../host/src/plugin/isolate/denials.ts'
import { createBackoff } from '../../host/src/plugin/isolate/backoff.ts'
import { describe, readDescription } from '../../host/src/plugin/isolate/channel/description.ts'
import { FrameError, PLUGIN_BOUNDS } from '../../host/src/plugin/isolate/channel/frame.ts'
import { createFrameReader } from '../../host/src/plugin/isolate/channel/frame-reader.ts'
import { pacedProgress } from '../../host/src/plugin/isolate/channel/paced-progress.ts'
import { readConfig, writeConfig } from '../../host/src/plugin/isolate/channel/config-codec.ts'
import { readThrown, writeThrown } from '../../host/src/plugin/isolate/channel/error-codec.ts'
import { randomFrom } from '../fixtures/random.ts'
import { encodeFrame } from '../fixtures/plugins/frames.ts'

const unexpected = () => assert.fail('nothing is read')
const nothing = { onFrame: unexpected, onCall: unexpected, onResult: unexpected }

test('a process that dies waits twice as long each time, and the fifth time within a minute forever', () => {
  let now = 0
  const backoff = createBackoff({ now: () => now, random: () => 0.5 })
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => backoff.exited()),
    [100, 200, 400, 800, undefined],
  )
  now = 60_000
  assert.equal(backoff.exited(), 100)
})

test('processes that died together do not start together', () => {
  const waits = [0, 0.5, 1].map((random) => Math.round(createBackoff({ now: () => 0, random: () => random }).exited() ?? 0))
  assert.deepEqual(waits, [80, 100, 120])
})

test('frames are the same however the stream cuts them', () => {
  const random = randomFrom(7)
  const sent = Array.from({ length: 50 }, (_, id) => ({
    header: [0, id, 'ü'.repeat(random() * 200)],
    body: 'x'.repeat(random() * 5_000),
  }))
  const stream = Buffer.concat(sent.map(({ header, body }) => encodeFrame(header, body)))
  const read: unknown[] = []
  const reader = createFrameReader({
    ...nothing,
    bounds: PLUGIN_BOUNDS,
    onFrame: (header, body) => void read.push({ header, body: body.toString() }),
  })
  for (let at = 0; at < stream.length;) {
    const next = at + 1 + Math.floor(random() * 3_000)
    reader.push(stream.subarray(at, next))
    at = next
  }
  assert.deepEqual(read, sent)
})

test('a frame that is too long is refused by its first eight bytes', () => {
  const lengths = (header: number, body: number) => {
    const prefix = Buffer.alloc(8)
    prefix.writeUInt32LE(header, 0)
    prefix.writeUInt32LE(body, 4)
    return prefix
  }
  const { frameBytes, headerBytes } = PLUGIN_BOUNDS
  for (const prefix of [lengths(10, frameBytes), lengths(headerBytes + 1, 0), lengths(2 ** 32 - 1, 2 ** 32 - 1)]) {
    const reader = createFrameReader({ ...nothing, bounds: PLUGIN_BOUNDS })
    reader.push(prefix.subarray(0, 3))
    assert.throws(() => reader.push(prefix.subarray(3)), FrameError)
  }
})

test('a header that is deep, or holds many values, is refused before it is parsed', () => {
  for (const text of [`${'['.repeat(65)}${']'.repeat(65)}`, `[${'0,'.repeat(20_001)}0]`, `[{"a":[${'{},'.repeat(20_000)}0]}]`]) {
    const prefix = Buffer.alloc(8)
    prefix.writeUInt32LE(text.length, 0)
    const reader = createFrameReader({ ...nothing, bounds: PLUGIN_BOUNDS })
    assert.throws(() => reader.push(Buffer.concat([prefix, Buffer.from(text)])), FrameError)
  }
})

test('a description passes the same checks as the plugin itself', () => {
  class Named {
    readonly name = 'own'
    get tools() {
      return [{ name: 'one', access: 'read', run: () => 'one', input: { type: 'object' } }]
    }
    createClient() {}
  }
  const read = readDescription(describe(new Named())) as {
    name: string
    createClient: unknown
    tools: { run: unknown; input: unknown }[]
  }
  assert.deepEqual(
    [read.name, typeof read.createClient, typeof read.tools[0]?.run, read.tools[0]?.input],
    ['own', 'function', 'function', { type: 'object' }],
  )
  assert.equal(readDescription(describe(undefined)), undefined)
})

test('a config goes over with its secrets as they were, and without those that cannot be revealed', () => {
  const config = { apiUrl: 'x', apiKey: new SecretValue(), nested: { keys: [new SecretValue(() => 'shown')] } }
  const wire = writeConfig(config)
  const read = readConfig(JSON.parse(JSON.stringify(wire))) as typeof config
  assert.equal(read.apiUrl, 'x')
  assert.throws(() => read.apiKey.reveal(), { code: 'PERMISSION_DENIED' })
  assert.equal(read.nested.keys[0]?.reveal(), 'shown')
  for (const part of [read, read.nested, read.nested.keys])
    assert.ok(Object.isFrozen(part), 'no client of it changes it for another')
})

test('a plugin makes no error that the host decides by', () => {
  const over = (error: unknown, trusted: boolean) => readThrown(JSON.parse(JSON.stringify(writeThrown(error))), trusted)
  const cancelled = hostError('CALL_CANCELLED', { tool: 'x' })
  assert.equal(Reflect.get(over(cancelled, true), 'code'), 'CALL_CANCELLED')
  assert.equal(Reflect.get(over(cancelled, false), 'code'), undefined)
  const refused = over(new ServiceError('RATE_LIMITED', 'slow down', { fix: 'Wait', retryAfterMs: 5 }), false)
  assert.ok(refused instanceof ServiceError)
  assert.deepEqual([refused.code, refused.message, refused.fix, refused.retryAfterMs], ['RATE_LIMITED', 'slow down', 'Wait', 5])
  const unreadable = { get: () => assert.fail('read'), getPrototypeOf: () => assert.fail('looked at') }
  const proxies = [new Proxy({}, unreadable), new Proxy(new ServiceError('NOT_FOUND', 'x'), { get: unreadable.get })]
  for (const thrown of [
    ...proxies,
    undefined,
    null,
    'text',
    7,
    Symbol('s'),
    inputRequired({ requests: {} }),
    Object.create(null),
  ])
    assert.ok(over(thrown, false) instanceof Error)
})

test('an error with any number of causes goes over, and comes back with the first few', () => {
  let wire: unknown = { kind: 'error', name: 'Error', message: 'last' }
  for (let depth = 0; depth < 20_000; depth++)
    wire = { kind: 'host', code: 'PLUGIN_IMPORT', message: `${depth}`, fix: [], cause: wire }
  const read = readThrown(wire, false)
  const messages = Array.from(causesOf(read), ({ message }) => message)
  assert.deepEqual(messages, ['19999', '19998', '19997', '19996', '19995', '19994'])

  const cycle = hostError('CALL_CANCELLED', { tool: 'x' })
  cycle.cause = cycle
  assert.ok(JSON.stringify(writeThrown(cycle)).length < PLUGIN_BOUNDS.headerBytes)
  const wide = hostError(
    'CALL_CANCELLED',
    { tool: '\u0000'.repeat(1e6) },
    Object.assign(new Error('\u0000'.repeat(1e6)), { stack: '\u0000'.repeat(1e6) }),
  )
  assert.ok(JSON.stringify([2, 1, writeThrown(wide)]).length < PLUGIN_BOUNDS.headerBytes)
})

function* causesOf(error: Error): Generator<Error> {
  for (let at: unknown = error; at instanceof Error; at = at.cause) yield at
}

test('a value for the cache that is deep or not JSON is refused, and one that is too large replaces what was there', async () => {
  const kept = new Map<string, unknown>([['k', 'old']])
  const cache = {
    set: async (key: string, value: unknown) => void kept.set(key, value),
    delete: async (key: string) => void kept.delete(key),
  }
  const broker = createBroker({
    instance: 'test',
    log: silentLogger,
    now: () => 0,
    digest: '',
    cache: { namespace: () => cache } as never,
    http: {} as never,
    metrics: {} as never,
  })
  const set = (body: string) => broker.onRequest('cache', { data: { what: 'set', key: 'k', ttlMs: 1 }, body: Buffer.from(body) })
  for (const body of [`${'['.repeat(300)}${']'.repeat(300)}`, '{]', '"open'])
    await assert.rejects(set(body), { code: 'CACHE_VALUE' }, body)
  assert.equal(kept.get('k'), 'old')
  await set('{"new":1}')
  assert.deepEqual(kept.get('k'), { new: 1 })
  await set(`"${'x'.repeat(3_000_000)}"`)
  assert.equal(kept.size, 0)
})

test('progress reaches the client at once, and then four times a second at most', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let now = 0
  const sent: number[] = []
  const progress = pacedProgress(
    (step) => void sent.push(step),
    () => now,
  )
  for (let step = 1; step <= 1_000; step++) progress.tell(step, undefined)
  assert.deepEqual(sent, [1])
  now = 250
  t.mock.timers.tick(250)
  assert.deepEqual(sent, [1, 1_000])
  progress.tell(1_001, undefined)
  progress.end()
  t.mock.timers.tick(1_000)
  assert.deepEqual(sent, [1, 1_000])
})

test('what a process was refused is said once a minute, and twenty lines at most', () => {
  let time = 0
  const said: string[] = []
  const warn = (event: string, fields: Readonly<Record<string, unknown>> = {}) =>
    void said.push([event, fields['resource'] ?? fields['times']].join(' '))
  const denials = createDenials({ ...silentLogger, warn }, () => time)
  const deny = (resource: string) => denials.note({ permission: 'FileSystemRead', resource })
  deny('/a')
  deny('/a')
  deny('/b')
  assert.deepEqual(said.splice(0), ['plugin_access_denied /a', 'plugin_access_denied /b'])
  time = 60_000
  deny('/a')
  assert.deepEqual(said.splice(0), ['plugin_denials_dropped 1', 'plugin_access_denied /a'])
  for (let count = 0; count < 30; count++) deny(`/${count}`)
  assert.equal(said.splice(0).length, 19)
  denials.note({ permission: 'Not\na permission', resource: '/c' })
  time = 120_000
  deny('/c')
  assert.deepEqual(said, ['plugin_denials_dropped 11', 'plugin_access_denied /c'])
})
