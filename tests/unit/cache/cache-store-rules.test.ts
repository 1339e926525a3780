import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryStore } from '../../../host/src/cache/stores/memory-store.ts'
import { createGuard } from '../../../host/src/cache/stores/store-guard.ts'

test('a store that went down is told of once, whatever calls from before it still end', async () => {
  const changes: string[] = []
  const guard = createGuard({
    store: 'x',
    clock: { now: () => 0, schedule: () => () => {} },
    deadlineMs: 1,
    failures: 2,
    openMs: 1_000,
    onFailure() {},
    onChange: (state) => void changes.push(state),
  })
  const [late, well] = [Promise.withResolvers<never>(), Promise.withResolvers<string>()]
  const before = [guard.run(() => late.promise), guard.run(() => well.promise)]
  for (let turn = 0; turn < 2; turn++) await assert.rejects(guard.run(() => Promise.reject(new Error('no'))))
  late.reject(new Error('no'))
  well.resolve('yes')
  assert.deepEqual(
    (await Promise.allSettled(before)).map(({ status }) => status),
    ['rejected', 'fulfilled'],
  )
  assert.deepEqual([changes, guard.state], [['down'], 'down'])
})

test('a key counts with its value', async () => {
  const store = createMemoryStore({ maxEntries: 10, maxBytes: 1_000 })
  const { adapter } = store
  await adapter.set('k'.repeat(600), { value: 'v'.repeat(300) })
  assert.equal((await store.inspect()).bytes, 901)
  await adapter.set('m'.repeat(600), { value: '' })
  assert.deepEqual([(await store.inspect()).entries, await adapter.has('k'.repeat(600))], [1, false])
})
