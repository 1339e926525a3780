import assert from 'node:assert/strict'
import fs, { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Type, type TObject } from '@mcp-patchbay/plugin-api'
import { normalizeEntry, type PluginEntry } from '../../../host/src/config/schema/schema.ts'
import { hostError } from '../../../host/src/errors.ts'
import { digestOf } from '../../../host/src/modules/reading/source-digest.ts'
import type { Activation } from '../../../host/src/plugin/activation.ts'
import { decideBuild, planPublish, type FinishedBuild } from '../../../host/src/plugin/reload/plan.ts'
import {
  createSlot,
  hasOtherConfigFiles,
  isOutdated,
  isTouched,
  readsVariable,
  sameEntry,
  sameVersion,
  slotKeys,
  type Slot,
} from '../../../host/src/plugin/reload/slot.ts'
import type { PluginRecord } from '../../../host/src/plugin/run/plugin-record.ts'
import { activationOf } from '../../fixtures/plugins/activations.ts'
import { activeRecord, emptyPlugin, emptyTool } from '../../fixtures/projects/snapshots.ts'

/** What a row says nothing of may be either. Of the rows that fit, the first has the answer. */
const FATES: readonly (readonly [Partial<FinishedBuild>, ReturnType<typeof decideBuild>])[] = [
  [{ serves: false, isTaken: true }, 'refuse'],
  [{ serves: false }, 'publish'],
  [{ isTaken: true }, 'keep'],
  [{ hasFault: true }, 'keep'],
  [{ isLive: true }, 'publish'],
  [{ hasError: true }, 'keep'],
  // An edit that wants a credential which nobody set: the operator did not take anything away.
  [{ isEdit: true }, 'keep'],
  [{}, 'publish'],
]
const INPUTS = ['serves', 'isTaken', 'hasFault', 'isLive', 'hasError', 'isEdit'] as const

function everyBuild(): FinishedBuild[] {
  return Array.from({ length: 2 ** INPUTS.length }, (_, mask) => {
    const at = (index: number) => (mask & (1 << index)) !== 0
    return { serves: at(0), isTaken: at(1), hasFault: at(2), isLive: at(3), hasError: at(4), isEdit: at(5) }
  })
}

const fits = (row: Partial<FinishedBuild>, build: FinishedBuild) =>
  INPUTS.every((key) => row[key] === undefined || row[key] === build[key])

test('a finished build is published, or the version that serves is kept, as the table says', () => {
  const used = new Set<number>()
  for (const build of everyBuild()) {
    const row = FATES.findIndex(([of]) => fits(of, build))
    used.add(row)
    assert.equal(decideBuild(build), FATES[row]?.[1], JSON.stringify(build))
  }
  assert.equal(used.size, FATES.length, 'every row is the answer to some build')
})

const tools = [emptyTool('issues_get')]
const serving = (name = 'a', of = tools) => activeRecord(emptyPlugin(name, of))

/** A slot in which `next` is done and `current` serves. */
function slotOf(
  next: Activation,
  { current, isEdit = false, generation = 3 }: { current?: Activation; isEdit?: boolean; generation?: number } = {},
): Slot {
  const building = { controller: new AbortController(), startedAt: 1, isEdit, done: Promise.resolve(), result: next }
  return { ...createSlot(next.record.entry), current, generation: current ? generation : 0, building }
}

test('each fate leaves the record, the drain and the report that go with it, for every build that there can be', () => {
  for (const build of everyBuild()) {
    const { serves, isTaken, hasFault, isLive, hasError, isEdit } = build
    const { live, ...idle } = serving()
    assert.ok(live)
    const record: PluginRecord = isLive
      ? { ...idle, live }
      : { ...idle, state: 'unconfigured', reason: { code: 'X', message: 'why', fix: [] } }
    const next = activationOf(record, {
      ...(hasError && { error: new Error('failed') }),
      ...(hasFault && { fault: hostError('PLUGIN_UNCONFIGURED', { plugin: 'a', problems: ['bad'], fixes: [] }) }),
    })
    // One that serves has other tools, so that what collides is the new version alone.
    const current = activationOf(serves ? serving('a', []) : { ...idle, state: 'failed' })
    const slot = slotOf(next, { current, isEdit })
    const other = activationOf(serving('a_issues', [emptyTool('get')]))
    const before: Slot = { ...createSlot(other.record.entry), current: other, generation: 1 }
    const plan = planPublish([...(isTaken ? [before] : []), slot])
    const fate = FATES.find(([of]) => fits(of, build))?.[1]
    const says = JSON.stringify(build)
    const after = plan.records.at(-1)
    assert.equal(slot.building, undefined, says)
    assert.deepEqual(plan.published, fate === 'keep' ? [] : [slot], says)
    assert.deepEqual(
      plan.changes.map(({ outcome, previous }) => [outcome, previous]),
      [[fate === 'keep' ? 'kept' : 'replaced', 3]],
      says,
    )
    const gone = fate === 'publish' ? [current] : fate === 'keep' ? [next] : [next, current]
    assert.deepEqual(new Set(plan.superseded.map(({ activation }) => activation)), new Set(gone), says)
    assert.equal(after?.live, fate === 'publish' ? record.live : fate === 'keep' ? current.record.live : undefined, says)
    if (fate === 'keep') assert.ok(after?.reloadError, says)
    if (fate === 'refuse') assert.deepEqual([after?.state, after?.reason?.code], ['failed', 'PLUGIN_COLLISION'], says)
  }
})

