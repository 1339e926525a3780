// Around a reload: what a drained version leaves, how much of it is new for clients, which plugins a change picks, and what is watched.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { normalizeEntry } from '../../../host/src/config/schema/schema.ts'
import type { Activation } from '../../../host/src/plugin/activation.ts'
import { createDrains } from '../../../host/src/plugin/reload/drain.ts'
import { createPace } from '../../../host/src/plugin/reload/pace.ts'
import { countReload, type ReloadReport } from '../../../host/src/plugin/reload/reload-report.ts'
import { createSlot } from '../../../host/src/plugin/reload/slot.ts'
import { sourcesOf } from '../../../host/src/plugin/reload/sources.ts'
import { selectStale } from '../../../host/src/plugin/reload/stale.ts'
import { surfaceChanges } from '../../../host/src/plugin/reload/surface-changes.ts'
import {
  holderOf,
  isBelow,
  isDiscovery,
  isIgnored,
  isRelevant,
  pathsOf,
  type WatchTargets,
} from '../../../host/src/plugin/reload/watch-targets.ts'
import { LivePlugin } from '../../../host/src/plugin/run/live-plugin.ts'
import type { PluginRecord } from '../../../host/src/plugin/run/plugin-record.ts'
import { NO_SURROUNDINGS } from '../../../host/src/plugin/source/surroundings.ts'
import { activationOf } from '../../fixtures/plugins/activations.ts'
import { activeRecord, emptyPlugin, emptyTool } from '../../fixtures/projects/snapshots.ts'

function drains() {
  const told: unknown[] = []
  const log: Logger = {
    info() {},
    error() {},
    debug: (event, fields) => void told.push([event, { ...fields }['generation']]),
    warn: (event, fields) => void told.push([event, { ...fields }['generation']]),
    child: () => log,
  }
  const all = createDrains({
    log,
    drainMs: () => 7,
    reason: (plugin, drainMs) => new Error(`${plugin} ${drainMs}`),
    onDrained: ({ instance, generation, finished, cancelled }) =>
      void told.push(['drained', instance, generation, finished, cancelled]),
    onRelease: ({ instance }) => void told.push(['record', instance]),
    onReleased: ({ generation }) => void told.push(['gone', generation]),
  })
  return { all, told }
}

function version({ isHeld, dispose = async () => {} }: { isHeld?: boolean; dispose?: () => Promise<void> } = {}) {
  const record = activeRecord(emptyPlugin('a', []))
  assert.ok(record.live)
  const running = { ...record.live.running, ...(isHeld !== undefined && { isHeld }), [Symbol.asyncDispose]: dispose }
  return { ...record, live: new LivePlugin('a', running) }
}

test('a version is drained, then its record and its modules are released, and then it is looked for; what is held is not', async () => {
  const table: readonly (readonly [PluginRecord, generation: number, readonly unknown[]])[] = [
    [version(), 3, [['plugin_drained', 3], ['drained', 'a', 3, 0, 0], ['record', 'a'], 'released', ['gone', 3]]],
    [version(), 0, [['drained', 'a', 0, 0, 0], ['record', 'a'], 'released', ['gone', 0]]],
    [version({ isHeld: true }), 3, [['plugin_drained', 3], ['drained', 'a', 3, 0, 0], ['record', 'a'], 'released']],
    [version({ isHeld: false }), 3, [['plugin_drained', 3], ['drained', 'a', 3, 0, 0], ['record', 'a'], 'released', ['gone', 3]]],
    [
      version({ dispose: () => Promise.reject(new Error('x')) }),
      3,
      [['plugin_dispose_failed', 3], ['plugin_drained', 3], ['drained', 'a', 3, 0, 0], ['record', 'a'], 'released', ['gone', 3]],
    ],
    [{ instance: 'a', entry: normalizeEntry({ use: './a' }), state: 'failed' }, 3, [['record', 'a'], 'released']],
  ]
  for (const [record, generation, expected] of table) {
    const { all, told } = drains()
    all.start(activationOf(record, { release: () => void told.push('released') }), generation)
    await all.finished()
    assert.deepEqual(told, expected)
  }
})

