import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { normalizeEntry } from '../../../host/src/config/schema/schema.ts'
import { digestOf } from '../../../host/src/modules/reading/source-digest.ts'
import type { Activation } from '../../../host/src/plugin/activation.ts'
import { createReloader, type Reloader } from '../../../host/src/plugin/reload/reload.ts'
import type { PluginRecord } from '../../../host/src/plugin/run/plugin-record.ts'
import { activationOf } from '../../fixtures/plugins/activations.ts'
import { activeRecord, emptyPlugin } from '../../fixtures/projects/snapshots.ts'

const entries = [normalizeEntry({ use: './a' })]

/** A reloader whose attempts end as `attempt` says, which is asked with the number of the attempt, and what it published. */
function reloading(t: TestContext, attempt: (number: number) => Promise<Activation>) {
  const published: (string | undefined)[] = []
  let attempts = 0
  const reloader: Reloader = createReloader({
    log: silentLogger,
    drainMs: () => 60_000,
    startPatienceMs: Infinity,
    patienceMs: Infinity,
    graceMs: 0,
    now: () => 0,
    activate: () => attempt(++attempts),
    publish: (records: readonly PluginRecord[]) => published.push(records[0]?.version),
  })
  t.after(() => reloader[Symbol.asyncDispose]())
  return { reloader, published, attempts: () => attempts }
}

/** A version that serves, and how often it was released. */
function version(name: string, more: Partial<Activation> = {}) {
  let released = 0
  const activation = activationOf(
    { ...activeRecord(emptyPlugin('a', [])), version: name },
    { release: () => void released++, ...more },
  )
  return { activation, released: () => released }
}

test('an attempt that a newer one has overtaken is not published, whichever is ready first, and is released', async (t) => {
  for (const firstIsReadyFirst of [true, false]) {
    const [one, two] = [version('1'), version('2')]
    const ready = [Promise.withResolvers<Activation>(), Promise.withResolvers<Activation>()]
    const { reloader, published } = reloading(t, (number) => ready[number - 1]?.promise ?? assert.fail('one attempt too many'))
    const begun = reloader.apply({ entries })
    await new Promise((resolve) => setImmediate(resolve))
    const applied = [begun, reloader.apply({ entries, all: true })]
    await new Promise((resolve) => setImmediate(resolve))
    const [first, second] = firstIsReadyFirst ? [0, 1] : [1, 0]
    ready[first]?.resolve([one, two][first]?.activation ?? assert.fail())
    await new Promise((resolve) => setImmediate(resolve))
    ready[second]?.resolve([one, two][second]?.activation ?? assert.fail())
    await Promise.all(applied)
    assert.deepEqual(
      published.filter((name) => name !== undefined),
      ['2'],
    )
    assert.deepEqual([one.released(), two.released()], [1, 0])
  }
})

test('what changed while it was built is built again', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'a.ts')
  writeFileSync(file, '1')
  const { reloader, published, attempts } = reloading(t, async (number) => {
    const digests = new Map([[file, digestOf(file)]])
    if (number === 1) writeFileSync(file, '2')
    return version(String(number), { digests }).activation
  })
  await reloader.apply({ entries })
  assert.deepEqual(published, ['1', '2'])
  await reloader.apply({ entries, changed: new Set([file]) })
  assert.equal(attempts(), 2, 'it holds what was read')
})

test('what went as a whole while it was published is not built again', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'a.ts')
  writeFileSync(file, '1')
  const { reloader, attempts } = reloading(t, async (number) => {
    const digests = new Map([[file, digestOf(file)]])
    rmSync(file, { force: true })
    return version(String(number), { digests, root: file }).activation
  })
  await reloader.apply({ entries })
  assert.equal(attempts(), 1)
})

test('an entry that is the same is not built again, one that differs is, and one that is gone is released', async (t) => {
  const made: ReturnType<typeof version>[] = []
  const { reloader, published, attempts } = reloading(t, async (number) => {
    const next = version(String(number))
    made.push(next)
    return next.activation
  })
  await reloader.apply({ entries })
  await reloader.apply({ entries: [normalizeEntry({ use: './a' })] })
  assert.equal(attempts(), 1)
  await reloader.apply({ entries: [normalizeEntry({ use: './a', serverCredentials: 'deny' })] })
  await reloader.apply({ entries: [normalizeEntry({ use: './a', serverCredentials: 'deny', capabilities: { env: ['HOME'] } })] })
  assert.deepEqual(published, ['1', '2', '3'])
  await reloader.apply({ entries: [] })
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(
    made.map(({ released }) => released()),
    [1, 1, 1],
  )
})
