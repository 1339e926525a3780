// What the process of a plugin says that it reads, and what of that the host watches.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadIsolated } from '../../../host/src/plugin/isolate/isolated-plugin.ts'
import type { IsolatedOptions } from '../../../host/src/plugin/isolate/types.ts'
import { fakeProcess, isolatedServices } from '../../fixtures/plugins/fake-process.ts'

test("the host watches what is below the plugin's folder or granted, not what the plugin may write, and each as it was first read", async () => {
  const fake = fakeProcess()
  const options: Partial<IsolatedOptions> = {
    spec: {
      root: '/project/a',
      grants: { reads: [], writes: ['/project/a/state'], env: {}, native: false },
      heapMb: 1,
      memoryMb: 1,
    },
    capabilities: { fs: { read: ['../shared'], write: [] } } as never,
    configDir: '/project/config',
    launch: () => fake.process,
    gate: { pass: (work) => work() },
    label: 'a',
    timeoutMs: 60_000,
    digests: new Map(),
    signal: undefined,
    limits: { heapMb: 1, memoryMb: 1, answerBytes: 1_000, idleMs: 0 },
    now: () => 0,
    random: () => 0,
  }
  const loaded = await loadIsolated(
    { source: 'path', file: '/project/a/index.ts', root: '/project/a' },
    options as IsolatedOptions,
  )
  await loaded.start(isolatedServices())
  const said = [
    ['/project/a/data.json', 'one'],
    ['/project/a/data.json', 'two'],
    ['/project/shared/data.json', 'three'],
    ['/project/a/state/written.json', 'four'],
    ['/project/b/index.ts', 'five'],
    ['/project/ab.json', 'six'],
    ['data.json', 'seven'],
  ]
  for (const [file, digest] of said) fake.owner()?.onNotification('read', { file, digest })
  assert.deepEqual(
    [...loaded.digests],
    [
      ['/project/a/data.json', 'one'],
      ['/project/shared/data.json', 'three'],
    ],
  )
  loaded.release()
  assert.deepEqual(fake.ended, ['the plugin was released', 'the plugin was released'])
})
