import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type, type Principal } from '@mcp-patchbay/plugin-api'
import type { EmbeddedEntry, HostConfig } from '../../../host/src/config/schema/schema.ts'
import type { PluginRecord } from '../../../host/src/plugin/run/plugin-record.ts'
import { createCaller, type Narrowing } from '../../../host/src/server/catalog/caller.ts'
import { missingScopes } from '../../../host/src/server/catalog/missing-scopes.ts'
import { explain, type RefusalCode } from '../../../host/src/server/catalog/visibility.ts'
import { activeRecord, emptyPlugin, emptyTool, snapshotOf } from '../../fixtures/projects/snapshots.ts'

interface Question {
  readonly name?: string
  readonly entry?: Partial<EmbeddedEntry>
  readonly plugin?: { readonly [Key in keyof PluginRecord]?: PluginRecord[Key] | undefined }
  readonly config?: HostConfig
  readonly principal?: Partial<Principal>
  readonly narrowing?: Partial<Narrowing>
}

const desk = emptyPlugin(
  'a',
  [
    emptyTool('get', 'read', { tags: ['one', 'two'] }),
    emptyTool('set', 'write', { permissions: ['p', 'q'] }),
    emptyTool('see', 'read', { permissions: ['p'] }),
  ],
  {
    resources: [{ uri: 'a:x', name: 'x', description: 'X', read: () => 'x' }],
    prompts: [{ name: 'ask', description: 'Asks', arguments: Type.Object({}), run: () => 'x' }],
  },
)

function asked({ name = 'a_get', entry, plugin, config = {}, principal, narrowing }: Question) {
  const record = { ...activeRecord(desk, entry), ...plugin } as PluginRecord
  const who: Principal = { id: 'x', tenant: undefined, permissions: [], kind: 'apiKey', ...principal }
  const caller = createCaller(who, { toolsets: undefined, readOnly: false, ...narrowing })
  return explain(snapshotOf([record], config), name, caller)
}

const reason = { code: 'X', message: 'It broke', fix: ['Mend it', 'Start it'] }
const address = { path: '/mcp/x/one', toolsets: ['one'], readOnly: false }

