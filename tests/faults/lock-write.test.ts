import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { emptyLock, formatLock, withPlugin, type LockedPlugin } from '../../host/src/pin/lock/lock.ts'
import { noCapabilities } from '../../host/src/pin/capabilities.ts'
import { readLock } from '../../host/src/pin/lock/read-lock.ts'
import { writeLock } from '../../host/src/pin/lock/write-lock.ts'

const source = new URL('../../host/src/pin/lock/write-lock.ts', import.meta.url)
const steps = new URL('../../host/src/data/replace-file.ts', import.meta.url)
/** Read from the source, so that a new fault point is tested from the day it is written. */
const points = [...(await readFile(steps, 'utf8')).matchAll(/\bat\('([^']+)'\)/g)].map(([, step]) => `lock.${step}`)

const plugin: LockedPlugin = {
  use: './plugins/github',
  tree: `sha256-${'1'.repeat(64)}`,
  apiVersion: 1,
  capabilities: noCapabilities,
  surface: `sha256-${'2'.repeat(64)}`,
  tools: {},
}
const before = formatLock(emptyLock)
const after = formatLock(withPlugin(emptyLock, 'default', 'github', plugin))

/** Runs writeLock(file, the lock of `after`) in a process of its own, with fault points armed. */
async function writeInChild(
  file: string,
  faults: string,
): Promise<{ code: number | null; signal: string | null; stderr: string }> {
  const script = `
    const { writeLock } = await import(${JSON.stringify(source.href)})
    await writeLock(process.argv[1], JSON.parse(process.argv[2])).catch((error) => {
      console.error(error.code, error.cause?.code ?? '')
      process.exitCode = 1
    })`
  const child = spawn(process.execPath, [...process.execArgv, '--input-type=module', '-e', script, file, after], {
    env: { ...process.env, PATCHBAY_FAULTS: faults },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const stderr = child.stderr.setEncoding('utf8').toArray()
  const [code, signal] = await once(child, 'close')
  return { code, signal, stderr: (await stderr).join('') }
}

async function folderWithLock(): Promise<AsyncDisposable & { readonly folder: string; readonly file: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'patchbay-fault-'))
  const file = path.join(folder, 'mcp.lock.json')
  await writeFile(file, before)
  return { folder, file, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

test('has a fault point before every step that a crash could fall between', () => {
  assert.deepEqual(points.toSorted(), ['lock.open', 'lock.rename', 'lock.sync', 'lock.sync-folder', 'lock.write'])
})

for (const point of points) {
  test(`leaves the old lock or the new one, whole, when killed at ${point}`, async () => {
    await using place = await folderWithLock()
    const { signal } = await writeInChild(place.file, `${point}:kill`)
    assert.equal(signal, 'SIGKILL')
    assert.equal(await readFile(place.file, 'utf8'), point === 'lock.sync-folder' ? after : before)
  })

  test(`is repaired by the next write after a kill at ${point}, with nothing left over`, async () => {
    await using place = await folderWithLock()
    await writeInChild(place.file, `${point}:kill`)
    await writeLock(place.file, emptyLock)
    assert.deepEqual(await readdir(place.folder), ['mcp.lock.json'])
    assert.deepEqual(await readLock(place.file), emptyLock)
  })

  test(`reports a full disk at ${point}, keeps a whole lock and leaves no temporary file`, async () => {
    await using place = await folderWithLock()
    const { code, stderr } = await writeInChild(place.file, `${point}:throw`)
    assert.equal(code, 1)
    assert.equal(stderr.trim(), 'LOCK_WRITE_FAILED ENOSPC')
    assert.equal(await readFile(place.file, 'utf8'), point === 'lock.sync-folder' ? after : before)
    assert.deepEqual(await readdir(place.folder), ['mcp.lock.json'])
  })
}

test("keeps the file's mode across a kill and the write that follows", async () => {
  await using place = await folderWithLock()
  await chmod(place.file, 0o600)
  await writeInChild(place.file, 'lock.rename:kill')
  await writeLock(place.file, emptyLock)
  assert.equal((await stat(place.file)).mode & 0o777, 0o600)
})

test('leaves the temporary file of a writer that still runs', async () => {
  await using place = await folderWithLock()
  const theirs = `.mcp.lock.json.${process.ppid}.0123456789ab.tmp`
  await writeFile(path.join(place.folder, theirs), 'half')
  await writeLock(place.file, emptyLock)
  assert.deepEqual((await readdir(place.folder)).toSorted(), [theirs, 'mcp.lock.json'])
})

test('passes every fault point that is not named', async () => {
  await using place = await folderWithLock()
  const { code, stderr } = await writeInChild(place.file, 'cache.write:kill')
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  assert.equal(await readFile(place.file, 'utf8'), after)
})

test('refuses to start with a fault plan that cannot be read', async () => {
  await using place = await folderWithLock()
  const { code, stderr } = await writeInChild(place.file, 'lock.rename:explode')
  assert.equal(code, 1)
  assert.match(stderr, /PATCHBAY_FAULTS holds "lock\.rename:explode"/)
})
