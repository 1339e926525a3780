import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { openCache } from '../../host/src/cache/open-cache.ts'
import { createTestClock } from '../fixtures/test-clock.ts'

const program = join(import.meta.dirname, '../fixtures/fill-cache.ts')

test('a disk that is full costs misses, and what is loaded is answered', async (t) => {
  const { status, stdout } = fillCache(await cacheFile(t), 'cache.write:full')
  assert.equal(status, 0)
  const { answer, kept, failures, state } = JSON.parse(stdout) as Record<string, unknown>
  assert.deepEqual({ answer, kept, state }, { answer: 'loaded', kept: undefined, state: 'down' })
  assert.equal(failures, 3)
})

test('a host that is killed while it writes leaves a file that the next one reads', async (t) => {
  const file = await cacheFile(t)
  assert.equal(fillCache(file).status, 0)
  assert.equal(fillCache(file, 'cache.write:kill').signal, 'SIGKILL')
  const log = fakeLog()
  await using cache = openCache({ settings: { store: `sqlite:${file}`, maxEntries: 10 }, configDir: '/', log })
  assert.equal(await cache.namespace('results', 'github').get('a'), 'a')
  assert.deepEqual(log.lines, [])
})

test('a folder that cannot be made is tried again, until it can', async (t) => {
  const file = await cacheFile(t)
  const folder = join(file, '..', 'data')
  writeFileSync(folder, 'in the way')
  const clock = createTestClock()
  const log = fakeLog()
  const settings = { store: 'sqlite:data/cache.db', maxEntries: 10 }
  await using cache = openCache({ settings, configDir: join(file, '..'), log, clock })
  const values = cache.namespace('results', 'github')
  for (const value of [1, 2, 3, 4]) assert.equal(await values.wrap('key', { ttlMs: 60_000 }, async () => value), value)
  assert.equal(cache.stats.state, 'down')
  assert.match(String(log.lines[0]?.fields['error']), /CACHE_FILE|cannot be used: (?:EEXIST|ENOTDIR)/)

  rmSync(folder)
  clock.advance(2_000)
  assert.equal(await values.wrap('key', { ttlMs: 60_000 }, async () => 5), 5)
  assert.equal(await values.wrap('key', { ttlMs: 60_000 }, async () => 6), 5)
  assert.equal(cache.stats.state, 'up')
})

function fillCache(file: string, faults = '') {
  return spawnSync(process.execPath, ['--conditions=@mcp-patchbay/source', program, file], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PATCHBAY_FAULTS: faults },
  })
}

async function cacheFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'patchbay-cache-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'cache.db')
}
