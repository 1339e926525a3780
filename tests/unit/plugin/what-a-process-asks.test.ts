// What the host does for a plugin in a process of its own, whatever form that process gives to what it asks.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpClient, Logger, Metrics } from '@mcp-patchbay/plugin-api'
import { createBroker } from '../../../host/src/plugin/isolate/broker.ts'
import { currentCall, inCall } from '../../../host/src/plugin/run/inline-call-scope.ts'
import type { CallRequest } from '../../../host/src/plugin/run/running.ts'
import { callScope } from '../../fixtures/http/service-http.ts'

/** A broker all of whose services are played, and what they were asked. */
function playedBroker() {
  const told: unknown[] = []
  const names: (readonly string[])[] = []
  const answer = {
    status: 201,
    headers: { a: 'b' },
    url: 'https://a.example/x',
    body: new Uint8Array([1]),
    text: () => assert.fail(),
    json: () => assert.fail(),
  }
  const http: HttpClient = {
    request: async (path, request) => {
      told.push(['request', currentCall()?.requestId, path, request])
      return answer
    },
    json: async <Value>(path: string, request: unknown) => {
      told.push(['json', currentCall()?.requestId, path, request])
      return (path === '/nothing' ? undefined : { a: 1 }) as Value
    },
    text: async (path, request) => {
      told.push(['text', currentCall()?.requestId, path, request])
      return 'text'
    },
  }
  const at = (level: string) => (event: string, fields?: object) => void told.push([level, event, { ...fields }])
  const logger = (): Logger => ({
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => (told.push(['child', { ...fields }]), logger()),
  })
  const metric = (kind: string) => (name: string, value?: number, labels?: object) => void told.push([kind, name, value, labels])
  const all = { count: metric('count'), gauge: metric('gauge'), observe: metric('observe'), reset: metric('reset') }
  const metrics: Metrics = all
  const kept = new Map<string, unknown>()
  let now = 0
  const broker = createBroker({
    instance: 'desk',
    http,
    log: logger(),
    metrics,
    cache: {
      namespace: (...name) => {
        names.push(name)
        return {
          get: async <Value>(key: string) => kept.get(key) as Value | undefined,
          set: async (key, value, options) => void (kept.set(key, value), told.push(['set', key, value, options])),
          delete: async (key) => void (kept.delete(key), told.push(['delete', key])),
          wrap: () => assert.fail(),
        }
      },
    },
    digest: 'v1',
    now: () => now,
    onRead: (file, digest) => void told.push(['read', file, digest]),
    onListed: (folder) => void told.push(['listed', folder]),
    resourceChanged: (uri) => void told.push(['changed', uri]),
  })
  const request = {
    requestId: 'the call',
    progress: (progress: number, options?: object) => void told.push(['progress', progress, options]),
    log: (level: string, data: unknown) => void told.push(['client', level, data]),
    closeStream: () => void told.push(['closed']),
  } as Partial<CallRequest> as CallRequest
  const begin = (id: number, access: 'read' | 'write' = 'read') =>
    broker.begin(id, { request, scope: callScope({ requestId: `call ${id}`, access }) })
  const ask = (what: string, data: unknown, body = '') => broker.onRequest(what, { data, body: Buffer.from(body) })
  const tell = (what: string, data: unknown) => {
    broker.onNotification(what, data)
    return told.splice(0)
  }
  return { broker, begin, ask, tell, told, names, kept, wait: (ms: number) => void (now += ms) }
}

test('a request to the service is made in the call that asks, as json, as text, or whole', async () => {
  const { begin, ask, told } = playedBroker()
  begin(1, 'write')
  begin(2)
  const at = (call: number, how: string, options: object = {}, path = '/x') => ask('http', { call, how, path, options })
  assert.deepEqual(await at(1, 'json'), { body: '{"a":1}' })
  assert.deepEqual(await at(1, 'json', {}, '/nothing'), { body: '' })
  assert.deepEqual(await at(2, 'text'), { body: 'text' })
  const whole = { status: 201, headers: { a: 'b' }, url: 'https://a.example/x' }
  for (const [call, method, mayChange] of [
    [1, 'POST', true],
    [1, 'DELETE', true],
    [1, 'GET', false],
    [1, 'HEAD', false],
    [2, 'POST', false],
    [9, 'POST', false],
  ] as const)
    assert.deepEqual(
      await at(call, 'request', { method }),
      { data: { ...whole, mayChange }, body: new Uint8Array([1]) },
      `${method} in ${call}`,
    )
  await inCall(callScope({ requestId: 'of another plugin' }), () => at(9, 'text'))
  assert.deepEqual(
    told.map((one) => (one as unknown[]).slice(0, 2)),
    [
      ['json', 'call 1'],
      ['json', 'call 1'],
      ['text', 'call 2'],
      ...Array.from({ length: 4 }, () => ['request', 'call 1']),
      ['request', 'call 2'],
      ['request', undefined],
      ['text', undefined],
    ],
  )
})

