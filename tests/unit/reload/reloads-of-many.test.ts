// What one reload does to a plugin, by what happens to another at the same time; and what the log and the host are told of it.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { normalizeEntry, type PluginEntry } from '../../../host/src/config/schema/schema.ts'
import { digestOf } from '../../../host/src/modules/reading/source-digest.ts'
import type { Activation } from '../../../host/src/plugin/activation.ts'
import type { DrainedVersion } from '../../../host/src/plugin/reload/drain.ts'
import { createReloader } from '../../../host/src/plugin/reload/reload.ts'
import type { ReloadReport } from '../../../host/src/plugin/reload/reload-report.ts'
import type { PluginRecord } from '../../../host/src/plugin/run/plugin-record.ts'
import { activationOf } from '../../fixtures/plugins/activations.ts'
import { activeRecord, emptyPlugin, emptyTool } from '../../fixtures/projects/snapshots.ts'

const entry = (name: string, more: object = {}): PluginEntry => normalizeEntry({ use: `./${name}`, ...more })

/** A reloader whose plugins come to life as `build` says, and all that it tells. */
function reloading(
  t: TestContext,
  build: (name: string, attempt: number, signal: AbortSignal) => Promise<Activation> | Activation,
  { graceMs = 0, patienceMs = Infinity }: { readonly graceMs?: number; readonly patienceMs?: number } = {},
) {
  const published: (readonly string[])[] = []
  const lines: string[] = []
  const reports: ReloadReport[] = []
  const drained: DrainedVersion[] = []
  const attempts: string[] = []
  const at = (level: string) => (event: string) => void lines.push(`${level} ${event}`)
  const log: Logger = { debug() {}, info: at('info'), warn: at('warn'), error: at('error'), child: () => log }
  let clock = 0
  const reloader = createReloader({
    log,
    drainMs: () => 60_000,
    startPatienceMs: Infinity,
    patienceMs,
    graceMs,
    now: () => (clock += 5),
    activate: async ({ use }, signal) => {
      const name = typeof use === 'string' ? use.slice(2) : use.name
      attempts.push(name)
      return build(name, attempts.filter((other) => other === name).length, signal)
    },
    publish: (records) => published.push(records.map(({ instance, version, state }) => `${instance} ${version ?? state}`)),
    onReload: (report) => void reports.push(report),
    onDrained: (report) => void drained.push(report),
  })
  t.after(() => reloader[Symbol.asyncDispose]())
  return { reloader, published, lines, reports, drained, attempts }
}

function serves(name: string, version: number, more: Partial<Activation> = {}): Activation {
  return activationOf({ ...activeRecord(emptyPlugin(name, []), { as: name }), version: String(version) }, more)
}

/** One that does not run, for want of a credential. */
function unconfigured(name: string): Activation {
  const { live: _, ...idle } = activeRecord(emptyPlugin(name, []), { as: name })
  const reason = { code: 'PLUGIN_UNCONFIGURED', message: 'No token', fix: [] }
  return activationOf({ ...idle, state: 'unconfigured', reason })
}

function failed(name: string): Activation {
  const reason = { code: 'PLUGIN_LOAD_FAILED', message: 'Broken', fix: [] }
  return activationOf({ instance: name, entry: entry(name), state: 'failed', reason }, { error: new Error('Broken') })
}

function fileOf(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'a.ts')
  writeFileSync(file, text)
  return file
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('a reload of one plugin publishes it beside the version of the other that goes on', async (t) => {
  const { reloader, published, attempts } = reloading(t, (name, attempt) => serves(name, attempt))
  await reloader.apply({ entries: [entry('a'), entry('b')] })
  await reloader.apply({ entries: [entry('a'), entry('b', { readOnly: true })] })
  assert.deepEqual(published, [
    ['a 1', 'b 1'],
    ['a 1', 'b 2'],
  ])
  await reloader.apply({ entries: [entry('a'), entry('b', { readOnly: true })] })
  assert.equal(published.length, 2, 'nothing is new')
  assert.deepEqual(attempts, ['a', 'b', 'b'])
})

