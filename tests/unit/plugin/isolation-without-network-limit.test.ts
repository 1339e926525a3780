import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { createIsolation } from '../../../host/src/plugin/isolate/isolation.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

for (const [limitsNetwork, times] of [
  [false, 1],
  [true, 0],
] as const)
  test(`${limitsNetwork ? 'says nothing' : 'warns, once,'} where Node can ${limitsNetwork ? '' : 'not '}keep the network from a plugin's process`, async () => {
    using tree = sourceTree({ 'plugin.mjs': 'throw new Error("not this time")' })
    const log = fakeLog()
    using isolation = createIsolation({ log, now: () => performance.now(), random: Math.random, limitsNetwork })
    const resolved = { root: tree.root, file: tree.path('plugin.mjs'), source: 'path' } as const
    const options = {
      label: 'notes',
      timeoutMs: 20_000,
      digests: new Map<string, string>(),
      signal: undefined,
      capabilities: { hosts: [], env: [], fs: { read: [], write: [] }, credentials: 'brokered', native: false },
      configDir: tree.root,
      env: {},
      limits: { heapMb: 64, memoryMb: 256, answerBytes: 1_048_576, idleMs: 0 },
    } as const
    for (let turn = 0; turn < 2; turn++) await assert.rejects(isolation.load(resolved, options))
    const warned = log.lines.filter(({ event }) => event === 'isolation_without_network_limit')
    assert.equal(warned.length, times)
  })
