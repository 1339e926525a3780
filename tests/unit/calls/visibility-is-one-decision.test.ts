import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PLUGIN_STATES } from '../../../host/src/observability/plugin-states.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { createMetrics } from '../../../host/src/observability/metrics.ts'
import { createCalls } from '../../../host/src/server/call/call.ts'
import { createCaller } from '../../../host/src/server/catalog/caller.ts'
import { Cancellation } from '../../../host/src/server/call/cancellation.ts'
import { explain } from '../../../host/src/server/catalog/visibility.ts'
import { viewOf } from '../../../host/src/server/catalog/view.ts'
import type { PluginRecord } from '../../../host/src/plugin/run/plugin-record.ts'
import { activeRecord, emptyPlugin, emptyTool, snapshotOf } from '../../fixtures/projects/snapshots.ts'

const calls = createCalls({
  log: silentLogger,
  metrics: createMetrics(),
  now: () => 0,
  limits: () => ({ callTimeoutMs: 1_000, resultBytes: 10_000 }),
  redact: createRedactor(),
})
const io = { cancellation: new Cancellation(), requestId: 'r1' }

const words = ['issues_get', 'issues_delete', 'pulls_get', 'users_list']
const glob = fc.constantFrom('*', 'issues_*', '*_get', 'a_*', 'b_issues_*', 'nothing', 'b_*')
const globs = fc.array(glob, { maxLength: 3 })
const scopes = fc.subarray(['read', 'admin', 'triage'])
const access = fc.constantFrom('read' as const, 'write' as const)

const plugin = fc.record({
  tools: fc.uniqueArray(fc.record({ name: fc.constantFrom(...words), access, permissions: scopes, tags: scopes }), {
    selector: ({ name }) => name,
    maxLength: 4,
  }),
  allow: fc.option(globs, { nil: undefined }),
  deny: globs,
  readOnly: fc.boolean(),
  state: fc.constantFrom(...PLUGIN_STATES.filter((state) => state !== 'idle')),
  quarantined: fc.subarray(words),
})
const config = fc.record({
  allow: fc.option(globs, { nil: undefined }),
  deny: globs,
  enable: fc.option(fc.subarray(['triage', 'reading', 'unknown']), { nil: undefined }),
  readOnly: fc.boolean(),
  grants: fc.option(fc.record({ read: globs, admin: globs }), { nil: undefined }),
  tenants: fc.option(fc.record({ acme: fc.record({ allow: globs, deny: globs, readOnly: fc.boolean() }) }), { nil: undefined }),
})
const caller = fc.record({
  tenant: fc.constantFrom(undefined, 'acme', 'other'),
  permissions: fc.oneof(scopes, fc.constant(['*'])),
  kind: fc.constantFrom('local' as const, 'apiKey' as const, 'oauth' as const),
  toolsets: fc.option(fc.subarray(['triage', 'reading', 'unknown']), { nil: undefined }),
  narrowed: fc.boolean(),
})

test('whatever is not in a view cannot be called, and is answered like a tool that does not exist', async () => {
  await fc.assert(
    fc.asyncProperty(fc.tuple(plugin, plugin), config, caller, async ([a, b], settings, who) => {
      const records = [a, b].map((shape, index): PluginRecord => {
        const tools = shape.tools.map(({ name, access: kind, permissions, tags }) => emptyTool(name, kind, { permissions, tags }))
        const entry = { readOnly: shape.readOnly, tools: { ...(shape.allow ? { allow: shape.allow } : {}), deny: shape.deny } }
        const { live, ...record } = activeRecord(emptyPlugin(index === 0 ? 'a' : 'b', tools), entry)
        const { state } = shape
        return { ...record, state, quarantined: new Set(shape.quarantined), ...(state === 'active' && live ? { live } : {}) }
      })
      const snapshot = snapshotOf(records, {
        tools: {
          ...(settings.allow ? { allow: settings.allow } : {}),
          deny: settings.deny,
          toolsets: { triage: ['*_issues_*'], reading: ['*_get'] },
          ...(settings.enable ? { enable: settings.enable } : {}),
        },
        readOnly: settings.readOnly,
        ...(settings.grants ? { auth: { inbound: { mode: 'none' }, permissions: settings.grants } } : {}),
        ...(settings.tenants
          ? {
              tenants: {
                acme: {
                  tools: { allow: settings.tenants.acme.allow, deny: settings.tenants.acme.deny },
                  readOnly: settings.tenants.acme.readOnly,
                },
              },
            }
          : {}),
      })
      const someone = createCaller(
        { id: 'x', tenant: who.tenant, permissions: who.permissions, kind: who.kind },
        { toolsets: who.toolsets, readOnly: who.narrowed },
      )
      const listed = new Set(viewOf(snapshot, someone).tools.map(({ name }) => name))
      for (const name of ['a', 'b'].flatMap((instance) => words.map((word) => `${instance}_${word}`))) {
        const answer = await calls.tool(snapshot, someone, name, {}, io).then(
          ({ kind }) => kind,
          (error: Error) => error.message,
        )
        assert.equal(answer, listed.has(name) ? 'result' : `Unknown tool: ${name}`)
        assert.equal(explain(snapshot, name, someone).visible, listed.has(name))
      }
    }),
    { numRuns: 500 },
  )
})

