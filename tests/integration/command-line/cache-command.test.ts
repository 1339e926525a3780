import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { openCache } from '../../../host/src/cache/open-cache.ts'
import { cacheLines } from '../../../host/src/cli/console/cache-lines.ts'
import { runPatchbay } from '../../fixtures/projects/patchbay-process.ts'
import { sourceTree, type SourceTree } from '../../fixtures/plugins/source-tree.ts'

const STORE = 'sqlite:./data/cache.db'

test('cache stats says what the file holds, and cache clear empties it', async (t) => {
  const folder = project(t, STORE)
  await fill(folder)
  const stats = await runPatchbay(['cache', 'stats'], { cwd: folder.root })
  assert.equal(stats.code, 0)
  assert.match(stats.stdout, /data\/cache\.db: 3 entries, 0\.0 MiB\nKIND +ENTRIES\nplugin +1\nresults +2\n$/)

  const cleared = await runPatchbay(['cache', 'clear'], { cwd: folder.root })
  assert.equal(cleared.code, 0)
  assert.match(cleared.stdout, /data\/cache\.db: removed 3 entries\n$/)
  const { entries, kinds } = JSON.parse((await runPatchbay(['cache', 'stats', '--json'], { cwd: folder.root })).stdout) as {
    entries: number
    kinds: object
  }
  assert.deepEqual({ entries, kinds }, { entries: 0, kinds: {} })
})

test('cache stats of a file that is not there yet makes none', async (t) => {
  const folder = project(t, STORE)
  const { code, stdout } = await runPatchbay(['cache', 'stats', '--json'], { cwd: folder.root })
  assert.equal(code, 0)
  assert.equal((JSON.parse(stdout) as { entries: number }).entries, 0)
  assert.equal(existsSync(folder.path('data')), false)
})

test('cache stats says that memory is each host’s own', async (t) => {
  const { code, stdout } = await runPatchbay(['cache', 'stats'], { cwd: project(t, 'memory').root })
  assert.equal(code, 0)
  assert.match(stdout, /in the memory of each running host/)
})

test('cache stats of a Redis that is not there fails with the cause and what to do', async (t) => {
  const { code, stderr } = await runPatchbay(['cache', 'stats'], { cwd: project(t, 'redis://:secret@127.0.0.1:1/0').root })
  assert.equal(code, 1)
  assert.match(stderr, /The cache redis:\/\/127\.0\.0\.1:1\/0 cannot be reached: .*ECONNREFUSED/)
  assert.match(stderr, /1\. Start Redis/)
  assert.doesNotMatch(stderr, /secret/)
})

test('cache refuses what it cannot do', async (t) => {
  const { code, stderr } = await runPatchbay(['cache', 'drop'], { cwd: project(t, 'memory').root })
  assert.equal(code, 2)
  assert.match(stderr, /stats, clear/)
})

test('the console tells how often the cache had what was asked for, and that its store is down', () => {
  const plain = (_: unknown, text: string) => text
  const kinds = { results: { hit: 5, miss: 2, stale: 1, joined: 1 }, plugin: { hit: 0, miss: 0, stale: 0, joined: 0 } }
  assert.deepEqual(cacheLines({ store: 'redis://cache', state: 'down', failures: 3, kinds }, plain), [
    '  cache · 77 % of 9 looks hit',
    '  cache · redis://cache does not answer; calls go on without it',
  ])
  assert.deepEqual(cacheLines({ store: 'memory', state: 'up', failures: 0, kinds: {} }, plain), [])
})

function project(t: TestContext, store: string): SourceTree {
  const tree = sourceTree({ 'mcp.config.json': JSON.stringify({ plugins: [], cache: { store } }) })
  t.after(() => tree[Symbol.dispose]())
  return tree
}

async function fill({ root }: SourceTree): Promise<void> {
  await using cache = openCache({ settings: { store: STORE, maxEntries: 10 }, configDir: root, log: fakeLog() })
  await cache.namespace('plugin', 'github').set('key', 1, { ttlMs: 60_000 })
  for (const key of ['a', 'b']) await cache.namespace('results', 'github').set(key, 1, { ttlMs: 60_000 })
}
