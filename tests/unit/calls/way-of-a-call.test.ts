import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePrompt, defineResource, Type, type Principal } from '@mcp-patchbay/plugin-api'
import { ServiceError, toolResult } from '@mcp-patchbay/plugin-api/host'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { hostError } from '../../../host/src/errors.ts'
import type { Audit } from '../../../host/src/observability/audit.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createMetrics } from '../../../host/src/observability/metrics.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { LivePlugin } from '../../../host/src/plugin/run/live-plugin.ts'
import type { CallRequest, RunningPlugin } from '../../../host/src/plugin/run/running.ts'
import { auditLine } from '../../../host/src/server/call/audit-line.ts'
import { createCalls } from '../../../host/src/server/call/call.ts'
import { Cancellation } from '../../../host/src/server/call/cancellation.ts'
import type { CallDeps } from '../../../host/src/server/call/types.ts'
import { createCaller } from '../../../host/src/server/catalog/caller.ts'
import { activeRecord, emptyPlugin, emptyTool, snapshotOf } from '../../fixtures/projects/snapshots.ts'

const principal: Principal = { id: 'x', tenant: undefined, permissions: [], kind: 'apiKey' }
const caller = createCaller(principal)

/** A plugin that runs as `running` says, and a host's calls with what `deps` has. */
function setUp(running: Partial<RunningPlugin> = {}, deps: Partial<CallDeps> = {}) {
  const denied: ReturnType<Parameters<Audit['record']>[0]>[] = []
  const counted: string[] = []
  const metrics = createMetrics()
  const tools = [
    emptyTool('strict_call', 'read', { input: Type.Object({ n: Type.Number() }) }),
    emptyTool('short_call', 'read', { timeoutMs: 1 }),
    emptyTool('grave_call', 'write', { approval: 'required' }),
  ]
  const plugin = emptyPlugin('a', tools, {
    prompts: [
      definePrompt({ name: 'ask', description: 'Asks.', permissions: ['never'], run: () => 'x' }),
      definePrompt({ name: 'say', description: 'Says.', run: () => 'x' }),
    ],
    resources: [defineResource({ name: 'file', uri: 'file:///x', description: 'A file.', read: () => 'x' })],
  })
  const record = activeRecord(plugin)
  assert.ok(record.live)
  const live = new LivePlugin('a', { ...record.live.running, ...running })
  const calls = createCalls({
    log: silentLogger,
    metrics: { ...metrics, call: ({ outcome }) => void counted.push(outcome) },
    now: () => 0,
    limits: () => ({ callTimeoutMs: 5_000, resultBytes: 10_000 }),
    redact: createRedactor(),
    audit: { isOn: () => true, record: (line) => void denied.push(line()) },
    ...deps,
  })
  return { calls, live, denied, counted, snapshot: snapshotOf([{ ...record, live }]) }
}

const COMPLETED = { name: 'x', value: '', others: {} }
const ioOf = (cancellation = new Cancellation()) => ({ cancellation, requestId: 'r1' })

test('a call that is one too many is not told whether its arguments fit', async () => {
  let counted = 0
  const { calls, snapshot } = setUp({}, { rate: () => (counted++ === 0 ? Promise.resolve() : Promise.reject(limited)) })
  const text = async () => JSON.stringify(await calls.tool(snapshot, caller, 'a_strict_call', { n: 'one' }, ioOf()))
  assert.match(await text(), /Invalid arguments/)
  assert.match(await text(), /Too many calls/)
  assert.equal(counted, 2, 'a call with arguments that do not fit counts')
})

test('a call that waits for its rate runs in the version that it began with, however short the drain of others', async () => {
  const allowed = Promise.withResolvers<void>()
  const { calls, live, snapshot } = setUp({}, { rate: () => allowed.promise })
  const answer = calls.tool(snapshot, caller, 'a_strict_call', { n: 1 }, ioOf())
  assert.equal(live.inFlight, 1)
  const drained = live.drain({ drainMs: 60_000, reason: () => new Error('drained') })
  allowed.resolve()
  assert.match(JSON.stringify(await answer), /strict_call/)
  assert.deepEqual(await drained, { finished: 1, cancelled: 0 })
})