test('calls that a drain cuts off hear which plugin, and all drains are waited for', async () => {
  const { all, told } = drains()
  const record = version()
  const reasons: unknown[] = []
  const call = record.live.enter({
    cancel: (reason) => {
      reasons.push(reason.message)
      call.release()
    },
  })
  all.start(activationOf(record), 1)
  all.start(activationOf(version()), 2)
  await all.finished()
  assert.deepEqual(reasons, ['a 7'])
  assert.deepEqual(
    told.filter((one) => Array.isArray(one) && one[0] === 'drained'),
    [
      ['drained', 'a', 2, 0, 0],
      ['drained', 'a', 1, 0, 1],
    ],
  )
})

test('what is new for clients is counted by name, description, access and kind; what does not serve shows nothing', () => {
  const serving = (...tools: Parameters<typeof emptyPlugin>[1]) => activeRecord(emptyPlugin('a', tools))
  const one = serving(emptyTool('one'), emptyTool('two'))
  const { live: _, ...idle } = one
  const table: readonly (readonly [
    PluginRecord | undefined,
    PluginRecord | undefined,
    added: number,
    changed: number,
    removed: number,
  ])[] = [
    [undefined, one, 2, 0, 0],
    [one, undefined, 0, 0, 2],
    [one, one, 0, 0, 0],
    [one, serving(emptyTool('two'), emptyTool('one')), 0, 0, 0],
    [one, serving(emptyTool('one'), emptyTool('two'), emptyTool('three')), 1, 0, 0],
    [one, serving(emptyTool('one'), emptyTool('three')), 1, 0, 1],
    [one, serving(emptyTool('one', 'write'), emptyTool('two')), 0, 1, 0],
    [one, serving(emptyTool('one', 'read', { description: 'Other.' }), emptyTool('two', 'write')), 0, 2, 0],
    [one, idle, 0, 0, 2],
    [idle, one, 2, 0, 0],
    [undefined, undefined, 0, 0, 0],
  ]
  for (const [before, after, added, changed, removed] of table)
    assert.deepEqual(surfaceChanges(before, after), { added, changed, removed })
})

test('a reload is counted as published or failed, and a plugin that goes takes its figures with it', () => {
  const after = activeRecord(emptyPlugin('a', []))
  const report = (outcome: ReloadReport['outcome']): ReloadReport => ({
    instance: 'a',
    generation: 1,
    outcome,
    ms: 5,
    changes: { added: 0, changed: 0, removed: 0 },
    previous: 0,
    before: undefined,
    after: outcome === 'removed' ? undefined : after,
  })
  for (const [outcome, expected] of [
    ['added', [[{ plugin: 'a', outcome: 'published' }, 5]]],
    ['replaced', [[{ plugin: 'a', outcome: 'published' }, 5]]],
    ['kept', [[{ plugin: 'a', outcome: 'failed' }, 5]]],
    ['removed', ['a']],
  ] as const) {
    const told: unknown[] = []
    countReload(
      { reload: (labels, ms) => void told.push([labels, ms]), forget: (plugin) => void told.push(plugin) },
      report(outcome),
    )
    assert.deepEqual(told, expected, outcome)
  }
})

test('a change builds what is new, what its entry, its variables or a pick says, and of files what they touch, as an edit', () => {
  const [a, b] = [normalizeEntry({ use: './a' }), normalizeEntry({ use: './b' })]
  const built = (name: string, more: Partial<Activation> = {}) =>
    activationOf({ ...activeRecord(emptyPlugin(name, [])), entry: name === 'a' ? a : b }, more)
  const slots = () =>
    new Map([
      ['./a', { ...createSlot(a), newest: built('a', { digests: new Map([['/no/such/a.ts', 'was there']]) }) }],
      ['./b', { ...createSlot(b), newest: built('b') }],
    ])
  const table: readonly (readonly [string, Parameters<typeof selectStale>[1], readonly string[]])[] = [
    ['nothing', { entries: [a, b] }, []],
    ['a file of a', { entries: [a, b], changed: new Set(['/no/such/a.ts']) }, ['./a edit']],
    ['a file of none', { entries: [a, b], changed: new Set(['/no/such/c.ts']) }, []],
    ['all', { entries: [a, b], all: true }, ['./a', './b']],
    ['one that is picked', { entries: [a, b], all: ({ entry }) => entry.use === './b' }, ['./b']],
    ['a file of one that is picked', { entries: [a], all: () => true, changed: new Set(['/no/such/a.ts']) }, ['./a']],
    ['another entry', { entries: [a, normalizeEntry({ use: './b', readOnly: true })] }, ['./b']],
    ['an entry that is only shown otherwise', { entries: [a, normalizeEntry({ use: './b', required: true })] }, []],
    ['one more', { entries: [a, b, normalizeEntry({ use: './c' })] }, ['./c']],
    ['one less', { entries: [b] }, []],
  ]
  for (const [what, change, expected] of table) {
    const before = slots()
    const { next, stale } = selectStale(before, change)
    assert.deepEqual(
      stale.map(({ slot, isEdit }) => `${slot.entry.use as string}${isEdit ? ' edit' : ''}`),
      expected,
      what,
    )
    assert.deepEqual(
      [...next.values()].map(({ entry }) => entry),
      change.entries,
      what,
    )
    for (const [key, slot] of next) assert.equal(slot === before.get(key), before.has(key), 'the slots that were there are kept')
  }
  // Nothing is known of one that is still built: no pick says anything of it, and it is not begun again.
  const building = { controller: new AbortController(), startedAt: 0, isEdit: false, done: Promise.resolve(), result: undefined }
  const first = new Map([['./a', { ...createSlot(a), building }]])
  assert.deepEqual(selectStale(first, { entries: [a], all: () => true }).stale, [])
})