/** [a question, the rule, its verdict, what is behind it] */
const SOURCES: readonly (readonly [Question, RefusalCode, 'pass' | 'refuse', string])[] = [
  [{}, 'unknown', 'pass', 'plugin "a" has it; tags: a, read, one, two'],
  [{}, 'quarantined', 'pass', 'mcp.lock.json: plugin "a" is not pinned'],
  [{ plugin: { pinned: 'tree' as never } }, 'quarantined', 'pass', 'mcp.lock.json: plugin "a" is tree'],
  [
    { plugin: { quarantined: new Set(['get']) } },
    'quarantined',
    'refuse',
    'mcp.lock.json records another definition; npx mcp-patchbay approve a.get',
  ],
  [
    { name: 'a_ask', plugin: { othersQuarantined: true } },
    'quarantined',
    'refuse',
    'mcp.lock.json records another definition; npx mcp-patchbay approve a',
  ],
  [
    { name: 'a:x', plugin: { othersQuarantined: true } },
    'quarantined',
    'refuse',
    'mcp.lock.json records another definition; npx mcp-patchbay approve a',
  ],
  [{}, 'plugin_failed', 'pass', 'plugin "a" is loaded'],
  [{ plugin: { state: 'unconfigured', live: undefined } }, 'plugin_failed', 'pass', 'plugin "a" is loaded'],
  [{ plugin: { state: 'failed', live: undefined, reason } }, 'plugin_failed', 'refuse', 'plugin "a" is failed: It broke'],
  [{ plugin: { state: 'loading', live: undefined } }, 'plugin_failed', 'refuse', 'plugin "a" is loading'],
  [{}, 'not_configured', 'pass', 'plugin "a" is configured'],
  [{ plugin: { state: 'unconfigured', reason } }, 'not_configured', 'refuse', 'It broke; Mend it; Start it'],
  [{ plugin: { refusedFor: new Map([['', reason]]) } }, 'not_configured', 'refuse', 'It broke; Mend it; Start it'],
  [{ plugin: { refusedFor: new Map([['acme', reason]]) } }, 'not_configured', 'pass', 'plugin "a" is configured'],
  [{}, 'denied_by_plugin', 'pass', 'mcp.config.ts: tools of the entry "a" allow ["*"]'],
  [
    { entry: { tools: { allow: ['get'], deny: ['get'] } } },
    'denied_by_plugin',
    'refuse',
    'mcp.config.ts: tools of the entry "a" allow ["get"], deny ["get"]',
  ],
  [{ entry: { tools: { deny: [] } } }, 'denied_by_plugin', 'pass', 'mcp.config.ts: tools of the entry "a" allow ["*"]'],
  [{}, 'not_in_toolset', 'pass', 'mcp.config.ts: tools.enable is not set'],
  [{ config: { tools: { enable: ['three'] } } }, 'not_in_toolset', 'refuse', 'mcp.config.ts: tools.enable ["three"]'],
  [{ config: { tools: { deny: ['a_get'] } } }, 'denied_by_host', 'refuse', 'mcp.config.ts: tools.allow and tools.deny'],
  [{}, 'read_only', 'pass', 'it only reads'],
  [{ config: { readOnly: true } }, 'read_only', 'pass', 'it only reads'],
  [{ name: 'a_set' }, 'read_only', 'pass', 'mcp.config.ts: readOnly is off'],
  [{ name: 'a_set', config: { readOnly: true } }, 'read_only', 'refuse', 'mcp.config.ts: readOnly, or --read-only'],
  [{ name: 'a_set', entry: { readOnly: true } }, 'read_only', 'refuse', 'mcp.config.ts: readOnly of the entry "a"'],
  [{}, 'tenant', 'pass', 'there are no tenants'],
  [{ config: { tenants: { acme: {} } } }, 'tenant', 'refuse', 'mcp.config.ts: tenants, and the caller has none'],
  [
    { config: { tenants: { acme: {} } }, principal: { kind: 'local' } },
    'tenant',
    'pass',
    'mcp.config.ts: tenants, and the caller has none',
  ],
  [{ config: { tenants: { acme: {} } }, principal: { tenant: 'acme' } }, 'tenant', 'pass', 'mcp.config.ts: tenants.acme'],
  [
    { name: 'a_set', config: { tenants: { acme: {} } }, principal: { tenant: 'acme' } },
    'tenant',
    'pass',
    'mcp.config.ts: tenants.acme',
  ],
  [
    { name: 'a_set', config: { tenants: { acme: { readOnly: true } } }, principal: { tenant: 'acme' } },
    'tenant',
    'refuse',
    'mcp.config.ts: tenants.acme',
  ],
  [{}, 'permission', 'pass', 'needs no permission of its own; the caller has none'],
  [{ name: 'a_set', principal: { permissions: ['p'] } }, 'permission', 'refuse', 'needs p, q; the caller has p'],
  [{ name: 'a_set', principal: { permissions: ['p', 'q'] } }, 'permission', 'pass', 'needs p, q; the caller has p, q'],
  [{}, 'request_narrowed', 'pass', 'the request asks for no less'],
  [{ narrowing: { readOnly: true } }, 'request_narrowed', 'pass', 'header X-Patchbay-Read-Only'],
  [
    { narrowing: { readOnly: true, toolsets: ['one', 'x'], address } },
    'request_narrowed',
    'pass',
    'header X-Patchbay-Read-Only and header X-Patchbay-Toolsets: one, x and address /mcp/x/one',
  ],
  [{ name: 'a_set', narrowing: { address } }, 'request_narrowed', 'refuse', 'address /mcp/x/one'],
]
for (const [question, rule, verdict, source] of SOURCES)
  test(`${question.name ?? 'a_get'}: ${rule}: ${verdict}: ${source}`, () => {
    const found = asked(question).chain.find((link) => link.rule === rule)
    assert.deepEqual(found, { rule, verdict, source })
  })

test('an explanation is decided by the first rule that refuses, and has every rule', () => {
  const found = asked({ name: 'a_set', config: { readOnly: true }, entry: { tools: { deny: ['set'] } } })
  assert.deepEqual([found.tool, found.visible, found.decidedBy], ['a_set', false, 'denied_by_plugin'])
  assert.deepEqual(
    found.chain.map(({ rule }) => rule),
    'unknown quarantined plugin_failed not_configured denied_by_plugin not_in_toolset denied_by_host read_only tenant permission request_narrowed'.split(
      ' ',
    ),
  )
  const shown = asked({})
  assert.deepEqual([shown.visible, shown.decidedBy], [true, null])
})

/** [the state of a plugin that has not loaded, the name asked for, the rule, what is behind it] */
const UNKNOWN: readonly (readonly [PluginRecord['state'], string, RefusalCode, string])[] = [
  ['failed', 'a_gone', 'plugin_failed', 'plugin "a" is failed: It broke'],
  ['loading', 'a_gone', 'plugin_failed', 'plugin "a" is loading: It broke'],
  ['quarantined', 'a_gone', 'quarantined', 'plugin "a" is quarantined: It broke'],
  ['active', 'a_gone', 'unknown', 'no plugin has it'],
  ['unconfigured', 'a_gone', 'unknown', 'no plugin has it'],
  ['failed', 'agone', 'unknown', 'no plugin has it'],
  ['failed', 'b_a_gone', 'unknown', 'no plugin has it'],
]
for (const [state, name, decidedBy, source] of UNKNOWN)
  test(`${name} while the plugin is ${state}: ${source}`, () => {
    const found = asked({ name, plugin: { state, reason, surface: undefined, live: undefined } })
    assert.deepEqual([found.visible, found.decidedBy], [false, decidedBy])
    assert.deepEqual(found.chain.at(-1), { rule: decidedBy, verdict: 'refuse', source })
    assert.equal(found.chain.length, decidedBy === 'unknown' ? 1 : 2)
  })

