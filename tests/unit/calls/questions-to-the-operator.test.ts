import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { InFlight } from '../../../host/src/server/call/in-flight.ts'
import type { Calls } from '../../../host/src/server/call/types.ts'
import type { Registry } from '../../../host/src/server/catalog/registry.ts'
import { readCaller } from '../../../host/src/server/catalog/operator/named-caller.ts'
import { createAdminCalls } from '../../../host/src/transport/admin/admin-calls.ts'

const caller = readCaller('{"id":"ada"}', 'as')
const call = { caller, target: { kind: 'tool', name: 'cup_order', args: {} } } as const
const listener = { tell() {}, onGone() {} }
const TEN_MINUTES = 600_000

/** A host whose tools ask something, each time. */
function open() {
  const clock = { ms: 0 }
  const tools: Partial<Calls> = { tool: async () => ({ kind: 'inputRequired', requests: {}, state: { round: 1 } }) }
  const host = {
    registry: { current: undefined } as never as Registry,
    calls: tools as Calls,
    inFlight: new InFlight(),
    isDraining: () => false,
    log: silentLogger,
  }
  const calls = createAdminCalls(host, () => clock.ms)
  const ask = async () => (await calls.run(call, listener)).call
  return { clock, calls, ask }
}

test('answers count once, within ten minutes of the question, and for the caller that was asked', async () => {
  const { clock, calls, ask } = open()
  const [first, second, third] = [await ask(), await ask(), await ask()]
  assert.deepEqual(calls.takeAsked(first), { ...call, state: { round: 1 } })
  assert.throws(() => calls.takeAsked(first), { code: 'ADMIN_REQUEST' })
  assert.throws(() => calls.takeAsked('never'), { code: 'ADMIN_REQUEST' })
  clock.ms = TEN_MINUTES
  assert.equal(calls.takeAsked(second).caller, caller)
  clock.ms = TEN_MINUTES + 1
  assert.throws(() => calls.takeAsked(third), { code: 'ADMIN_REQUEST' })
})

test('64 questions wait for answers, and the oldest gives way', async () => {
  const { calls, ask } = open()
  const ids: string[] = []
  for (let count = 0; count < 65; count++) ids.push(await ask())
  assert.throws(() => calls.takeAsked(ids[0] ?? ''), { code: 'ADMIN_REQUEST' })
  assert.equal(calls.takeAsked(ids[1] ?? '').caller, caller)
  assert.equal(calls.takeAsked(ids[64] ?? '').caller, caller)
})