test('plugins that change places are published in the order of the config, and none is built', async (t) => {
  const { reloader, published, attempts } = reloading(t, (name, attempt) => serves(name, attempt))
  await reloader.apply({ entries: [entry('a'), entry('b')] })
  await reloader.apply({ entries: [entry('b'), entry('a')] })
  assert.deepEqual(published.at(-1), ['b 1', 'a 1'])
  assert.deepEqual(attempts, ['a', 'b'])
})

test('of two plugins, only the one whose file changed while it was built is built again', async (t) => {
  const file = fileOf(t, '1')
  const { reloader, attempts } = reloading(t, (name, attempt) => {
    const digests = new Map(name === 'a' ? [[file, digestOf(file)]] : [])
    if (name === 'a' && attempt === 1) writeFileSync(file, '2')
    return serves(name, attempt, { digests })
  })
  await reloader.apply({ entries: [entry('a'), entry('b')] })
  assert.deepEqual(attempts, ['a', 'b', 'a'])
})

test('a file of a package that changed while the plugin was built is left to the watcher', async (t) => {
  const file = fileOf(t, '1')
  const root = join(file, '..')
  const inPackages = join(root, 'node_modules', 'c', 'index.js')
  const { reloader, attempts } = reloading(t, (name, attempt) =>
    serves(name, attempt, { root, digests: new Map([[inPackages, 'of a file that is another now']]) }),
  )
  await reloader.apply({ entries: [entry('a')] })
  assert.deepEqual(attempts, ['a'])
})

test('a plugin that lives in node_modules is built again when one of its own files changed meanwhile', async (t) => {
  const root = join(fileOf(t, '1'), '..', 'node_modules', 'a')
  mkdirSync(root, { recursive: true })
  const file = join(root, 'index.js')
  writeFileSync(file, '1')
  const { reloader, attempts } = reloading(t, (name, attempt) => {
    const digests = new Map([[file, attempt === 1 ? 'of another text' : digestOf(file)]])
    return serves(name, attempt, { root, digests })
  })
  await reloader.apply({ entries: [entry('a')] })
  assert.deepEqual(attempts, ['a', 'a'])
})

test('nothing is built again once the host closes, also while it waits to', async (t) => {
  const file = fileOf(t, '0')
  const second = Promise.withResolvers<void>()
  const { reloader, attempts } = reloading(
    t,
    (name, attempt) => {
      const digests = new Map([[file, digestOf(file)]])
      writeFileSync(file, `in attempt ${attempt}`)
      if (attempt === 2) second.resolve()
      return serves(name, attempt, { digests })
    },
    { graceMs: 60_000 },
  )
  const applied = reloader.apply({ entries: [entry('a')] })
  await second.promise
  await turn()
  await reloader[Symbol.asyncDispose]()
  await applied
  assert.deepEqual(attempts, ['a', 'a'])
  await reloader.apply({ entries: [entry('b')] })
  reloader.retireFailed()
  assert.deepEqual(attempts, ['a', 'a'])
})

test('an edit that wants a credential keeps the version that serves, and a config that takes it away does not', async (t) => {
  const file = fileOf(t, '1')
  const build = (name: string, attempt: number) =>
    attempt === 1 ? serves(name, 1, { digests: new Map([[file, digestOf(file)]]) }) : unconfigured(name)
  const edited = reloading(t, build)
  await edited.reloader.apply({ entries: [entry('a')] })
  writeFileSync(file, '2')
  await edited.reloader.apply({ entries: [entry('a')], changed: new Set([file]) })
  assert.deepEqual(edited.published.at(-1), ['a 1'])
  assert.equal(edited.reports.at(-1)?.outcome, 'kept')

  const configured = reloading(t, build)
  await configured.reloader.apply({ entries: [entry('a')] })
  await configured.reloader.apply({ entries: [entry('a', { config: { label: 'x' } })] })
  assert.deepEqual(configured.published.at(-1), ['a unconfigured'])
})