test('a version that is kept keeps its names against a new plugin, also when its edit gave them up', () => {
  const current = activationOf(serving('a', [emptyTool('eu_issues')]))
  const { live: _, ...edited } = serving('a', [])
  const kept = slotOf(activationOf({ ...edited, state: 'unconfigured' }), { current, isEdit: true })
  const late = slotOf(activationOf(serving('a_eu', [emptyTool('issues')])))
  const { records } = planPublish([kept, late])
  assert.deepEqual(
    records.map(({ instance, state, reason }) => [instance, state, reason?.code]),
    [
      ['a', 'active', undefined],
      ['a_eu', 'failed', 'PLUGIN_COLLISION'],
    ],
  )
})

test('a version that gives up its names leaves them to another in the same publish', () => {
  const current = activationOf(serving('a', [emptyTool('eu_issues')]))
  const without = slotOf(activationOf(serving('a', [])), { current })
  const late = slotOf(activationOf(serving('a_eu', [emptyTool('issues')])))
  assert.deepEqual(
    planPublish([without, late]).records.map(({ state }) => state),
    ['active', 'active'],
  )
})

test('a broken version does not count as one that serves', () => {
  const record = serving()
  assert.ok(record.live)
  const broken = {
    ...record,
    live: Object.assign(Object.create(record.live) as typeof record.live, {
      running: { ...record.live.running, isBroken: true },
    }),
  }
  const { live: _, ...idle } = serving()
  const { records } = planPublish([
    slotOf(activationOf({ ...idle, state: 'failed' }, { error: new Error('x') }), { current: activationOf(broken) }),
  ])
  assert.equal(records[0]?.state, 'failed')
})

/** Another value of every key of an entry, and whether a version with it is built again or only shown otherwise. */
const KEYS = {
  as: ['b', true],
  version: ['2.0.0', true],
  integrity: ['sha512-b', true],
  config: [{ label: 'b' }, true],
  isolation: ['process', true],
  idleMs: [5_000, true],
  capabilities: [{ hosts: ['https://b.example'] }, true],
  http: [{ http2: true }, true],
  readOnly: [true, true],
  allowRequestCredentials: [false, true],
  serverCredentials: ['deny', true],
  watch: [['*.sql'], true],
  // Written out into `config` before.
  operations: [{ allow: ['GET *'] }, false],
  exchange: [{ tokenUrl: 'https://b.example/token', clientId: 'b' }, true],
  command: [['mcp-b'], true],
  args: [['--b'], true],
  env: [{ B: { secret: true } }, true],
  share: ['session', true],
  maxProcesses: [2, true],
  roots: [['./b'], true],
  oauth: [{ issuer: 'https://b.example', clientId: 'b' }, true],
  tools: [{ deny: ['issues_*'] }, false],
  overrides: [{ issues_get: { description: 'Other.' } }, false],
  required: [true, false],
} as const satisfies Record<Exclude<keyof PluginEntry, 'use'>, readonly [unknown, boolean]>

const entry = (more: object = {}): PluginEntry => normalizeEntry({ use: './a', ...more })
for (const [key, [value, isBuilt]] of Object.entries(KEYS))
  test(`an entry whose ${key} changes ${isBuilt ? 'is built again' : 'keeps its version'}`, () => {
    const [one, other] = [entry(), entry({ [key]: value })]
    assert.equal(sameVersion(one, other), !isBuilt)
    assert.equal(sameVersion(other, entry({ [key]: value })), true)
    assert.equal(sameEntry(one, other), false)
    assert.equal(sameEntry(other, entry({ [key]: value })), true)
  })

test('an entry that is of another plugin is built again', () => {
  assert.equal(sameVersion(entry(), normalizeEntry({ use: './b' })), false)
  assert.equal(sameEntry(entry(), normalizeEntry({ use: './b' })), false)
})

test('entries are known by their names, else by their specifiers and their places among the same', () => {
  assert.deepEqual(slotKeys([entry(), entry(), entry({ as: 'x' }), normalizeEntry({ use: './b' })]), ['./a', './a#2', 'x', './b'])
})

function files(t: TestContext): { a: string; b: string; root: string } {
  const root = mkdtempSync(join(tmpdir(), 'patchbay-'))
  t.after(() => rmSync(root, { recursive: true }))
  const [a, b] = [join(root, 'a.ts'), join(root, 'b.ts')]
  writeFileSync(a, 'a')
  writeFileSync(b, 'b')
  return { a, b, root }
}

