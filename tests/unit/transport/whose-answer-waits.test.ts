import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import type { Principal } from '@mcp-patchbay/plugin-api'
import { hostError } from '../../../host/src/errors.ts'
import { windowOf } from '../../../host/src/server/call/rate-limit.ts'
import { createRateLimit } from '../../../host/src/server/call/rate-limit.ts'
import { createCaller } from '../../../host/src/server/catalog/caller.ts'
import { missingScopes } from '../../../host/src/server/catalog/missing-scopes.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { beginEarly, eventOf, isEarly, keepWarm, takeEarly, writeEvent } from '../../../host/src/transport/http/early-answer.ts'
import { waitForChanges } from '../../../host/src/transport/http/http-exchange.ts'
import { Answering } from '../../../host/src/transport/http/open-responses.ts'
import { refusal, refuse, sendJson } from '../../../host/src/transport/http/respond.ts'
import { readiness } from '../../../host/src/transport/readiness.ts'
import { ListenBus, ownerOf } from '../../../host/src/transport/streamable/listen-bus.ts'
import { createStepUp } from '../../../host/src/transport/streamable/step-up.ts'
import { activeRecord, emptyPlugin, emptyTool, snapshotOf } from '../../fixtures/projects/snapshots.ts'

const principal = (more: Partial<Principal> = {}): Principal => ({
  id: 'ada',
  tenant: 'acme',
  permissions: [],
  kind: 'oauth',
  ...more,
})

/** A response whose bytes are kept: what was written so far, without the head. */
function response(accept?: string) {
  const req = Object.assign(new IncomingMessage(new Socket()), { headers: accept === undefined ? {} : { accept } })
  const res = new ServerResponse(req)
  const chunks: string[] = []
  res.write = ((chunk: string | Uint8Array) => {
    chunks.push(Buffer.from(chunk as string).toString())
    return true
  }) as typeof res.write
  res.end = ((chunk?: string | Uint8Array) => {
    if (chunk !== undefined) chunks.push(Buffer.from(chunk as string).toString())
    return res
  }) as typeof res.end
  const head = () => String(Reflect.get(res, '_header') ?? '').split('\r\n')
  return { res, head, body: () => chunks.join('') }
}

test('a refusal is JSON-RPC: its status, its code, the id of the request where it is known, its headers, and its length', () => {
  for (const [made, id, status, json, header] of [
    [refusal(400, 'no'), undefined, 400, '{"jsonrpc":"2.0","error":{"code":-32600,"message":"no"},"id":null}', undefined],
    [refusal(404, 'no', { code: -32001 }), 0, 404, '{"jsonrpc":"2.0","error":{"code":-32001,"message":"no"},"id":0}', undefined],
    [
      refusal(503, 'é', { headers: { 'retry-after': '1' } }),
      'x',
      503,
      '{"jsonrpc":"2.0","error":{"code":-32600,"message":"é"},"id":"x"}',
      'retry-after: 1',
    ],
  ] as const) {
    const { res, head, body } = response()
    refuse(res, made, id)
    assert.equal(res.statusCode, status)
    assert.equal(body(), json)
    assert.ok(head().includes('content-type: application/json'))
    assert.ok(head().includes(`content-length: ${Buffer.byteLength(json)}`), json)
    if (header !== undefined) assert.ok(head().includes(header))
  }
})

test('nothing is sent to a client that is gone, and nothing twice', () => {
  const gone = response()
  gone.res.destroy()
  sendJson(gone.res, 200, '{}')
  const begun = response()
  begun.res.writeHead(200)
  sendJson(begun.res, 500, '{}')
  assert.deepEqual([gone.head(), gone.body(), begun.res.statusCode, begun.body()], [[''], '', 200, ''])
})

