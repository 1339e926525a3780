import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createThrottle } from '../../../host/src/auth/inbound/throttle.ts'

test('lets nobody begin again with another address of the same IPv6 network', async () => {
  const throttle = createThrottle({ bad: 3, seconds: 60 })
  const network = ['2001:db8::1', '2001:db8:0:0:ffff::', '2001:0db8:0000:0000:0000:0000:0000:0009']
  for (const address of network) {
    assert.equal(await throttle.waitOf('2001:db8::7'), 0)
    await throttle.count(address)
  }
  assert.ok((await throttle.waitOf('2001:db8::7')) > 0)
  assert.equal(await throttle.waitOf('2001:db8:0:1::1'), 0, 'another network')
  assert.equal(await throttle.waitOf('198.51.100.1'), 0)
})

test('tells the IPv4 addresses of a listener that has both apart', async () => {
  const throttle = createThrottle({ bad: 1, seconds: 60 })
  await throttle.count('::ffff:198.51.100.1')
  assert.ok((await throttle.waitOf('::ffff:198.51.100.1')) > 0)
  assert.equal(await throttle.waitOf('::ffff:198.51.100.2'), 0)
})

test('an address waits for the rest of its time, and for no longer', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'] })
  const throttle = createThrottle({ bad: 2, seconds: 60 })
  const wait = () => throttle.waitOf('198.51.100.1')
  await throttle.count('198.51.100.1')
  assert.equal(await wait(), 0)
  t.mock.timers.tick(30_000)
  await throttle.count('198.51.100.1')
  assert.equal(await wait(), 30)
  t.mock.timers.tick(1)
  assert.equal(await wait(), 30)
  t.mock.timers.tick(29_000)
  assert.equal(await wait(), 1)
  t.mock.timers.tick(999)
  assert.equal(await wait(), 0)
})

/** [an address, another, whether they are of one network] */
const NETWORKS: readonly (readonly [string, string, boolean])[] = [
  ['2001:db8::', '2001:db8:0:0:ffff:ffff:ffff:ffff', true],
  ['::', '::1', true],
  ['::1', '0:0:0:0:1::', true],
  ['::1', '0:0:0:1::', false],
  ['1::', '1:0:0:0:5:6:7:8', true],
  ['1::8', '1:0:0:0:0:0:0:8', true],
  ['1::5:6:7:8', '1:0:0:0:5:6:7:8', true],
  ['1::4:5:6:7:8', '1:0:0:4::', true],
  ['1::4:5:6:7:8', '1:0:0:0::', false],
  ['1:2::', '1:2:0:0::9', true],
  ['1:2::', '1:2:3::', false],
  ['a:b:c:d::', 'A:B:C:D:1:2:3:4', true],
  ['00a:b:c:d::', 'a:0b:c:d::', true],
  ['1:2:3:4:5:6:7:8', '1:2:3:4::', true],
  ['1:2:3:4:5:6:7:8', '1:2:3:5:5:6:7:8', false],
  ['2:1:3:4::', '1:2:3:4::', false],
  ['::ffff:198.51.100.1', '::FFFF:198.51.100.2', false],
  ['198.51.100.1', '198.51.100.2', false],
  ['198.51.100.1', '198.51.100.1', true],
]
for (const [address, other, expected] of NETWORKS)
  test(`${address} and ${other} are ${expected ? 'one network' : 'two networks'}`, async () => {
    const throttle = createThrottle({ bad: 1, seconds: 60 })
    await throttle.count(address)
    assert.equal((await throttle.waitOf(other)) > 0, expected)
  })

test('no client can choose an address that is counted as that of another', async () => {
  // Their SHA-256 begins alike, which is what the drawer of an address comes from.
  const [address, other] = ['198.51.0.59', '198.51.0.133']
  const throttles = [createThrottle({ bad: 1, seconds: 60 }), createThrottle({ bad: 1, seconds: 60 })]
  for (const throttle of throttles) await throttle.count(address)
  const waits = await Promise.all(throttles.map((throttle) => throttle.waitOf(other)))
  assert.ok(waits.includes(0))
})