test('of a request, what the contract knows is passed on, each part only where it has its form', async () => {
  const { ask, told } = playedBroker()
  const passed = async (options: unknown, bodyAs?: string, body = '') => {
    await ask('http', { how: 'text', path: '/x', options, bodyAs }, body)
    return (told.splice(0)[0] as unknown[])[3]
  }
  const whole = {
    method: 'POST',
    query: { a: 'x', b: 2, c: true, d: ['x', 1] },
    headers: { accept: 'text/plain' },
    timeoutMs: 5,
    maxBytes: 6,
    withoutCredential: true,
  }
  assert.deepEqual(await passed(whole), whole)
  assert.deepEqual(
    await passed({
      method: 1,
      query: { a: {}, b: ['x', {}], c: null, d: 'kept' },
      headers: { accept: {}, n: 5 },
      timeoutMs: '5',
      maxBytes: null,
      withoutCredential: 'yes',
      credential: 'mine',
    }),
    { query: { d: 'kept' }, headers: { n: '5' } },
  )
  for (const options of [undefined, null, 'x', []]) assert.deepEqual(await passed(options), {})
  assert.deepEqual(await passed({ query: 'x', headers: 'x' }), {})
  assert.deepEqual(await passed({}, 'text', 'body'), { body: 'body' })
  assert.deepEqual(await passed({}, 'bytes', 'body'), { body: Buffer.from('body') })
  assert.equal(JSON.stringify(await passed({}, 'json', '{"a":1}')).includes('a'), true)
  assert.deepEqual(await passed({}, 'other', 'body'), {})
  for (const path of [undefined, 1, {}]) await assert.rejects(ask('http', { how: 'text', path, options: {} }), /needs a path/)
})

test('the host answers http and cache, and a cache gets, sets and deletes', async () => {
  const { ask, told, kept, names, begin } = playedBroker()
  for (const what of ['log', 'constructor', '']) await assert.rejects(ask(what, {}), /answers http and cache/)
  await assert.rejects(ask('cache', { what: 'clear', key: 'k' }), /can get, set and delete/)
  assert.deepEqual(await ask('cache', { what: 'get', key: 'k' }), { data: {} })
  assert.deepEqual(await ask('cache', { what: 'set', key: 'k', ttlMs: 5 }, 'null'), {})
  assert.deepEqual(await ask('cache', { what: 'get', key: 'k' }), { data: { found: null } })
  assert.deepEqual(await ask('cache', { what: 'delete', key: 'k' }), {})
  assert.equal(kept.size, 0)
  await ask('cache', { what: 'set', key: 'big', ttlMs: 5 }, `"${'x'.repeat(3_000_000)}"`)
  await ask('cache', { what: 'set', key: 'empty', ttlMs: 5 })
  assert.deepEqual(told, [
    ['set', 'k', null, { ttlMs: 5 }],
    ['delete', 'k'],
    ['delete', 'big'],
    ['set', 'empty', undefined, { ttlMs: 5 }],
  ])
  begin(1)
  await ask('cache', { call: 1, what: 'get', key: 'k' })
  assert.deepEqual(
    [names[0], names.at(-1)],
    [
      ['plugin', 'start', 'desk', 'v1'],
      ['plugin', 'call', '', 'local', 'local', 'desk', 'v1'],
    ],
  )
})

