import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogFields, Principal } from '@mcp-patchbay/plugin-api'
import { argumentShape, createAudit } from '../../../host/src/observability/audit.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createCaller } from '../../../host/src/server/catalog/caller.ts'
import { auditLine, deniedLine, givenArguments } from '../../../host/src/server/call/audit-line.ts'
import type { Outcome, PendingCall } from '../../../host/src/server/call/types.ts'

const ada: Principal = { id: 'ada', tenant: 'acme', permissions: ['*'], kind: 'oauth' }
const TRACE = { traceId: 'f'.repeat(32), traceparent: `00-${'f'.repeat(32)}-${'1'.repeat(16)}-01` }

interface Made {
  readonly outcome?: Outcome
  readonly name?: string
  readonly principal?: Principal
  readonly plugin?: object
  readonly wire?: unknown
  readonly args?: unknown
  readonly trace?: typeof TRACE
}

function call({
  outcome = 'ok',
  name = 'notes_items_get',
  principal = ada,
  plugin = {},
  wire = {},
  args = {},
  trace,
}: Made = {}) {
  return {
    kind: 'tool',
    name,
    caller: createCaller(principal),
    io: { requestId: 'call-1', trace },
    outcome,
    args,
    item: { access: 'read', wire, plugin: { instance: 'notes', version: '2.3.1', tree: 'sha256-1', ...plugin } },
  } as unknown as PendingCall
}

const ASKED = { kind: 'tool', name: 'notes_items_get', principal: 'ada', principalKind: 'oauth', tenant: 'acme', call: 'call-1' }
const RAN = {
  ...ASKED,
  decision: 'allow',
  plugin: 'notes',
  version: '2.3.1',
  tree: 'sha256-1',
  credential: 'none',
  outcome: 'ok',
  ms: 1.235,
  arguments: {},
}

test('a line says who called what, which bytes ran, by whose credential, how it ended, in which call and trace', () => {
  assert.deepEqual(auditLine(call(), 1.23456), RAN)
  assert.deepEqual(auditLine(call({ trace: TRACE }), 1.23456), { ...RAN, trace: 'f'.repeat(32) })
  const local: Principal = { id: 'local', tenant: undefined, permissions: ['*'], kind: 'local' }
  assert.deepEqual(auditLine(call({ principal: local }), 1.23456), {
    ...RAN,
    principal: 'local',
    principalKind: 'local',
    tenant: undefined,
  })
  assert.deepEqual(auditLine(call(), 0.0004, { id: 'number' }), { ...RAN, ms: 0, arguments: { id: 'number' } })
})

test('a call that ran is allowed however it ended; one that was one too many, not approved or gone is denied, with why', () => {
  for (const [outcome, decision, reason] of [
    ['ok', 'allow'],
    ['error', 'allow'],
    ['timeout', 'allow'],
    ['cancelled', 'allow'],
    ['limited', 'deny', 'rate'],
    ['refused', 'deny', 'not_approved'],
    ['unknown', 'deny', 'unknown'],
  ] as const)
    assert.deepEqual(
      auditLine(call({ outcome }), 1.2346),
      { ...RAN, decision, ...(reason && { reason }), outcome },
      `${outcome} is ${decision}`,
    )
})

test('a denial says who asked for what and the rule that refused, and nothing of the plugin', () => {
  assert.deepEqual(deniedLine(call(), 'read_only'), { ...ASKED, decision: 'deny', reason: 'read_only' })
  assert.deepEqual(deniedLine(call({ trace: TRACE }), 'unknown'), {
    ...ASKED,
    decision: 'deny',
    reason: 'unknown',
    trace: 'f'.repeat(32),
  })
})

test('a name has at most 256 characters of it in a line', () => {
  for (const [length, shown] of [
    [255, 'x'.repeat(255)],
    [256, 'x'.repeat(256)],
    [257, `${'x'.repeat(256)}…`],
    [10_000, `${'x'.repeat(256)}…`],
  ] as const) {
    const asked = call({ name: 'x'.repeat(length) })
    assert.deepEqual([auditLine(asked, 1).name, deniedLine(asked, 'unknown').name], [shown, shown])
  }
})

test('the credential of a line is the kind and the names of it', () => {
  const by = (use: unknown) => auditLine(call({ plugin: { credentialUse: () => use } }), 1).credential
  assert.equal(by(undefined), 'none')
  assert.equal(by({ by: 'none' }), 'none')
  assert.equal(by({ by: 'refused', source: { kind: 'server', variables: ['A'] } }), 'refused')
  assert.equal(
    by({ by: 'server', source: { kind: 'server', variables: ['NOTES_USER', 'NOTES_TOKEN'] } }),
    'server:NOTES_USER+NOTES_TOKEN',
  )
  assert.equal(by({ by: 'caller', source: { kind: 'header' } }), 'caller:header')
  assert.equal(by({ by: 'caller', source: { kind: 'account' } }), 'caller:account')
  const asked: unknown[] = []
  const account = { token: 'x' }
  const made = call({ plugin: { credentialUse: (of: unknown) => void asked.push(of) } })
  made.caller = { ...made.caller, account: account as never }
  auditLine(made, 1)
  assert.deepEqual(asked, [{ access: 'read', principal: ada, credentials: undefined, account }])
})

test('an argument is shown by the name that a tool or prompt declares, and any other one is counted', () => {
  const args = { id: 7, other: 'secret', more: 1 }
  const given = (wire: unknown) => givenArguments(call({ wire, args }))
  assert.deepEqual(given({ inputSchema: { properties: { id: {}, absent: {} } } }), { id: 'number', '…': '2 more' })
  assert.deepEqual(given({ arguments: [{ name: 'id' }, { name: 'more' }, null] }), {
    id: 'number',
    more: 'number',
    '…': '1 more',
  })
  for (const wire of [{}, { inputSchema: {} }, { inputSchema: { properties: [] } }, { arguments: 'id' }, undefined, 'id'])
    assert.deepEqual(given(wire), { '…': '3 more' }, JSON.stringify(wire))
  const resource = call({ args })
  delete (resource.item as { wire?: unknown }).wire
  assert.deepEqual(givenArguments(resource), { '…': '3 more' })
})

test('a shape has the kind and the size of a value and never the value', () => {
  const known = new Set(['a'])
  for (const [value, shape] of [
    ['', 'string(0)'],
    ['four', 'string(4)'],
    [[], 'array(0)'],
    [[1, 2], 'array(2)'],
    [{}, 'object(0)'],
    [{ a: 1, b: 2 }, 'object(2)'],
    [null, 'null'],
    [7, 'number'],
    [false, 'boolean'],
  ] as const)
    assert.deepEqual(argumentShape({ a: value }, known), { a: shape })
  for (const args of [undefined, null, 'text', 7]) assert.deepEqual(argumentShape(args, known), {})
})

test('an audit writes its lines, at a level that is always shown, as long as it is on, and makes no line while it is off', () => {
  const lines: unknown[] = []
  let isOn = false
  let made = 0
  const log = { ...silentLogger, info: (event: string, fields?: LogFields) => void lines.push([event, fields]) }
  const audit = createAudit(log, () => isOn)
  const line = () => {
    made++
    return deniedLine(call(), 'read_only')
  }
  audit.record(line)
  assert.deepEqual([audit.isOn(), made, lines], [false, 0, []])
  isOn = true
  audit.record(line)
  assert.deepEqual([audit.isOn(), made], [true, 1])
  assert.deepEqual(lines, [['audit', { ...ASKED, decision: 'deny', reason: 'read_only' }]])
})
