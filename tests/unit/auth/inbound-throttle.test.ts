import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createThrottle } from '../../../host/src/auth/inbound/throttle.ts'

test('lets nobody begin anew with another address of the same IPv6 network', async () => {
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