test('what a process tells is passed on where it has its form, and nothing else is', () => {
  const { begin, tell } = playedBroker()
  begin(1)
  const table: readonly (readonly [string, unknown, readonly unknown[]])[] = [
    ['metric', { kind: 'count', name: 'n', value: 1, labels: { a: 1, b: {} } }, [['count', 'n', 1, { a: '1' }]]],
    ['metric', { kind: 'gauge', name: 'n', value: 1 }, [['gauge', 'n', 1, {}]]],
    ['metric', { kind: 'observe', name: 'n', value: 1 }, [['observe', 'n', 1, {}]]],
    ['metric', { kind: 'constructor', name: 'n', value: 1 }, []],
    ['metric', { kind: 'reset', name: 'n', value: 1 }, []],
    ['metric', { kind: 'count', name: 1, value: 1 }, []],
    ['metric', { kind: 'count', name: 'n', value: '1' }, []],
    ['read', { file: '/a', digest: 'd' }, [['read', '/a', 'd']]],
    ['read', { file: '/a' }, []],
    ['read', { digest: 'd' }, []],
    ['listed', { folder: '/a' }, [['listed', '/a']]],
    ['listed', { folder: 1 }, []],
    ['folder', { folder: '/a' }, []],
    [
      'progress',
      { call: 1, progress: 1, total: 2, message: 'm'.repeat(2_000) },
      [['progress', 1, { total: 2, message: 'm'.repeat(1_000) }]],
    ],
    ['progress', { call: 1, progress: '2' }, []],
    ['progress', { call: 2, progress: 2 }, []],
    ['clientLog', { call: 1, level: 'warning', data: 'd' }, [['client', 'warning', 'd']]],
    ['clientLog', { call: 1, level: 'debug', data: 'd' }, [['client', 'debug', 'd']]],
    ['clientLog', { call: 1, level: 'info', data: 'd' }, [['client', 'info', 'd']]],
    ['clientLog', { call: 1, level: 'error', data: 'd' }, [['client', 'error', 'd']]],
    ['clientLog', { call: 1, level: 'warn', data: 'd' }, []],
    ['clientLog', { call: 1, level: 'emergency', data: 'd' }, []],
    ['clientLog', { call: 2, level: 'info', data: 'd' }, []],
    ['closeStream', { call: 1 }, [['closed']]],
    ['closeStream', { call: 2 }, []],
    ['resourceChanged', { uri: 'a:b' }, [['changed', 'a:b']]],
    ['resourceChanged', { uri: 1 }, []],
    ['unknown', { call: 1 }, []],
    ['metric', null, []],
    ['log', 'text', []],
  ]
  for (const [what, data, expected] of table) assert.deepEqual(tell(what, data), expected, `${what} ${JSON.stringify(data)}`)
})

test('a line of the log has its level, its fields and the call that it is of', () => {
  const { begin, tell } = playedBroker()
  begin(1)
  for (const level of ['debug', 'info', 'warn', 'error']) {
    const [line] = tell('log', { level, event: 'said', fields: { a: 1 } })
    assert.equal((line as unknown[])[0], level)
    assert.match(JSON.stringify(line), /"a":1/)
  }
  const [child] = tell('log', { call: 1, level: 'info', event: 'said' })
  assert.deepEqual((child as unknown[])[0], 'child')
  assert.match(JSON.stringify(child), /the call/)
  for (const data of [
    { level: 'warning', event: 'x' },
    { level: 'constructor', event: 'x' },
    { level: 'info', event: 1 },
    { event: 'x' },
  ])
    assert.deepEqual(tell('log', data), [], JSON.stringify(data))
})

test('what a process tells is bounded by the second, and told when it was too much, also by what the channel dropped', () => {
  const { tell, wait } = playedBroker()
  const listed = () => tell('listed', { folder: '/a' })
  let passed = 0
  while (listed().length > 0) passed++
  assert.equal(passed, 2_000)
  assert.deepEqual([...listed(), ...listed()], [])
  wait(999)
  assert.deepEqual(listed(), [])
  wait(1)
  assert.deepEqual(listed(), [
    ['warn', 'plugin_notifications_dropped', { dropped: 4, allowedPerSecond: 2_000 }],
    ['listed', '/a'],
  ])
  for (const times of [5, 0, -1, 1.5, '7', undefined]) assert.deepEqual(tell('dropped', { times }), [])
  wait(1_000)
  assert.deepEqual(listed()[0], ['warn', 'plugin_notifications_dropped', { dropped: 5, allowedPerSecond: 2_000 }])
  wait(1_000)
  assert.deepEqual(listed(), [['listed', '/a']], 'a second without too much says nothing')
})