const targets = (more: Partial<WatchTargets> = {}): WatchTargets => ({
  files: new Set(),
  configFiles: new Set(),
  roots: new Set(),
  open: new Set(),
  links: new Map(),
  folders: new Set(),
  listed: new Set(),
  globs: [],
  pluginDirs: new Map(),
  ...more,
})
const link = { led: '/d', of: undefined } as never

test('folders of plugins are watched whole, and what lies outside of them file by file', () => {
  for (const [roots, files, dirs, expected] of [
    [['/p/a'], ['/p/a/index.ts', '/p/lib/x.ts'], [], ['/p/a', '/p/lib/x.ts']],
    [['/p/a', '/p/a/b'], [], [], ['/p/a']],
    [['/p/a'], [], ['/p'], ['/p']],
    [['/p/ab'], [], ['/p/a'], ['/p/ab', '/p/a']],
    // What is in packages is not watched with the folder around it.
    [
      ['/p', '/p/node_modules/x'],
      ['/p/node_modules/y/i.js', '/p/i.ts'],
      [],
      ['/p', '/p/node_modules/x', '/p/node_modules/y/i.js'],
    ],
  ] as const)
    assert.deepEqual(
      pathsOf(targets({ roots: new Set(roots), files: new Set(files), pluginDirs: new Map(dirs.map((dir) => [dir, link])) })),
      new Set(expected),
    )
})

test('below a folder of plugins, what is outside of each plugin, or is a plugin as a whole, may be another plugin', () => {
  const of = targets({ roots: new Set(['/d/a']), pluginDirs: new Map([['/d', link]]) })
  for (const [event, path, real, expected] of [
    ['add', '/d/new.ts', '/d/new.ts', true],
    ['change', '/d/new.ts', '/d/new.ts', true],
    ['unlinkDir', '/d/a', '/d/a', true],
    ['change', '/d/a', '/d/a', false],
    ['add', '/d/a/x.ts', '/d/a/x.ts', false],
    ['add', '/e/x.ts', '/e/x.ts', false],
    ['add', '/d/linked.ts', '/elsewhere/x.ts', true],
    ['add', '/elsewhere/x.ts', '/d/x.ts', true],
  ] as const)
    assert.equal(isDiscovery({ event, path, real }, of), expected, `${event} ${path} ${real}`)
})

test('below packages, Git and coverage nothing is watched but what was loaded, and a plugin that lives there', () => {
  const of = targets({ files: new Set(['/p/node_modules/x/i.js']), roots: new Set(['/p/a', '/p/node_modules/plugin']) })
  for (const [path, expected] of [
    ['/p/a/index.ts', false],
    ['/p/a/node_modules', true],
    ['/p/a/node_modules/y/i.js', true],
    ['/p/node_modules/x/i.js', false],
    ['/p/node_modules/x/j.js', true],
    ['/p/node_modules/plugin/i.js', false],
    ['/p/node_modules/plugin/node_modules/z/i.js', true],
    ['/p/.git/HEAD', true],
    ['/p/a/coverage', true],
    ['/p/a/coverage.ts', false],
    ['/p/a/my.git/x', false],
    ['C:\\p\\.git\\HEAD', true],
  ] as const)
    assert.equal(isIgnored(path, of), expected, path)
})

