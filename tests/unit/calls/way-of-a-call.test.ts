import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePrompt, defineResource, Type, type Principal } from '@mcp-patchbay/plugin-api'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { hostError } from '../../../host/src/errors.ts'
import type { Audit } from '../../../host/src/observability/audit.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createMetrics } from '../../../host/src/observability/metrics.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { LivePlugin } from '../../../host/src/plugin/run/live-plugin.ts'
import type { CallRequest, RunningPlugin } from '../../../host/src/plugin/run/running.ts'
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
  const plugin = emptyPlugin('a', [emptyTool('strict_call', 'read', { input: Type.Object({ n: Type.Number() }) })], {
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
    metrics: createMetrics(),
    now: () => 0,
    limits: () => ({ callTimeoutMs: 60_000, resultBytes: 10_000 }),
    redact: createRedactor(),
    audit: { record: (line) => void denied.push(line()) },
    ...deps,
  })
  return { calls, live, denied, snapshot: snapshotOf([{ ...record, live }]) }
}

const ioOf = (cancellation = new Cancellation()) => ({ cancellation, requestId: 'r1' })

test('a call that is one too many is not told whether its arguments fit', async () => {
  const limited = hostError('RATE_LIMITED', { perMinute: 1, of: 'principal', seconds: 1 })
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
  ]
  for (const one of refused) await assert.rejects(one)
  assert.deepEqual(
    denied.map(({ decision, kind, name, reason }) => [decision, kind, name, reason]),
    [
      ['deny', 'tool', 'a_nothing', 'unknown'],
      ['deny', 'prompt', 'a_ask', 'permission'],
      ['deny', 'prompt', 'a_nothing', 'unknown'],
      ['deny', 'resource', 'file:///y', 'unknown'],
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