test('an answer that takes long is begun as a stream, or as JSON for a client that takes none, and its end fits', () => {
  for (const [accept, type, warm, end] of [
    [undefined, 'text/event-stream', ': keepalive\n\n', 'event: message\ndata: {"a":1}\n\n'],
    ['text/event-stream', 'text/event-stream', ': keepalive\n\n', 'event: message\ndata: {"a":1}\n\n'],
    ['application/json', 'application/json', '\n', '{"a":1}'],
  ] as const) {
    const { res, head, body } = response(accept)
    assert.equal(isEarly(res), false)
    keepWarm(res)
    assert.equal(body(), '', 'nothing is kept warm that was not begun')
    beginEarly(res, { 'mcp-session-id': 's' })
    assert.deepEqual([res.statusCode, isEarly(res), body()], [200, true, warm])
    assert.ok(head().includes(`content-type: ${type}`) && head().includes('mcp-session-id: s'), head().join())
    assert.equal(head().includes('x-accel-buffering: no'), type === 'text/event-stream')
    sendJson(res, 200, '{"a":1}')
    assert.equal(body(), warm + end)
    assert.deepEqual([isEarly(res), takeEarly(res)], [false, undefined], 'one takes it')
  }
  assert.equal(eventOf('{}'), 'event: message\ndata: {}\n\n')
})

test('a stream whose client reads too slowly is let go, and one that is over takes nothing', () => {
  const lines: unknown[] = []
  const log = { ...silentLogger, warn: (event: string, fields?: object) => void lines.push([event, fields]) }
  const { res, body } = response()
  let unread = 1_048_576
  Object.defineProperty(res, 'writableLength', { get: () => unread })
  assert.equal(writeEvent(res, 'a', log), true)
  unread = 1_048_577
  assert.equal(writeEvent(res, 'b', log), false)
  assert.deepEqual([body(), res.destroyed, lines], ['a', true, [['slow_reader_dropped', { unread: 1_048_577 }]]])
  assert.equal(writeEvent(res, 'c', log), false)
  assert.equal(lines.length, 1)
  const small = response().res
  Object.defineProperty(small, 'writableLength', { get: () => 11 })
  assert.equal(writeEvent(small, 'a', log, 10), false)
})

test('an answer is begun after three seconds where it may be, kept warm every fifteen, and closing waits for it', async () => {
  const closed: ServerResponse[] = []
  const answering = new Answering((res) => void closed.push(res))
  answering.tick()
  const [call, other, sent] = [response(), response(), response()]
  const answers = [call, other, sent].map(({ res }) => answering.add(res))
  for (const answer of [answers[0], answers[2]]) if (answer) answer.mayBegin = true
  if (answers[0]) answers[0].headers = { 'mcp-session-id': 's' }
  sent.res.writeHead(200)
  for (let second = 1; second <= 3; second++) answering.tick()
  assert.equal(isEarly(call.res), false)
  answering.tick()
  assert.deepEqual(
    [call, other, sent].map(({ res }) => isEarly(res)),
    [true, false, false],
  )
  assert.ok(call.head().includes('mcp-session-id: s'))
  const first = call.body()
  for (let second = 5; second <= 14; second++) answering.tick()
  assert.equal(call.body(), first)
  answering.tick()
  assert.equal(call.body(), `${first}: keepalive\n\n`)
  let isDone = false
  const done = answering.done().then(() => (isDone = true))
  assert.deepEqual([...answering], [call.res, other.res, sent.res])
  answers[1]?.waits()
  assert.deepEqual([...answering].length, 2, 'what only waits is not waited for')
  sent.res.emit('close')
  await Promise.resolve()
  assert.equal(isDone, false)
  call.res.emit('close')
  await done
  other.res.emit('close')
  assert.deepEqual(closed, [sent.res, call.res, other.res])
  await answering.done()
})