test('a narrowed caller never sees more than the same caller without narrowing', () => {
  const snapshot = snapshotOf([activeRecord(emptyPlugin('a', [emptyTool('issues_get'), emptyTool('issues_delete', 'write')]))], {
    tools: { toolsets: { triage: ['a_*'] } },
  })
  const principal = { id: 'x', tenant: undefined, permissions: ['*'], kind: 'local' as const }
  const wide = new Set(viewOf(snapshot, createCaller(principal)).tools.map(({ name }) => name))
  const narrow = viewOf(snapshot, createCaller(principal, { toolsets: ['triage', 'none'], readOnly: true })).tools.map(
    ({ name }) => name,
  )
  assert.deepEqual(narrow, ['a_issues_get'])
  assert.ok(narrow.every((name) => wide.has(name)))
})

test('explain names the first rule that refuses and the setting behind it', () => {
  const record = activeRecord(emptyPlugin('a', [emptyTool('issues_delete', 'write')]))
  const snapshot = snapshotOf([record], { readOnly: true, tools: { deny: ['nothing'] } })
  const { visible, decidedBy, chain } = explain(
    snapshot,
    'a_issues_delete',
    createCaller({ id: 'x', tenant: undefined, permissions: ['*'], kind: 'local' }),
  )
  assert.equal(visible, false)
  assert.equal(decidedBy, 'read_only')
  assert.match(chain.find(({ rule }) => rule === 'read_only')?.source ?? '', /mcp\.config\.ts: readOnly/)
})

test('explain blames a plugin that does not serve only for names that begin with its own', () => {
  const { live: _, surface: __, ...record } = activeRecord(emptyPlugin('git', []))
  const someone = createCaller({ id: 'x', tenant: undefined, permissions: ['*'], kind: 'local' })
  const table = [
    ['git_log', 'failed', 'plugin_failed'],
    ['git_log', 'loading', 'plugin_failed'],
    ['git_log', 'quarantined', 'quarantined'],
    ['git_log', 'active', 'unknown'],
    ['github_issues_get', 'failed', 'unknown'],
    ['gi_x', 'failed', 'unknown'],
    ['git', 'failed', 'unknown'],
  ] as const
  for (const [name, state, decidedBy] of table) {
    const explained = explain(snapshotOf([{ ...record, state }]), name, someone)
    assert.deepEqual([explained.visible, explained.decidedBy], [false, decidedBy], `${name} with git ${state}`)
  }
})

test('the order of a list is that of the config, then of the plugin', () => {
  const snapshot = snapshotOf([
    activeRecord(emptyPlugin('b', [emptyTool('y_z'), emptyTool('a_b')])),
    activeRecord(emptyPlugin('a', [emptyTool('c_d')])),
  ])
  const names = viewOf(snapshot, createCaller({ id: 'x', tenant: undefined, permissions: [], kind: 'apiKey' })).tools.map(
    ({ name }) => name,
  )
  assert.deepEqual(names, ['b_y_z', 'b_a_b', 'a_c_d'])
})
