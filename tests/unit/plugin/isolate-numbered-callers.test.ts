import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Principal } from '@mcp-patchbay/plugin-api'
import type { HostNotifications } from '../../../host/src/plugin/isolate/channel/messages.ts'
import { createNumberedCallers } from '../../../host/src/plugin/isolate/calls/numbered-callers.ts'
import { createOpaqueCallers } from '../../../host/src/plugin/isolate/calls/opaque-callers.ts'

const ann: Principal = { id: 'ann', tenant: 'acme', permissions: ['p'], kind: 'apiKey' }

function toldCallers() {
  const told: HostNotifications['facts'][] = []
  return { told, callers: createNumberedCallers(createOpaqueCallers(), (facts) => void told.push(facts)) }
}

test('a caller is told once, and again for each credential, client and person', () => {
  const { told, callers } = toldCallers()
  const first = callers.numberOf(ann, {}, '')
  assert.equal(callers.numberOf(ann, {}, ''), first)
  assert.equal(told.length, 1)
  const others = [
    callers.numberOf(ann, {}, 'fingerprint'),
    callers.numberOf(ann, { elicitation: {} }, ''),
    callers.numberOf(ann, { elicitation: {} }, 'fingerprint'),
    callers.numberOf(ann, { elicitation: {}, sampling: {} }, ''),
    callers.numberOf({ ...ann, id: 'bob' }, {}, ''),
  ]
  assert.equal(new Set([first, ...others]).size, 6)
  assert.deepEqual(
    told.map(({ number }) => number),
    [first, ...others],
  )
  assert.equal(callers.numberOf(ann, { elicitation: {} }, ''), others[1])
  assert.equal(told.length, 6)
})

test('what is told says neither who the caller is nor with which credential', () => {
  const { told, callers } = toldCallers()
  callers.numberOf(ann, { sampling: {} }, 'fingerprint')
  assert.deepEqual([told[0]?.clientCapabilities, told[0]?.principal.tenant], [{ sampling: {} }, 'acme'])
  assert.doesNotMatch(JSON.stringify(told), /ann|fingerprint/)
})

test('a number that was given to another caller is told again before it is said', () => {
  const { told, callers } = toldCallers()
  const first = callers.numberOf(ann, {}, '')
  const others = Array.from({ length: 1_024 }, (_, index) => callers.numberOf({ ...ann, id: `caller ${index}` }, {}, ''))
  assert.ok(others.includes(first))
  const before = told.length
  const again = callers.numberOf(ann, {}, '')
  assert.equal(told.length, before + 1)
  assert.equal(told.at(-1)?.number, again)
})

test('what a client says of itself at length is sent with each call', () => {
  const { told, callers } = toldCallers()
  assert.equal(callers.numberOf(ann, { experimental: 'x'.repeat(5_000) }, ''), undefined)
  assert.equal(told.length, 0)
})