test('a stream that waits ends when its credential ends or is taken back, and at no other time', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const open = (more: { expiresAt?: number; revoked?: AbortSignal }) => {
    let waited = 0
    const res = Object.assign(new EventEmitter(), { destroyed: 0, destroy: () => void res.destroyed++ })
    waitForChanges(
      { res, expiresAt: undefined, revoked: undefined, answer: { waits: () => void waited++ }, ...more } as never,
      () => 1_000,
    )
    assert.equal(waited, 1)
    return res
  }
  const forEver = open({})
  const [expired, soon, late] = [open({ expiresAt: 1_000 }), open({ expiresAt: 1_500 }), open({ expiresAt: 1_000 + 2 ** 40 })]
  const left = open({ expiresAt: 1_500 })
  left.emit('close')
  t.mock.timers.tick(0)
  assert.deepEqual([expired.destroyed, soon.destroyed], [1, 0])
  t.mock.timers.tick(499)
  assert.equal(soon.destroyed, 0)
  t.mock.timers.tick(1)
  assert.deepEqual([soon.destroyed, left.destroyed], [1, 0])
  t.mock.timers.tick(2 ** 31 - 502)
  assert.equal(late.destroyed, 0, 'a delay that is too long for a timer is no delay of nothing')
  const [revoking, gone] = [new AbortController(), AbortSignal.abort()]
  const revoked = open({ revoked: revoking.signal })
  const leftBefore = open({ revoked: revoking.signal })
  leftBefore.emit('close')
  assert.equal(open({ revoked: gone }).destroyed, 1)
  revoking.abort()
  assert.deepEqual([revoked.destroyed, leftBefore.destroyed, forEver.destroyed], [1, 0, 0])
})

test('a host is ready when what it needs serves; what is merely degraded is named', () => {
  const notes = activeRecord(emptyPlugin('notes', [emptyTool('a_get')]))
  const reason = { code: 'PLUGIN_IMPORT', message: 'broken', fix: ['fix it'] }
  const failed = (required: boolean) => ({ instance: 'b', entry: { ...notes.entry, required }, state: 'failed', reason }) as const
  const report = { state: 'failed', plugin: 'b', code: 'PLUGIN_IMPORT', reason: 'broken' }
  const missing = hostError('HOST_CLOSING', {})
  const ignored = [hostError('HOST_CLOSING', {})]
  const snapshot = (plugins: readonly object[], ignoredOnes: readonly object[] = []) =>
    ({ generation: 7, plugins, ignored: ignoredOnes }) as never
  const base = { draining: false, generation: 7, degraded: [] }
  assert.deepEqual(readiness(snapshot([]), false), { ...base, ready: true })
  assert.deepEqual(readiness(snapshot([notes]), false), { ...base, ready: true })
  assert.deepEqual(readiness(snapshot([notes]), true), { ...base, ready: false, draining: true })
  assert.deepEqual(readiness(snapshot([notes]), false, missing), {
    ...base,
    ready: false,
    missing: { code: 'HOST_CLOSING', reason: missing.message, fix: missing.fix },
  })
  assert.deepEqual(readiness(snapshot([notes, failed(false)]), false), {
    ...base,
    ready: true,
    degraded: [{ ...report, required: false }],
  })
  assert.deepEqual(readiness(snapshot([notes, failed(true)]), false), {
    ...base,
    ready: false,
    degraded: [{ ...report, required: true }],
  })
  assert.equal(readiness(snapshot([failed(false)]), false).ready, false, 'nothing serves')
  assert.deepEqual(readiness(snapshot([], ignored), false), { ...base, ready: false, ignored: [ignored[0]?.message] })
  assert.deepEqual(readiness(snapshot([notes], ignored), false), { ...base, ready: true, ignored: [ignored[0]?.message] })
  // A required plugin that still serves what it was before a broken edit is up.
  const edited = { ...notes, entry: { ...notes.entry, required: true }, reloadError: reason }
  assert.deepEqual(readiness(snapshot([edited]), false), {
    ...base,
    ready: true,
    degraded: [
      { plugin: 'notes', state: 'active', required: true, code: 'PLUGIN_IMPORT', reason: 'broken', reloadError: reason },
    ],
  })
  const quarantined = { ...notes, quarantined: new Set(['a_get']), othersQuarantined: new Set(['a_get']) }
  assert.deepEqual(readiness(snapshot([quarantined]), false).degraded, [
    { plugin: 'notes', state: 'active', required: false, quarantined: ['notes_a_get'] },
  ])
})