for (const when of ['before it began', 'while it waited for its rate'])
  test(`a call that its client cancelled ${when} does not reach the plugin`, async () => {
    const cancellation = new Cancellation()
    const allowed = Promise.withResolvers<void>()
    let reached = 0
    const { calls, snapshot } = setUp({ callTool: async () => void reached++ }, { rate: () => allowed.promise })
    if (when === 'before it began') cancellation.cancel('gone')
    const answer = calls.tool(snapshot, caller, 'a_strict_call', { n: 1 }, ioOf(cancellation))
    cancellation.cancel('gone')
    allowed.resolve()
    await assert.rejects(answer, { code: 'CALL_CANCELLED' })
    assert.equal(reached, 0)
  })

for (const end of ['answered', 'failed', 'was cancelled'])
  test(`progress and log lines of a plugin whose call ${end} go nowhere`, async () => {
    let late: CallRequest | undefined
    const told: unknown[] = []
    const cancellation = new Cancellation()
    const { calls, snapshot } = setUp({
      async callTool(_name, _input, request) {
        late = request
        request.progress(1)
        request.log('info', 'in time')
        if (end === 'failed') throw new Error('failed')
        if (end === 'was cancelled') await new Promise(() => {})
        return 'answer'
      },
    })
    const answer = calls.tool(
      snapshot,
      caller,
      'a_strict_call',
      { n: 1 },
      {
        ...ioOf(cancellation),
        progress: (progress) => void told.push(progress),
        log: (_level, data) => void told.push(data),
      },
    )
    if (end === 'was cancelled') cancellation.cancel('gone')
    await answer.catch(() => {})
    late?.progress(2)
    late?.log('info', 'too late')
    assert.deepEqual(told, [1, 'in time'])
  })

test('whatever a caller is denied is written down, with the rule: tools, prompts and resources, those that do not exist as well', async () => {
  const { calls, snapshot, denied } = setUp()
  const refused = [
    calls.tool(snapshot, caller, 'a_nothing', {}, ioOf()),
    calls.prompt(snapshot, caller, 'a_ask', {}, ioOf()),
    calls.prompt(snapshot, caller, 'a_nothing', {}, ioOf()),
    calls.resource(snapshot, caller, 'file:///y', ioOf()),
    calls.complete(snapshot, caller, { prompt: 'a_ask' }, COMPLETED, ioOf()),
    calls.complete(snapshot, caller, { template: 'file:///{nothing}' }, COMPLETED, ioOf()),
  ]
  for (const one of refused) await assert.rejects(one)
  assert.deepEqual(
    denied.map(({ decision, kind, name, reason }) => [decision, kind, name, reason]),
    [
      ['deny', 'tool', 'a_nothing', 'unknown'],
      ['deny', 'prompt', 'a_ask', 'permission'],
      ['deny', 'prompt', 'a_nothing', 'unknown'],
      ['deny', 'resource', 'file:///y', 'unknown'],
      ['deny', 'prompt', 'a_ask', 'permission'],
      ['deny', 'resource', 'file:///{nothing}', 'unknown'],
    ],
  )
})

test('secrets are taken out of the errors of tools, prompts and resources', async () => {
  const fails = () => Promise.reject(new ServiceError('UPSTREAM_FAILED', 'the service said s3cret-token'))
  const { calls, snapshot } = setUp(
    { callTool: fails, readResource: fails, getPrompt: fails },
    { redact: createRedactor(['s3cret-token']) },
  )
  const shown = /the service said \[redacted\]/
  assert.match(JSON.stringify(await calls.tool(snapshot, caller, 'a_strict_call', { n: 1 }, ioOf())), shown)
  await assert.rejects(calls.resource(snapshot, caller, 'file:///x', ioOf()), shown)
  await assert.rejects(calls.prompt(snapshot, caller, 'a_say', {}, ioOf()), shown)
})

const never = () => new Promise(() => {})
const limited = hostError('RATE_LIMITED', { perMinute: 1, of: 'principal', seconds: 1 })

