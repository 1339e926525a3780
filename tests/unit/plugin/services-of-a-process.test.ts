// What a plugin in a process of its own asks of the host, on its side of the channel.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { remoteCaches, remoteLog } from '../../../host/src/plugin/isolate/child/child-services.ts'
import type { Peer } from '../../../host/src/plugin/isolate/channel/peer.ts'
import { inCall } from '../../../host/src/plugin/run/inline-call-scope.ts'
import { callScope } from '../../fixtures/http/service-http.ts'

/** A host that keeps nothing, and what it was asked. */
function emptyHost() {
  const asked: unknown[] = []
  const peer: Peer = {
    request(_what, { data } = {}) {
      asked.push(data)
      return { id: 1, answer: Promise.resolve({ data: {}, body: Buffer.alloc(0) }) }
    },
    sendRequest: () => assert.fail(),
    call: () => assert.fail(),
    giveUp() {},
    notify: () => 1,
    close() {},
  }
  return { caches: remoteCaches(peer), asked }
}

test('a logger that is a child of a child has the fields of both, and a line its own', () => {
  const told: unknown[] = []
  const log = remoteLog({ notify: (_what, data) => void told.push(data) })
  inCall({ ...callScope({}), requestId: '7' }, () => log.child({ part: 'sync' }).child({ page: 2 }).info('read', { items: 3 }))
  assert.deepEqual(told, [{ call: 7, level: 'info', event: 'read', fields: { part: 'sync', page: 2, items: 3 } }])
})

test('callers of one owner who ask at once have one value loaded, and each a copy of its own', async () => {
  const { caches } = emptyHost()
  let loads = 0
  const load = () => caches.namespace('plugin', 'acme', 'ann').wrap('key', { ttlMs: 1 }, async () => [++loads])
  const [first, second] = await Promise.all([load(), load()])
  assert.deepEqual([first, second], [[1], [1]])
  first?.push(9)
  assert.deepEqual(second, [1])
  assert.deepEqual(await load(), [2], 'what the host did not keep is loaded again')
})

test('what is being loaded for one owner is no answer to another', async () => {
  const { caches } = emptyHost()
  const load = (tenant: string) => caches.namespace('plugin', tenant).wrap('key', { ttlMs: 1 }, async () => `of ${tenant}`)
  assert.deepEqual(await Promise.all([load('acme'), load('beta')]), ['of acme', 'of beta'])
})

test('a value that is too large to be kept takes the older one away, and a key that is too long is not sent', async () => {
  const { caches, asked } = emptyHost()
  const cache = caches.namespace('plugin')
  await cache.set('key', 'x'.repeat(3_000_000), { ttlMs: 1 })
  assert.deepEqual(asked, [{ call: 0, what: 'delete', key: 'key' }])
  await assert.rejects(cache.get('k'.repeat(70_000)), { code: 'CACHE_KEY' })
  assert.equal(asked.length, 1)
})