test('a stream of changes is counted for who opened it, and hears what changed for it until it leaves', () => {
  const added: {
    caller: { principal: Principal }
    listChanged: (kind: string) => void
    resourceUpdated: (uri: string) => void
  }[] = []
  let left = 0
  const bus = new ListenBus({
    add: (one: never) => {
      added.push(one)
      return () => void left++
    },
  } as never)
  const [ada, sameName] = [createCaller(principal()), createCaller(principal({ tenant: 'umbrella' }))]
  assert.deepEqual([ownerOf(ada), ownerOf(sameName)], ['["acme","ada"]', '["umbrella","ada"]'])
  assert.equal(ownerOf(createCaller(principal({ tenant: undefined }))), '[null,"ada"]')
  const heard: unknown[] = []
  const open = (caller: typeof ada) => bus.openFor(caller, () => bus.subscribe((event) => void heard.push(event)))
  assert.throws(() => bus.subscribe(() => {}), /opened for nobody|without a caller|opened/)
  const leave = open(ada)
  const leaveToo = open(ada)
  open(sameName)
  const counts = () => [bus.size, bus.openOf(ownerOf(ada)), bus.openOf(ownerOf(sameName))]
  assert.deepEqual(counts(), [3, 2, 1])
  assert.deepEqual(
    added.map(({ caller }) => caller.principal.tenant),
    ['acme', 'acme', 'umbrella'],
  )
  added[0]?.listChanged('tools')
  added[0]?.resourceUpdated('a://b')
  assert.deepEqual(heard, [{ kind: 'tools_list_changed' }, { kind: 'resource_updated', uri: 'a://b' }])
  leave()
  leave()
  assert.deepEqual(counts(), [2, 1, 1], 'one that leaves twice is counted once')
  leaveToo()
  assert.deepEqual([counts(), left], [[1, 0, 1], 3])
})

const guarded = snapshotOf(
  [
    activeRecord(
      emptyPlugin('notes', [
        emptyTool('free_get'),
        emptyTool('one_get', 'read', { permissions: ['notes:read'] }),
        emptyTool('two_get', 'read', { permissions: ['notes:read', 'notes:admin'] }),
        emptyTool('secret_get', 'read', { permissions: ['hidden'] }),
        emptyTool('one_put', 'write', { permissions: ['notes:read'] }),
      ]),
    ),
  ],
  { tenants: { acme: {} } },
)
const call = (name: string) => ({ method: 'tools/call', params: { name } })

test('scopes are asked for where they, and all of them published, are all that stands in the way', () => {
  const offered = ['notes:read', 'notes:admin', 'other']
  const needed = (
    message: unknown,
    permissions: readonly string[] = [],
    of = offered,
    narrowing = { toolsets: undefined, readOnly: false },
  ) => missingScopes(guarded, createCaller(principal({ permissions }), narrowing), message, of)
  for (const [message, permissions, expected] of [
    [call('notes_free_get'), [], undefined],
    [call('notes_one_get'), [], ['notes:read']],
    [call('notes_one_get'), ['other'], ['notes:read']],
    [call('notes_one_get'), ['notes:read'], undefined],
    [call('notes_two_get'), [], ['notes:read', 'notes:admin']],
    [call('notes_two_get'), ['notes:read'], ['notes:read', 'notes:admin']],
    [call('notes_secret_get'), [], undefined],
    [call('notes_nothing'), [], undefined],
    [{ method: 'tools/list', params: { name: 'notes_one_get' } }, [], undefined],
    [{ method: 'tools/call' }, [], undefined],
    [null, [], undefined],
    [[call('notes_free_get'), call('notes_one_get')], [], ['notes:read']],
    [[[call('notes_one_get')]], [], undefined],
    [[], [], undefined],
  ] as const)
    assert.deepEqual(needed(message, permissions), expected, JSON.stringify([message, permissions]))
  assert.equal(needed(call('notes_two_get'), [], ['notes:read']), undefined, 'one of the two is not published')
  assert.equal(
    needed(call('notes_one_put'), [], offered, { toolsets: undefined, readOnly: true }),
    undefined,
    'read-only stands in the way as well',
  )
})