test('a failed attempt at the first start is published at once, and one beside a version that serves waits for a newer change', async (t) => {
  const { reloader, attempts, reports, drained } = reloading(
    t,
    (name, attempt) => (attempt === 2 ? failed(name) : serves(name, attempt)),
    {
      graceMs: 60_000,
    },
  )
  await reloader.apply({ entries: [entry('a')] })
  const broken = reloader.apply({ entries: [entry('a')], all: true })
  await turn()
  await reloader.apply({ entries: [entry('a')], all: true })
  await broken
  assert.deepEqual(attempts, ['a', 'a', 'a'])
  assert.deepEqual(
    reports.map(({ outcome }) => outcome),
    ['added', 'replaced'],
    'the failed attempt is overtaken',
  )
  assert.deepEqual(
    drained.map(({ generation }) => generation),
    [1],
  )
})

test('a plugin that leaves the config before it was ever ready is given up', async (t) => {
  const ready = Promise.withResolvers<Activation>()
  const signals: AbortSignal[] = []
  const { reloader, published, reports } = reloading(t, (_, __, signal) => {
    signals.push(signal)
    return ready.promise
  })
  const begun = reloader.apply({ entries: [entry('a')] })
  await turn()
  await reloader.apply({ entries: [] })
  assert.deepEqual(published, [[]])
  assert.deepEqual(reports, [])
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true],
  )
  ready.resolve(serves('a', 1))
  await begun
  assert.deepEqual(published, [[]])
})

test('of many plugins, one that hangs holds up neither the building nor the publish of the others', async (t) => {
  const hangs = Promise.withResolvers<Activation>()
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const { reloader, published, attempts } = reloading(
    t,
    (name, attempt) => (name === 'a' && attempt === 2 ? hangs.promise : serves(name, attempt)),
    { patienceMs: 100 },
  )
  const entries = names.map((name) => entry(name))
  await reloader.apply({ entries })
  await reloader.apply({ entries, all: true })
  assert.deepEqual(attempts.slice(names.length), names)
  assert.deepEqual(published.at(-1), ['a 1', 'b 2', 'c 2', 'd 2', 'e 2', 'f 2'])
  hangs.resolve(serves('a', 2))
  await turn()
  await turn()
  assert.deepEqual(published.at(-1), ['a 2', 'b 2', 'c 2', 'd 2', 'e 2', 'f 2'])
})

test('more than four plugins are built in turn', async (t) => {
  const names = ['a', 'b', 'c', 'd', 'e']
  let running = 0
  const atOnce: number[] = []
  const { reloader } = reloading(t, async (name, attempt) => {
    atOnce.push(++running)
    await turn()
    running--
    return serves(name, attempt)
  })
  const entries = names.map((name) => entry(name))
  await reloader.apply({ entries })
  await reloader.apply({ entries, all: true })
  await reloader.apply({ entries, all: ({ instance }) => instance !== 'e' })
  assert.deepEqual(atOnce, [1, 2, 3, 4, 5, 1, 1, 1, 1, 1, 1, 2, 3, 4], 'not at the start, and not four of them')
})