const call = (name: string) => ({ method: 'tools/call', params: { name, arguments: {} } })
const OFFERED = ['p', 'q', 'readers', 'writers', 'all']
const MAPPED = { readers: ['a_get', 'a_see'], writers: ['a_set', 'a_see', 'a_get'], all: ['*'] }

/** [what the caller has, whether scopes are mapped to tools, the message, the scopes that it would have to ask for] */
const MISSING: readonly (readonly [readonly string[], boolean, unknown, readonly string[] | undefined, (readonly string[])?])[] =
  [
    [[], false, call('a_get'), undefined],
    [[], false, call('a_set'), ['p', 'q']],
    [['p'], false, call('a_set'), ['p', 'q']],
    [['p', 'q'], false, call('a_set'), undefined],
    [[], false, call('a_see'), ['p']],
    [[], false, call('a_gone'), undefined],
    [[], false, call('a_set'), undefined, ['p']],
    [[], false, call('a_set'), undefined, []],
    [[], false, { method: 'tools/list', params: { name: 'a_set' } }, undefined],
    [[], false, { method: 'prompts/get', params: { name: 'a_set' } }, undefined],
    [[], false, { method: 'tools/call' }, undefined],
    [[], false, 'tools/call', undefined],
    [[], false, undefined, undefined],
    [[], false, [call('a_get'), call('a_see'), call('a_set')], ['p']],
    [[], false, [[call('a_see')]], undefined],
    [[], false, [], undefined],
    [[], true, call('a_get'), ['readers']],
    [['writers'], true, call('a_get'), undefined],
    [[], true, call('a_see'), ['p', 'readers']],
    [['writers'], true, call('a_see'), ['p', 'writers']],
    [['all'], true, call('a_set'), ['p', 'q', 'all']],
    [[], true, call('a_set'), ['p', 'q', 'writers']],
    [[], true, call('a_set'), ['p', 'q', 'all'], ['p', 'q', 'all', 'readers']],
    [[], true, call('a_set'), undefined, ['p', 'q', 'readers']],
    [[], true, call('a_set'), undefined, ['q', 'writers']],
    [[], true, { method: 'prompts/get', params: { name: 'a_ask' } }, ['all']],
    [[], true, { method: 'resources/read', params: { uri: 'a:x' } }, ['all']],
    [[], true, { method: 'resources/subscribe', params: { uri: 'a:x' } }, ['all']],
    [[], true, { method: 'resources/unsubscribe', params: { uri: 'a:x' } }, undefined],
  ]
for (const [permissions, isMapped, message, expected, offered = OFFERED] of MISSING)
  test(`who has ${permissions.join(', ') || 'nothing'} and sends ${JSON.stringify(message)?.slice(0, 70)}${isMapped ? ' with mapped scopes' : ''} of ${offered.join()} asks for ${expected?.join(', ') ?? 'nothing'}`, () => {
    const snapshot = snapshotOf([activeRecord(desk)], isMapped ? { auth: { permissions: MAPPED } } : {})
    const caller = createCaller({ id: 'x', tenant: undefined, permissions, kind: 'oauth' })
    assert.deepEqual(missingScopes(snapshot, caller, message, offered), expected)
  })

test('no caller is told of scopes where another rule stands in the way, before the permission or behind it', () => {
  const caller = createCaller({ id: 'x', tenant: undefined, permissions: [], kind: 'oauth' })
  const hidden = (config: HostConfig, entry: Partial<EmbeddedEntry> = {}) =>
    missingScopes(snapshotOf([activeRecord(desk, entry)], config), caller, call('a_set'), OFFERED)
  assert.equal(hidden({ readOnly: true }), undefined)
  assert.equal(hidden({ tools: { deny: ['a_set'] } }), undefined)
  assert.equal(hidden({}, { readOnly: true }), undefined)
  const narrowed = createCaller(caller.principal, { toolsets: undefined, readOnly: true })
  assert.equal(missingScopes(snapshotOf([activeRecord(desk)]), narrowed, call('a_set'), OFFERED), undefined)
  assert.deepEqual(missingScopes(snapshotOf([activeRecord(desk)]), caller, call('a_set'), OFFERED), ['p', 'q'])
})