test('who could call with more scopes is told which: of 2025 with those that it has, of 2026 without', () => {
  const challenges: unknown[] = []
  const challengeFor = (scopes: readonly string[], path: string) => `${challenges.push([scopes, path])}`
  const oauth = (scopes: readonly string[]) => ({ scopes, challengeFor }) as never
  const registry = { current: guarded } as never
  assert.equal(createStepUp(registry, oauth([])), undefined)
  const stepUp = createStepUp(registry, oauth(['other', 'notes:read', 'unused'])) ?? assert.fail()
  const ask = (who: Partial<Principal>, name: string, era: 'legacy' | 'modern') =>
    stepUp({ caller: createCaller(principal(who)), path: '/mcp/x/a' }, call(name), era)
  assert.equal(ask({}, 'notes_free_get', 'modern'), undefined)
  assert.equal(ask({ kind: 'apiKey' }, 'notes_one_get', 'modern'), undefined, 'a key cannot get more')
  assert.deepEqual(ask({ permissions: ['other', 'unpublished'] }, 'notes_one_get', 'modern'), {
    status: 403,
    code: -32600,
    message: 'This needs a token with the scopes: notes:read',
    headers: { 'www-authenticate': '1' },
  })
  assert.deepEqual(
    ask({ permissions: ['other', 'unpublished'] }, 'notes_one_get', 'legacy')?.message,
    'This needs a token with the scopes: other notes:read',
  )
  assert.deepEqual(challenges, [
    [['notes:read'], '/mcp/x/a'],
    [['other', 'notes:read'], '/mcp/x/a'],
  ])
})

test('a rate is a window of whole seconds that a burst takes on average', () => {
  for (const [callsPerMinute, burst, points, duration] of [
    [60, undefined, 6, 6],
    [60, 10, 10, 10],
    [600, undefined, 60, 6],
    [6, undefined, 1, 10],
    [1, undefined, 1, 60],
    [60, 1, 1, 1],
    [600, 1, 10, 1],
    [90, 60, 60, 40],
    [100, 7, 7, 4],
  ] as const)
    assert.deepEqual(windowOf({ callsPerMinute, burst }), { points, duration }, `${callsPerMinute} ${burst}`)
})

test('calls are counted for a person in its tenant, or for the tenant, and a config that says the same counts on', async () => {
  const outcome = async (limit: ReturnType<typeof createRateLimit>, who: Partial<Principal>) => {
    try {
      await limit(principal(who))
      return 'ok'
    } catch (error) {
      return (error as Error).message.replace(/\d+ s/, 'N s')
    }
  }
  const counted = async (settings: object | undefined, callers: readonly Partial<Principal>[]) => {
    const limit = createRateLimit({ settings: () => settings && (structuredClone(settings) as never) })
    const outcomes: boolean[] = []
    for (const who of callers) outcomes.push((await outcome(limit, who)) === 'ok')
    return outcomes
  }
  const others: readonly Partial<Principal>[] = [
    {},
    {},
    { id: 'bob' },
    { tenant: 'umbrella' },
    { kind: 'apiKey' },
    { tenant: undefined },
  ]
  assert.deepEqual(await counted(undefined, others), [true, true, true, true, true, true])
  assert.deepEqual(await counted({ callsPerMinute: 1 }, others), [true, false, true, true, true, true])
  assert.deepEqual(await counted({ callsPerMinute: 1, per: 'tenant' }, others), [true, false, false, true, false, true])
  const both = { callsPerMinute: 60, burst: 5, tenant: { callsPerMinute: 1 } }
  assert.deepEqual(await counted(both, others), [true, false, false, true, false, true])
  assert.equal(createRateLimit({ settings: () => undefined })(principal()), undefined)
  let settings = { callsPerMinute: 1 }
  const limit = createRateLimit({ settings: () => settings })
  assert.equal(await outcome(limit, {}), 'ok')
  assert.notEqual(await outcome(limit, {}), 'ok')
  settings = { callsPerMinute: 2 }
  assert.equal(await outcome(limit, {}), 'ok', 'another limit begins to count')
})