test('the log has a line for what became of each plugin; of the first start only for what does not run', async (t) => {
  const { reloader, lines, reports } = reloading(t, (name, attempt) => {
    if (name === 'b' || (name === 'a' && attempt === 4)) return unconfigured(name)
    if (name === 'c' || (name === 'a' && attempt === 3)) return failed(name)
    return serves(name, attempt)
  })
  const [a, others] = [entry('a'), [entry('b'), entry('c')]]
  const said: (readonly string[])[] = []
  const step = async (entries: readonly PluginEntry[], all = false) => {
    await reloader.apply({ entries, all: ({ instance }) => all && instance === 'a' })
    said.push(lines.splice(0))
  }
  await step([a, ...others])
  await step([a, ...others], true)
  await step([a, ...others], true)
  await step([a, ...others], true)
  await step([a, ...others, entry('d')])
  await step([a, ...others])
  assert.deepEqual(said, [
    ['warn plugin_unconfigured', 'error plugin_failed'],
    ['info plugin_reloaded'],
    ['error plugin_kept'],
    ['warn plugin_unconfigured'],
    ['info plugin_added'],
    ['info plugin_removed'],
  ])
  assert.deepEqual(
    reports.map(({ instance, outcome, generation, previous, before, after }) => [
      instance,
      outcome,
      generation,
      previous,
      before?.version ?? before?.state,
      after?.version ?? after?.state,
    ]),
    [
      ['a', 'added', 1, 0, undefined, '1'],
      ['b', 'added', 1, 0, undefined, 'unconfigured'],
      ['c', 'added', 1, 0, undefined, 'failed'],
      ['a', 'replaced', 2, 1, '1', '2'],
      ['a', 'kept', 3, 2, '2', 'failed'],
      ['a', 'replaced', 4, 2, '2', 'unconfigured'],
      ['d', 'added', 5, 0, undefined, '1'],
      ['d', 'removed', 6, 5, '1', undefined],
    ],
  )
})

test('a plugin that has given up is published as failed once, logged, drained, and built again when something changes', async (t) => {
  const failure: { of?: Error } = {}
  const { reloader, published, lines, drained } = reloading(t, (name, attempt) => {
    const record = activeRecord(emptyPlugin(name, [emptyTool(`${name}_get`)]), { as: name }) as PluginRecord & {
      live: NonNullable<PluginRecord['live']>
    }
    if (name === 'a' && attempt === 1)
      Object.defineProperty(record.live.running, 'failure', { get: () => failure.of, configurable: true })
    return activationOf({ ...record, version: String(attempt) })
  })
  const entries = [entry('a'), entry('b')]
  await reloader.apply({ entries })
  reloader.retireFailed()
  assert.equal(published.length, 1, 'none has given up')
  failure.of = new Error('it crashed too often')
  reloader.retireFailed()
  reloader.retireFailed()
  await turn()
  assert.deepEqual(
    reloader.records.map(({ instance, state, reason }) => [instance, state, reason?.message]),
    [
      ['a', 'failed', 'it crashed too often'],
      ['b', 'active', undefined],
    ],
  )
  assert.equal(published.length, 2)
  assert.deepEqual(lines, ['error plugin_failed'])
  assert.deepEqual(
    drained.map(({ instance, generation }) => [instance, generation]),
    [['a', 1]],
  )
  await reloader.apply({ entries: [entry('a', { readOnly: true }), entry('b')] })
  assert.deepEqual(published.at(-1), ['a 2', 'b 1'])
})

test('the host that closes drains every version, and what is still being built when it is there', async (t) => {
  const late = Promise.withResolvers<Activation>()
  const released: string[] = []
  const { reloader, drained } = reloading(t, (name, attempt) =>
    attempt === 2 ? late.promise : serves(name, attempt, { release: () => void released.push(`${name} ${attempt}`) }),
  )
  const entries = [entry('a'), entry('b')]
  await reloader.apply({ entries })
  void reloader.apply({ entries: [entry('a', { readOnly: true }), entry('b')] })
  await turn()
  const closed = reloader[Symbol.asyncDispose]()
  late.resolve(serves('a', 2, { release: () => void released.push('a 2') }))
  await closed
  assert.deepEqual(released.toSorted(), ['a 1', 'a 2', 'b 1'])
  const gone = drained.map(({ instance, generation }) => `${instance} ${generation}`)
  assert.deepEqual(gone.toSorted(), ['a 0', 'a 1', 'b 1'])
})