test('contents decide whether a file touches a plugin, and any file of its folder may be what a failed one misses', (t) => {
  const { a, b, root } = files(t)
  const of = (state: PluginRecord['state'], digest: string): Slot => ({
    ...createSlot(entry()),
    newest: activationOf({ ...serving(), state }, { digests: new Map([[a, digest]]), root }),
  })
  const same = digestOf(a)
  const table: readonly (readonly [PluginRecord['state'], string, readonly string[], boolean])[] = [
    ['active', same, [a], false],
    ['active', 'other', [a], true],
    ['active', 'other', [], false],
    ['active', same, [b], false],
    ['active', 'other', [b], false],
    ['active', 'other', [b, a], true],
    ['failed', same, [a], false],
    ['failed', same, [b], true],
    ['failed', same, [root], true],
    ['failed', same, [`${root}-other/b.ts`], false],
    ['unconfigured', same, [b], false],
  ]
  for (const [state, digest, changed, expected] of table)
    assert.equal(isTouched(of(state, digest), new Set(changed)), expected, JSON.stringify([state, digest === same, changed]))
  assert.equal(isTouched(createSlot(entry()), new Set([a])), false, 'nothing was read yet')
})

test('what was built is outdated where a file is another or gone, and not where the machine cannot open it just now', (t) => {
  const { a, b, root } = files(t)
  const missing = join(root, 'missing.ts')
  const of = (
    digests: readonly (readonly [string, string])[],
    configFiles: readonly (readonly [string, string])[] = [],
  ): Slot => ({
    ...createSlot(entry()),
    newest: activationOf(serving(), { digests: new Map(digests), configFiles: new Map(configFiles), root }),
  })
  const same = [a, digestOf(a)] as const
  const table = [
    [of([same]), false],
    [of([same, [b, 'other']]), true],
    [of([same, [missing, 'other']]), true],
    [of([same, [missing, '']]), false],
    [of([same], [[b, 'other']]), true],
    [of([same], [[b, digestOf(b)]]), false],
  ] as const
  for (const [index, [slot, expected]] of table.entries()) assert.equal(isOutdated(slot), expected, String(index))
  const { readFileSync } = fs
  t.after(() => {
    fs.readFileSync = readFileSync
    syncBuiltinESMExports()
  })
  for (const code of ['EMFILE', 'ENFILE', 'EIO']) {
    fs.readFileSync = () => {
      throw Object.assign(new Error(code), { code })
    }
    syncBuiltinESMExports()
    for (const [index, [slot]] of table.entries()) assert.equal(isOutdated(slot), false, `${index} ${code}`)
  }
})

test('a file that holds a value of the config counts when it holds another', (t) => {
  const { a, b } = files(t)
  const of = (configFiles: ReadonlyMap<string, string>): Slot => ({
    ...createSlot(entry()),
    newest: activationOf(serving(), { configFiles }),
  })
  assert.equal(
    hasOtherConfigFiles(
      of(
        new Map([
          [a, digestOf(a)],
          [b, digestOf(b)],
        ]),
      ),
    ),
    false,
  )
  assert.equal(
    hasOtherConfigFiles(
      of(
        new Map([
          [a, digestOf(a)],
          [b, 'other'],
        ]),
      ),
    ),
    true,
  )
  assert.equal(hasOtherConfigFiles(of(new Map([[join(b, 'missing'), '']]))), false)
  assert.equal(hasOtherConfigFiles(createSlot(entry())), false)
})

const EXCHANGE = { tokenUrl: 'https://id.example/token', clientId: 'desk' }

test('a variable counts for the plugins that read it, for themselves, for a tenant, or from a file', () => {
  const config: TObject = Type.Object({ apiUrl: Type.Optional(Type.String()) })
  const record = {
    ...activeRecord(emptyPlugin('desk', [], { config })),
    tenants: ['acme'],
    refusedFor: new Map([['umbrella', { code: 'X', message: 'x', fix: [] }]]),
  }
  const reads = (variable: string, of: PluginRecord = record) =>
    readsVariable({ ...createSlot(entry()), newest: activationOf(of) }, new Set([variable]))
  for (const variable of [
    'DESK_API_URL',
    'DESK_API_URL_FILE',
    'ACME_DESK_API_URL',
    'ACME_DESK_API_URL_FILE',
    'UMBRELLA_DESK_API_URL',
  ])
    assert.equal(reads(variable), true, variable)
  for (const variable of ['DESK_API', 'API_URL', 'OTHER_DESK_API_URL', 'DESK_API_URL_FILE_FILE'])
    assert.equal(reads(variable), false, variable)
  const { surface: _, ...unknown } = record
  assert.equal(reads('ANY', unknown), true, 'one that could not be imported may read any')
  const exchanging = { ...record, entry: { ...record.entry, exchange: { ...EXCHANGE, clientSecretVariable: 'SECRET' } } }
  for (const variable of ['SECRET', 'SECRET_FILE']) assert.equal(reads(variable, exchanging), true, variable)
  assert.equal(reads('SECRET_FILE'), false, 'an entry that exchanges nothing')
  assert.equal(readsVariable({ ...createSlot(entry()), newest: activationOf(record) }, new Set()), false)
  assert.equal(readsVariable(createSlot(entry()), new Set(['DESK_API_URL'])), false)
})