/** How a call may end: what the plugin does, and what the audit and the metric say of it. */
const ENDINGS: readonly (readonly [
  how: string,
  tool: string,
  ends: () => unknown,
  audit: readonly unknown[],
  deps?: Partial<CallDeps>,
])[] = [
  ['with a value', 'a_strict_call', () => 'x', ['allow', undefined, 'ok']],
  [
    'with a result that says isError',
    'a_strict_call',
    () => toolResult({ content: 'no', isError: true }),
    ['allow', undefined, 'error'],
  ],
  ['with an error', 'a_strict_call', () => Promise.reject(new Error('no')), ['allow', undefined, 'error']],
  ['with a value that cannot be a result', 'a_strict_call', () => 1n, ['allow', undefined, 'error']],
  ['when its time is up', 'a_short_call', never, ['allow', undefined, 'timeout']],
  ['as one too many', 'a_strict_call', () => 'x', ['deny', 'rate', 'limited'], { rate: () => Promise.reject(limited) }],
  ['without the approval that it needs', 'a_grave_call', () => 'x', ['deny', 'not_approved', 'refused']],
  [
    'as one of a tool that did not exist after all',
    'a_strict_call',
    () => Promise.reject(hostError('TOOL_UNKNOWN', { name: 'a' })),
    ['deny', 'unknown', 'unknown'],
  ],
]
for (const [how, tool, ends, audit, deps] of ENDINGS)
  test(`the audit and the metric say how a call ended: ${how}`, async () => {
    const { calls, snapshot, denied, counted } = setUp({ callTool: async () => ends() }, deps)
    await calls.tool(snapshot, caller, tool, tool === 'a_strict_call' ? { n: 1 } : {}, ioOf()).catch(() => {})
    assert.deepEqual(
      denied.map((line) => 'outcome' in line && [line.decision, line.reason, line.outcome]),
      [audit],
    )
    // A tool that does not exist is not counted: whoever reads the metrics could tell it from others.
    assert.deepEqual(counted, audit[2] === 'unknown' ? [] : [audit[2]])
  })

test("a tool's own time limit goes before that of all calls", async () => {
  const { calls, snapshot } = setUp({ callTool: never })
  assert.match(JSON.stringify(await calls.tool(snapshot, caller, 'a_short_call', {}, ioOf())), /\b1 ms\b/)
})

test('outside of tools an error of the host keeps its code', async () => {
  const { calls, snapshot } = setUp({}, { rate: () => Promise.reject(limited) })
  await assert.rejects(calls.resource(snapshot, caller, 'file:///x', ioOf()), { code: 'RATE_LIMITED' })
  await assert.rejects(calls.prompt(snapshot, caller, 'a_say', {}, ioOf()), { code: 'RATE_LIMITED' })
})

test('progress that does not grow is dropped, and said once in the log', async () => {
  const told: unknown[] = []
  const log = fakeLog()
  const { calls, snapshot } = setUp(
    {
      async callTool(_name, _input, request) {
        for (const progress of [1, 1, 0.5, NaN, 2]) request.progress(progress)
        return 'x'
      },
    },
    { log },
  )
  const progress = (step: number) => void told.push(step)
  await calls.tool(snapshot, caller, 'a_strict_call', { n: 1 }, { ...ioOf(), progress })
  assert.deepEqual(told, [1, 2])
  assert.equal(log.lines.filter(({ event }) => event === 'progress_not_increasing').length, 1)
})

test('a wait that a service asks for is told in whole seconds, of which none is too short', async () => {
  const busy = new ServiceError('RATE_LIMITED', 'slow down', { retryAfterMs: 1_001 })
  const { calls, snapshot } = setUp({ callTool: () => Promise.reject(busy) })
  assert.match(JSON.stringify(await calls.tool(snapshot, caller, 'a_strict_call', { n: 1 }, ioOf())), /Wait 2 s, then try again/)
})

const lineOf = (credential: object | undefined) => {
  const { snapshot } = setUp()
  const item = snapshot.tools.get('a_strict_call')
  assert.ok(item)
  const plugin = { ...item.plugin, credentialUse: () => credential as never }
  const call = {
    kind: 'tool' as const,
    name: item.name,
    item: { ...item, plugin },
    caller,
    args: {},
    io: ioOf(),
    outcome: 'ok' as const,
  }
  return auditLine(call, 1).credential
}

test('the audit says with whose credential a call went, by the names of variables and never by a value', () => {
  const by = (of: string, source: object) => lineOf({ by: of, source, fingerprint: 's3cret' })
  assert.equal(lineOf(undefined), 'none')
  assert.equal(lineOf({ by: 'none' }), 'none')
  assert.equal(lineOf({ by: 'refused', error: new Error('s3cret') }), 'refused')
  assert.equal(by('server', { kind: 'server', variables: ['A_USERNAME', 'A_PASSWORD'] }), 'server:A_USERNAME+A_PASSWORD')
  assert.equal(by('caller', { kind: 'header' }), 'caller:header')
})
