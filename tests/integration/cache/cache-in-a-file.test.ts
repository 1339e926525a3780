import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { createCache } from '../../../host/src/cache/cache.ts'
import { openCache } from '../../../host/src/cache/open-cache.ts'
import { createSqliteStore } from '../../../host/src/cache/stores/sqlite-store.ts'
import { createTestClock } from '../../fixtures/test-clock.ts'

const ttlMs = 60_000
const MODE = 0o777

test('keeps values over a restart of the host', async (t) => {
  const folder = await emptyFolder(t)
  for (const expected of [undefined, { title: 'One' }]) {
    await using cache = open(folder)
    assert.deepEqual(await cache.namespace('results', 'github').get('key'), expected)
    await cache.namespace('results', 'github').set('key', { title: 'One' }, { ttlMs })
  }
})

test('two hosts share a file', async (t) => {
  const folder = await emptyFolder(t)
  await using one = open(folder)
  await using two = open(folder)
  const tags = [one.tag('github')]
  assert.equal((await one.namespace('results', 'a').remember('key', { ttlMs, tags }, async () => 'old')).outcome, 'miss')
  assert.equal((await two.namespace('results', 'a').remember('key', { ttlMs, tags }, async () => 'unused')).outcome, 'hit')
  await two.drop(tags)
  assert.equal((await one.namespace('results', 'a').remember('key', { ttlMs, tags }, async () => 'new')).value, 'new')
})

test('the path is relative to the config, and file and folder are for the user alone whatever the umask', async (t) => {
  const folder = await emptyFolder(t)
  const umask = process.umask(0)
  t.after(() => process.umask(umask))
  await using cache = open(folder, 'sqlite:./data/deep/cache.db')
  await cache.namespace('results', 'github').set('key', 1, { ttlMs })
  assert.deepEqual(
    ['data', 'data/deep', 'data/deep/cache.db', 'data/deep/cache.db-wal', 'data/deep/cache.db-shm'].map(
      (path) => statSync(join(folder, path)).mode & MODE,
    ),
    [0o700, 0o700, 0o600, 0o600, 0o600],
  )
})

test('a file of ours that others could read is closed to them', async (t) => {
  const folder = await emptyFolder(t)
  const file = join(folder, 'cache.db')
  writeFileSync(file, '', { mode: 0o644 })
  await using cache = open(folder)
  await cache.namespace('results', 'github').set('key', 1, { ttlMs })
  assert.equal(statSync(file).mode & MODE, 0o600)
})

test('a damaged file is moved aside and begun again', async (t) => {
  const folder = await emptyFolder(t)
  const file = join(folder, 'cache.db')
  const log = fakeLog()
  writeFileSync(file, 'this is no database, and long enough to be seen as something that is none. '.repeat(20))
  await using cache = open(folder, undefined, log)
  await cache.namespace('results', 'github').set('key', 1, { ttlMs })
  assert.equal(await cache.namespace('results', 'github').get('key'), 1)
  assert.match(readFileSync(`${file}.damaged`, 'utf8'), /^this is no database/)
  assert.deepEqual(
    log.lines.map(({ level, event, fields }) => [level, event, fields['movedTo']]),
    [['error', 'cache_file_damaged', `${file}.damaged`]],
  )
})

test('a file that is damaged while it is used is a miss, then begun again', async (t) => {
  const folder = await emptyFolder(t)
  const file = join(folder, 'cache.db')
  {
    await using cache = open(folder)
    for (let key = 0; key < 100; key += 1) await cache.namespace('results', 'github').set(`${key}`, 'x'.repeat(1_000), { ttlMs })
  }
  const bytes = readFileSync(file)
  writeFileSync(file, Buffer.concat([bytes.subarray(0, 4_096), Buffer.alloc(bytes.length - 4_096, 0xaa)]))
  await using cache = open(folder)
  const values = cache.namespace('results', 'github')
  assert.equal(await values.get('1'), undefined)
  await values.set('1', 'new', { ttlMs })
  assert.equal(await values.get('1'), 'new')
  assert.ok(existsSync(`${file}.damaged`))
})

test('a database of somebody else is left as it is', async (t) => {
  const folder = await emptyFolder(t)
  const file = join(folder, 'cache.db')
  const theirs = new DatabaseSync(file)
  theirs.exec("CREATE TABLE entries (name TEXT); INSERT INTO entries VALUES ('theirs')")
  theirs.close()
  const before = [readFileSync(file), statSync(file).mode]
  const log = fakeLog()
  {
    await using cache = open(folder, undefined, log)
    assert.equal(await cache.namespace('results', 'github').wrap('key', { ttlMs }, async () => 'loaded'), 'loaded')
  }
  assert.deepEqual([readFileSync(file), statSync(file).mode], before)
  assert.equal(codeOf(log.lines[0]?.fields['error']), 'CACHE_FILE_FOREIGN')
})

test('entries that expired go, and a full file gives up what expires soonest', async (t) => {
  const folder = await emptyFolder(t)
  const clock = createTestClock()
  const log = fakeLog()
  const maxBytes = 400_000
  const store = createSqliteStore({ file: join(folder, 'cache.db'), maxBytes, log, now: () => clock.now() })
  await using cache = createCache({ log, clock, store })
  const values = cache.namespace('results', 'github')
  const text = 'x'.repeat(5_000)
  await values.set('expired', text, { ttlMs: 1 })
  clock.advance(1)
  for (let key = 0; key < 500; key += 1) {
    await values.set(`late ${key % 10}`, text, { ttlMs: 1_000_000 })
    await values.set(`soon ${key}`, text, { ttlMs: 10_000 + key })
  }
  assert.equal(cache.stats.failures, 0)
  assert.equal(await values.get('soon 499'), text)
  assert.equal(await values.get('soon 1'), undefined)
  for (let key = 0; key < 10; key += 1) assert.equal(await values.get(`late ${key}`), text)
  const { bytes = Infinity, entries } = await cache.inspect()
  assert.ok(bytes <= maxBytes, `${bytes} bytes`)
  assert.ok(entries < 100, `${entries} entries`)
})

test('clear empties the file', async (t) => {
  await using cache = open(await emptyFolder(t))
  await cache.namespace('results', 'github').set('key', 1, { ttlMs })
  await cache.namespace('plugin', 'github').set('key', 1, { ttlMs })
  assert.deepEqual((await cache.inspect()).kinds, { plugin: 1, results: 1 })
  await cache.clear()
  assert.equal((await cache.inspect()).entries, 0)
})

test('a folder where the file should be costs misses and says what to do', async (t) => {
  const folder = await emptyFolder(t)
  mkdirSync(join(folder, 'cache.db'))
  const log = fakeLog()
  await using cache = open(folder, undefined, log)
  assert.equal(await cache.namespace('results', 'github').wrap('key', { ttlMs }, async () => 'loaded'), 'loaded')
  const error = log.lines[0]?.fields['error']
  assert.equal(codeOf(error), 'CACHE_FILE')
  assert.match(String(error), /EISDIR/)
})

function open(configDir: string, store = 'sqlite:cache.db', log = fakeLog()) {
  return openCache({ settings: { store, maxEntries: 100 }, configDir, log })
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

async function emptyFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'patchbay-cache-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}