test('an event matters for a loaded file, in a folder of a plugin that failed, and for new files that a plugin may look for', () => {
  const of = targets({
    files: new Set(['/p/i.ts']),
    open: new Set(['/p/failed']),
    folders: new Set(['/p/tools']),
    listed: new Set(['/p/pages']),
  })
  for (const [event, path, real, expected] of [
    ['change', '/link.ts', '/p/i.ts', true],
    ['unlink', '/p/i.ts', '/p/i.ts', true],
    ['change', '/p/failed/x', '/elsewhere/x', true],
    ['change', '/elsewhere/x', '/p/failed/x', true],
    ['add', '/p/tools/x.ts', '/p/tools/x.ts', true],
    ['unlink', '/p/tools/x.ts', '/p/tools/x.ts', true],
    ['add', '/p/tools/deep/x.ts', '/p/tools/deep/x.ts', false],
    ['add', '/p/tools/x.md', '/p/tools/x.md', false],
    ['add', '/p/pages/x.md', '/p/pages/x.md', true],
    ['add', '/p/other/x.ts', '/p/other/x.ts', false],
  ] as const)
    assert.equal(isRelevant(event, { path, real }, of), expected, `${event} ${path} ${real}`)
})

test('a path is below itself and its folders, and the nearest of several holds it', () => {
  assert.deepEqual(
    [isBelow('/a/b', '/a'), isBelow('/a', '/a'), isBelow('/ab', '/a'), isBelow('/a', '/a/b')],
    [true, true, false, false],
  )
  const folders = new Set(['/a', '/a/b', '/'])
  assert.deepEqual(
    ['/a/b/c', '/a/c', '/c', '/a/b'].map((path) => holderOf(path, folders)),
    ['/a/b', '/a', '/', '/a/b'],
  )
  assert.equal(holderOf('/c', new Set(['/a'])), undefined)
  assert.equal(holderOf('/c', new Set()), undefined)
})

test('what is watched is what the newest versions were built from; folders of inline plugins have owners, of failed ones any change counts', () => {
  const entry = (isolation: 'inline' | 'process') => normalizeEntry({ use: './x', isolation })
  const of = (name: string, more: Partial<PluginRecord>, rest: Partial<Activation>) =>
    activationOf({ ...activeRecord(emptyPlugin(name, [])), ...more }, rest)
  const sources = sourcesOf([
    of(
      'a',
      { entry: entry('inline') },
      { root: '/a', digests: new Map([['/a/i.ts', 'x']]), configFiles: new Map([['/s', 'y']]) },
    ),
    of('b', { entry: entry('process') }, { root: '/b' }),
    of(
      'c',
      { entry: entry('inline'), state: 'failed' },
      {
        root: '/c',
        surroundings: { ...NO_SURROUNDINGS, folders: new Map([['/c/t', '']]) as never, listed: new Map([['/c/l', '']]) as never },
      },
    ),
    of('d', { entry: entry('inline') }, {}),
  ])
  assert.deepEqual(
    [sources.files, sources.configFiles, sources.roots, sources.open, sources.folders, sources.listed].map((set) => [...set]),
    [['/a/i.ts'], ['/s'], ['/a', '/b', '/c'], ['/c'], ['/c/t'], ['/c/l']],
  )
  assert.deepEqual(
    [...sources.owners],
    [
      ['/a', 'a'],
      ['/c', 'c'],
    ],
  )
})

test('a set of changes is waited for by how many there are, how fast they follow, and whether something is half written', () => {
  const after = (times: readonly number[]) => {
    const pace = createPace()
    for (const at of times) pace.taken(at)
    return (files: number, now: number, isIncomplete = false) => pace.waitMs({ files, isIncomplete }, now)
  }
  assert.deepEqual([after([])(1, 0), after([])(2, 0), after([])(1, 0, true), after([])(2, 0, true)], [10, 50, 120, 120])
  assert.deepEqual([after([0])(1, 249), after([0])(1, 250), after([0])(2, 249)], [25, 10, 50])
  assert.deepEqual([after([0, 500])(1, 600), after([500, 0])(1, 300)], [25, 10], 'by the last')
  const storm = (sets: number) => Array.from({ length: sets }, (_, index) => index)
  assert.deepEqual(
    [9, 10, 11, 12].map((sets) => after(storm(sets))(1, 500)),
    [10, 100, 200, 400],
  )
  assert.equal(after(storm(40))(1, 500), after(storm(14))(1, 500), 'and no longer than that')
  assert.equal(after(storm(12))(1, 2_000), 10, 'once it is over')
})
