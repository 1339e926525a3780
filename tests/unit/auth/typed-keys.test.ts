import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashKey, makeKey } from '../../../host/src/auth/inbound/keys/api-key.ts'
import { openKeyRing, proofOfKey } from '../../../host/src/auth/inbound/keys/key-ring.ts'
import { createTypedKeys } from '../../../host/src/auth/inbound/keys/typed-keys.ts'
import { createThrottle } from '../../../host/src/auth/inbound/throttle.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'

const END = Date.parse('2030-01-01T00:00:00Z')
const ada = makeKey('ada')
const bob = makeKey('bob')
const records = [
  { id: 'ada', hash: ada.hash, scopes: ['read'], tenant: 'acme', notAfter: '2030-01-01T00:00:00Z' },
  { id: 'bob', hash: bob.hash, scopes: ['write'] },
]

async function typed(bad: number, seconds = 60) {
  const state = { now: END - 1, records }
  const file = '/nowhere/mcp.keys.json'
  const ring = await openKeyRing({ file, configured: () => state.records, log: silentLogger, now: () => state.now })
  return { state, keys: createTypedKeys(ring, createThrottle({ bad, seconds })), [Symbol.dispose]: () => ring[Symbol.dispose]() }
}

test('a key that is typed is its holder, with blanks around it or not', async () => {
  using made = await typed(1)
  const { keys } = made
  for (const text of [ada.key, ` ${ada.key}\n`]) {
    const found = await keys.find(text, '198.51.100.1')
    assert.ok(typeof found === 'object')
    assert.deepEqual(found.principal, { id: 'key:ada', tenant: 'acme', permissions: ['read'], kind: 'apiKey' })
    assert.deepEqual(found.key, { id: 'ada', proof: proofOfKey(hashKey(ada.key)) })
    assert.equal(keys.isGood(found.key), true)
    assert.equal(keys.isGood({ id: 'bob', proof: found.key.proof }), false)
    assert.equal(keys.isGood({ id: found.key.proof, proof: 'ada' }), false)
  }
})

test('bad keys are counted by their address, good ones are not, and after too many no key of it is looked at', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'] })
  using made = await typed(2, 1)
  const { keys } = made
  const at = async (address: string, key: string) => {
    const found = await keys.find(key, address)
    return typeof found === 'string' ? found : found.key.id
  }
  assert.equal(await at('198.51.100.1', ada.key), 'ada')
  assert.equal(await at('198.51.100.1', ada.key), 'ada')
  assert.equal(await at('198.51.100.1', makeKey('ada').key), 'bad')
  assert.equal(await at('198.51.100.1', ada.key), 'ada')
  assert.equal(await at('198.51.100.1', 'pbk_ada'), 'bad')
  assert.equal(await at('198.51.100.1', ada.key), 'later')
  assert.equal(await at('198.51.100.2', bob.key), 'bob')
  t.mock.timers.tick(1_000)
  assert.equal(await at('198.51.100.1', ada.key), 'ada')
})

test('a key that is over is bad, and no longer good where it was typed before', async () => {
  using made = await typed(9)
  const { keys, state } = made
  const found = await keys.find(ada.key, '198.51.100.1')
  assert.ok(typeof found === 'object')
  state.now = END
  assert.equal(await keys.find(ada.key, '198.51.100.1'), 'bad')
  assert.equal(keys.isGood(found.key), false)
})

test('a key that the config has no more is good on no page, though nothing else was asked meanwhile', async () => {
  using made = await typed(9)
  const { keys, state } = made
  const found = await keys.find(bob.key, '198.51.100.1')
  assert.ok(typeof found === 'object')
  state.records = records.slice(0, 1)
  assert.equal(keys.isGood(found.key), false)
})
