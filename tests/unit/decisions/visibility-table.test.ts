import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Principal } from '@mcp-patchbay/plugin-api'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import type { EmbeddedEntry, HostConfig } from '../../../host/src/config/schema/schema.ts'
import { createCaller, type Caller, type Narrowing } from '../../../host/src/server/catalog/caller.ts'
import { explain, refusal, type RefusalCode } from '../../../host/src/server/catalog/visibility.ts'
import { compilePolicy } from '../../../host/src/server/catalog/policy.ts'
import type { SnapshotItem } from '../../../host/src/server/catalog/snapshot.ts'
import { viewOf } from '../../../host/src/server/catalog/view.ts'
import type { PluginRecord } from '../../../host/src/plugin/run/plugin-record.ts'
import { activeRecord, emptyPlugin, emptyTool, snapshotOf } from '../../fixtures/projects/snapshots.ts'

/** One question to the decision: a tool `a_issues_get` that everybody may see, and what differs from that. */
interface Question {
  readonly item?: Partial<SnapshotItem>
  readonly entry?: Partial<EmbeddedEntry>
  readonly plugin?: { readonly [Key in keyof PluginRecord]?: PluginRecord[Key] | undefined }
  readonly config?: HostConfig
  readonly principal?: Partial<Principal>
  readonly narrowing?: Partial<Narrowing>
}

type Row = readonly [what: string, question: Question, expected: RefusalCode | undefined]

const base = activeRecord(emptyPlugin('a', [emptyTool('issues_get')]))
const open = snapshotOf([base]).tools.get('a_issues_get') ?? assert.fail('the fixture lacks the tool')

function parts({ item, entry, plugin, config = {}, principal, narrowing }: Question) {
  const record = { ...base, ...(entry ? { entry: { ...base.entry, ...entry } } : {}), ...plugin } as PluginRecord
  const tool: SnapshotItem = { ...open, ...item, plugin: record }
  const who: Principal = { id: 'x', tenant: undefined, permissions: [], kind: 'apiKey', ...principal }
  return {
    tool,
    caller: createCaller(who, { toolsets: undefined, readOnly: false, ...narrowing }),
    policy: compilePolicy(resolveConfig(config), 'mcp.config.ts'),
  }
}

function decide(question: Question): RefusalCode | undefined {
  const { tool, caller, policy } = parts(question)
  return refusal(tool, caller, policy)
}

function table(rule: string, rows: readonly Row[]): void {
  describe(rule, () => {
    for (const [what, question, expected] of rows)
      test(`${what}: ${expected ?? 'visible'}`, () => {
        assert.equal(decide(question), expected)
      })
  })
}

const { live } = base
const reason = { code: 'X', message: 'no credential', fix: [] }
const gone = { live: undefined }

table('the lock', [
  ['a tool that is as recorded', { plugin: { quarantined: new Set(['other']), othersQuarantined: true } }, undefined],
  ['a tool with another definition', { plugin: { quarantined: new Set(['issues_get']) } }, 'quarantined'],
  ['the name with the prefix is not the recorded name', { plugin: { quarantined: new Set(['a_issues_get']) } }, undefined],
  ['every tool of a quarantined plugin', { plugin: { state: 'quarantined', ...gone } }, 'quarantined'],
  ['a prompt while a tool differs', { item: { kind: 'prompt' }, plugin: { quarantined: new Set(['issues_get']) } }, undefined],
  ['a prompt while prompts differ', { item: { kind: 'prompt' }, plugin: { othersQuarantined: true } }, 'quarantined'],
  ['a resource while prompts differ', { item: { kind: 'resource' }, plugin: { othersQuarantined: true } }, 'quarantined'],
  ['a template while prompts differ', { item: { kind: 'template' }, plugin: { othersQuarantined: true } }, 'quarantined'],
])

table('the state of the plugin', [
  ['active', { plugin: { state: 'active', live } }, undefined],
  ['active without a running version', { plugin: { state: 'active', ...gone } }, 'plugin_failed'],
  ['failed', { plugin: { state: 'failed', ...gone } }, 'plugin_failed'],
  ['loading', { plugin: { state: 'loading', ...gone } }, 'plugin_failed'],
  ['unconfigured without a running version', { plugin: { state: 'unconfigured', ...gone } }, 'not_configured'],
  ['unconfigured with a running version', { plugin: { state: 'unconfigured', live } }, 'not_configured'],
])

const refusedFor = (...tenants: string[]) => new Map(tenants.map((tenant) => [tenant, reason]))
const twoTenants: HostConfig = { tenants: { acme: {}, umbrella: {} } }
table('settings of tenants', [
  ['the entry has none, the caller no tenant', { plugin: { refusedFor: refusedFor('') } }, 'not_configured'],
  ['the caller has none, the tenant has', { plugin: { refusedFor: refusedFor('acme') } }, undefined],
  ...(['acme', 'umbrella'] as const).flatMap((tenant): Row[] => {
    const principal = { tenant }
    const isAcme = tenant === 'acme'
    return [
      [
        `acme's own do not work, for ${tenant}`,
        { config: twoTenants, principal, plugin: { refusedFor: refusedFor('acme'), tenants: ['acme'] } },
        isAcme ? 'not_configured' : undefined,
      ],
      [
        `the entry's do not work and acme has its own, for ${tenant}`,
        { config: twoTenants, principal, plugin: { refusedFor: refusedFor(''), tenants: ['acme'] } },
        isAcme ? undefined : 'not_configured',
      ],
      [
        `neither work, for ${tenant}`,
        { config: twoTenants, principal, plugin: { refusedFor: refusedFor('', 'acme'), tenants: ['acme'] } },
        'not_configured',
      ],
      [
        `all work, for ${tenant}`,
        { config: twoTenants, principal, plugin: { refusedFor: refusedFor(), tenants: ['acme'] } },
        undefined,
      ],
    ]
  }),
])

/** [allow, deny, whether `issues_get` passes]; for the host the same globs with the instance in front. */
const globs: readonly (readonly [string[] | undefined, string[] | undefined, boolean])[] = [
  [undefined, undefined, true],
  [undefined, ['issues_*'], false],
  [undefined, ['pulls_*'], true],
  [[], undefined, false],
  [[], ['pulls_*'], false],
  [['issues_*'], undefined, true],
  [['issues_*'], ['issues_get'], false],
  [['issues_*'], ['pulls_*'], true],
  [['pulls_*'], undefined, false],
  [['pulls_*', 'issues_get'], undefined, true],
  [['pulls_*'], ['issues_*'], false],
  [['issues'], undefined, false],
  [['*'], ['*'], false],
]
const glob = (allow: string[] | undefined, deny: string[] | undefined) => ({ ...(allow && { allow }), ...(deny && { deny }) })
const prefixed = (list: string[] | undefined) => list?.map((one) => `a_${one}`)
const shown = (allow?: string[], deny?: string[]) => `allow ${JSON.stringify(allow)}, deny ${JSON.stringify(deny)}`

table('globs of the entry, over names without the instance', [
  ...globs.map(([allow, deny, passes]): Row => [
    shown(allow, deny),
    { entry: { tools: glob(allow, deny) } },
    passes ? undefined : 'denied_by_plugin',
  ]),
  ['a name beside a tag that it has not', { entry: { tools: { allow: ['tag:other', 'issues_get'] } } }, undefined],
  ['the full name means nothing here', { entry: { tools: { deny: ['a_issues_get'] } } }, undefined],
])

table('globs of the host, over full names', [
  ...globs.map(([allow, deny, passes]): Row => [
    shown(prefixed(allow), prefixed(deny)),
    { config: { tools: glob(prefixed(allow), prefixed(deny)) } },
    passes ? undefined : 'denied_by_host',
  ]),
  ['the name without the instance means nothing here', { config: { tools: { deny: ['issues_get'] } } }, undefined],
])

table('globs of a tenant, over full names', [
  ...globs.map(([allow, deny, passes]): Row => [
    shown(prefixed(allow), prefixed(deny)),
    { principal: { tenant: 'acme' }, config: { tenants: { acme: { tools: glob(prefixed(allow), prefixed(deny)) } } } },
    passes ? undefined : 'tenant',
  ]),
  [
    'those of another tenant mean nothing',
    { principal: { tenant: 'acme' }, config: { tenants: { acme: {}, umbrella: { tools: { allow: [] } } } } },
    undefined,
  ],
])

table(
  'who has which tenant',
  (['local', 'apiKey', 'oauth'] as const).flatMap((kind): Row[] => [
    [`no tenants, ${kind} without one`, { principal: { kind } }, undefined],
    [`no tenants, ${kind} with one`, { principal: { kind, tenant: 'acme' } }, undefined],
    [`tenants, ${kind} without one`, { config: twoTenants, principal: { kind } }, kind === 'local' ? undefined : 'tenant'],
    [`tenants, ${kind} of a known one`, { config: twoTenants, principal: { kind, tenant: 'acme' } }, undefined],
    [`tenants, ${kind} of an unknown one`, { config: twoTenants, principal: { kind, tenant: 'other' } }, 'tenant'],
    [`tenants, ${kind} of an empty name`, { config: twoTenants, principal: { kind, tenant: '' } }, 'tenant'],
    [
      `tenants, ${kind} of one that objects have by nature`,
      { config: twoTenants, principal: { kind, tenant: 'constructor' } },
      'tenant',
    ],
  ]),
)

const address = { path: '/mcp/x', toolsets: undefined, readOnly: false }
const toolsets = { triage: ['a_issues_*'], reading: ['*_list'], empty: [] }
/** [enabled or asked for, tags of the tool, whether it is in one of them] */
const sets: readonly (readonly [string[] | undefined, string[], boolean])[] = [
  [undefined, [], true],
  [[], [], false],
  [[], ['triage'], false],
  [['triage'], [], true],
  [['reading'], [], false],
  [['reading'], ['reading'], false], // the config says what is in it: a tag of a plugin adds nothing
  [['empty'], ['empty'], false],
  [['reading', 'triage'], [], true],
  [['reading'], ['triage'], false],
  [['tagged'], ['tagged'], true], // no toolset of the config has the name: the tag decides
  [['tagged'], ['other'], false],
  [['tagged'], [], false],
  [['tagged', 'triage'], [], true],
  [['tagged', 'reading'], ['tagged'], true],
  [['constructor'], [], false],
]
table(
  'toolsets that the config enables',
  sets.map(([enable, tags, passes]) => [
    `enable ${JSON.stringify(enable)}, tags ${JSON.stringify(tags)}`,
    { item: { tags }, config: { tools: { toolsets, ...(enable && { enable }) } } },
    passes ? undefined : 'not_in_toolset',
  ]),
)
table('toolsets that the request asks for', [
  ...sets.map(([asked, tags, passes]): Row => [
    `asked for ${JSON.stringify(asked)}, tags ${JSON.stringify(tags)}`,
    { item: { tags }, config: { tools: { toolsets } }, narrowing: { toolsets: asked } },
    passes ? undefined : 'request_narrowed',
  ]),
  ...sets.map(([asked, tags, passes]): Row => [
    `asked for ${JSON.stringify(asked)} by the address, tags ${JSON.stringify(tags)}`,
    { item: { tags }, config: { tools: { toolsets } }, narrowing: { address: { ...address, toolsets: asked } } },
    passes ? undefined : 'request_narrowed',
  ]),
  ...(['read', 'write'] as const).map((access): Row => [
    `a ${access} tool, reading asked for by the address`,
    { item: { access }, narrowing: { address: { ...address, readOnly: true } } },
    access === 'read' ? undefined : 'request_narrowed',
  ]),
  [
    'one set asked for by a header and another by the address',
    { config: { tools: { toolsets } }, narrowing: { toolsets: ['triage'], address: { ...address, toolsets: ['reading'] } } },
    'request_narrowed',
  ],
  [
    'two sets that both have the tool, by a header and by the address',
    {
      item: { tags: ['t'] },
      config: { tools: { toolsets } },
      narrowing: { toolsets: ['triage'], address: { ...address, toolsets: ['t'] } },
    },
    undefined,
  ],
  [
    'asking for a set that the config left out',
    { config: { tools: { toolsets, enable: ['reading'] } }, narrowing: { toolsets: ['triage'] } },
    'not_in_toolset',
  ],
])

const TAGGED = { tags: ['issues', 'bulk'] }
/** [globs, whether they match a tool with the tags `issues` and `bulk`] */
const tagGlobs: readonly (readonly [string, boolean])[] = [
  ['tag:issues', true],
  ['tag:bulk', true],
  ['tag:iss*', true],
  ['tag:*', true],
  ['tag:pulls', false],
  ['issues', false],
]
table(
  'a tag in place of a name',
  tagGlobs.flatMap(([one, matches]): Row[] => [
    [`allow ${one} by the entry`, { item: TAGGED, entry: { tools: { allow: [one] } } }, matches ? undefined : 'denied_by_plugin'],
    [`deny ${one} by the entry`, { item: TAGGED, entry: { tools: { deny: [one] } } }, matches ? 'denied_by_plugin' : undefined],
    [`allow ${one} by the host`, { item: TAGGED, config: { tools: { allow: [one] } } }, matches ? undefined : 'denied_by_host'],
    [`deny ${one} by the host`, { item: TAGGED, config: { tools: { deny: [one] } } }, matches ? 'denied_by_host' : undefined],
    [
      `allow ${one} by the tenant`,
      { item: TAGGED, principal: { tenant: 'acme' }, config: { tenants: { acme: { tools: { allow: [one] } } } } },
      matches ? undefined : 'tenant',
    ],
    [
      `deny ${one} by the tenant`,
      { item: TAGGED, principal: { tenant: 'acme' }, config: { tenants: { acme: { tools: { deny: [one] } } } } },
      matches ? 'tenant' : undefined,
    ],
    [
      `${one} granted by a scope`,
      {
        item: TAGGED,
        principal: { permissions: ['s'] },
        config: { auth: { inbound: { mode: 'none' }, permissions: { s: [one] } } },
      },
      matches ? undefined : 'permission',
    ],
    [
      `${one} in a toolset`,
      { item: TAGGED, config: { tools: { toolsets: { t: [one] }, enable: ['t'] } } },
      matches ? undefined : 'not_in_toolset',
    ],
  ]),
)

const both = [false, true]
table(
  'who wants only reading',
  both.flatMap((host) =>
    both.flatMap((entry) =>
      both.flatMap((tenant) =>
        both.flatMap((asked) =>
          (['read', 'write'] as const).map((access): Row => [
            `a ${access} tool, readOnly of host ${host}, entry ${entry}, tenant ${tenant}, request ${asked}`,
            {
              item: { access },
              config: { readOnly: host, tenants: { acme: { readOnly: tenant } } },
              entry: { readOnly: entry },
              principal: { tenant: 'acme' },
              narrowing: { readOnly: asked },
            },
            access === 'read'
              ? undefined
              : host || entry
                ? 'read_only'
                : tenant
                  ? 'tenant'
                  : asked
                    ? 'request_narrowed'
                    : undefined,
          ]),
        ),
      ),
    ),
  ),
)

/** `viewer` maps to issues, `editor` to pulls and implies `viewer`; `chief` implies `editor`, `circle` itself. */
const mapped: HostConfig = {
  tools: { toolsets: { issues: ['a_issues_*'] } },
  auth: {
    inbound: { mode: 'none' },
    permissions: { viewer: ['issues'], editor: ['a_pulls_*'] },
    implies: { editor: ['viewer'], chief: ['editor'], circle: ['circle'] },
  },
}
const unmapped: HostConfig = { auth: { inbound: { mode: 'none' }, implies: { admin: ['p', 'q'] } } }
table(
  'permissions of the tool itself, without a map of scopes',
  [
    [[], [], undefined],
    [[], ['other'], undefined],
    [['p'], [], 'permission'],
    [['p'], ['q'], 'permission'],
    [['p'], ['p'], undefined],
    [['p', 'q'], ['p'], 'permission'],
    [['p', 'q'], ['q'], 'permission'],
    [['p', 'q'], ['q', 'p'], undefined],
    [['p', 'q'], ['admin'], undefined],
    [['p', 'q', 'r'], ['admin'], 'permission'],
    [['p', 'q', 'r'], ['*'], undefined],
    [['p'], ['P'], 'permission'],
  ].map(([needed, granted, expected]): Row => [
    `needs ${JSON.stringify(needed)}, has ${JSON.stringify(granted)}`,
    { item: { permissions: needed as string[] }, principal: { permissions: granted as string[] }, config: unmapped },
    expected as RefusalCode | undefined,
  ]),
)
table(
  'permissions where the config maps scopes to tools: the map and the tool must both agree',
  [
    [[], [], 'permission'],
    [[], ['viewer'], undefined],
    [[], ['editor'], undefined],
    [[], ['chief'], undefined],
    [[], ['circle'], 'permission'],
    [[], ['unknown'], 'permission'],
    [['p'], ['p'], 'permission'], // its own, but no scope that grants the tool
    [['p'], ['viewer'], 'permission'], // a scope that grants the tool, but not its own
    [['p'], ['viewer', 'p'], undefined],
    [['p', 'q'], ['viewer', 'p'], 'permission'],
    [['viewer'], ['viewer'], undefined],
    [['viewer'], ['chief'], undefined],
    [['p'], ['*'], undefined],
  ].map(([needed, granted, expected]): Row => [
    `needs ${JSON.stringify(needed)}, has ${JSON.stringify(granted)}`,
    { item: { permissions: needed as string[] }, principal: { permissions: granted as string[] }, config: mapped },
    expected as RefusalCode | undefined,
  ]),
)

/** Each makes one rule refuse and touches nothing that another rule reads. The order is that of the rules. */
const breaks: readonly (readonly [RefusalCode, Question])[] = [
  ['quarantined', { plugin: { quarantined: new Set(['issues_get']) } }],
  ['plugin_failed', { plugin: { live: undefined } }],
  ['not_configured', { plugin: { refusedFor: refusedFor('acme') } }],
  ['denied_by_plugin', { entry: { tools: { deny: ['*'] } } }],
  ['not_in_toolset', { config: { tools: { enable: ['missing'] } } }],
  ['denied_by_host', { config: { tools: { deny: ['*'] } } }],
  ['read_only', { entry: { readOnly: true } }],
  ['tenant', { config: { tenants: { acme: { tools: { deny: ['*'] } } } } }],
  ['permission', { item: { permissions: ['p'] } }],
  ['request_narrowed', { narrowing: { readOnly: true } }],
]
const neutral: Question = { item: { access: 'write' }, principal: { tenant: 'acme' }, config: { tenants: { acme: {} } } }

function together(questions: readonly Question[]): Question {
  const all = [neutral, ...questions]
  const merged = <Key extends keyof Question>(key: Key) =>
    Object.assign({}, ...all.map((question) => question[key] ?? {})) as object
  const tools = Object.assign({}, ...all.map(({ config }) => config?.tools ?? {})) as object
  return {
    item: merged('item'),
    entry: merged('entry'),
    plugin: merged('plugin'),
    principal: merged('principal'),
    narrowing: merged('narrowing'),
    config: { ...merged('config'), tools },
  }
}

test('whatever set of rules refuses, the first of them in the order is the reason, and explain shows each of them', () => {
  for (let mask = 0; mask < 2 ** breaks.length; mask++) {
    const broken = breaks.filter((_, index) => mask & (1 << index))
    const codes = broken.map(([code]) => code)
    const { tool, caller, policy } = parts(together(broken.map(([, question]) => question)))
    assert.equal(refusal(tool, caller, policy), codes[0], codes.join(' + '))
    const tools = new Map([[tool.name, { ...open, ...tool, kind: 'tool' as const }]])
    const { visible, decidedBy, chain } = explain({ ...snapshotOf([tool.plugin]), policy, tools }, tool.name, caller)
    assert.deepEqual({ visible, decidedBy }, { visible: codes.length === 0, decidedBy: codes[0] ?? null })
    assert.deepEqual(
      chain.map(({ rule, verdict }) => [rule, verdict]),
      [['unknown', 'pass'], ...breaks.map(([code]) => [code, codes.includes(code) ? 'refuse' : 'pass'])],
    )
  }
})

test('a caller class is all that the rules read of a caller, in any order, and nothing else', () => {
  const keyOf = (principal: Partial<Principal>, narrowing: Partial<Narrowing> = {}) =>
    createCaller(
      { id: 'x', tenant: 'acme', permissions: ['p', 'q'], kind: 'apiKey', ...principal },
      { toolsets: ['a', 'b'], readOnly: false, ...narrowing },
    ).classKey
  const key = keyOf({})
  for (const same of [
    keyOf({ id: 'y' }),
    keyOf({ kind: 'oauth' }),
    keyOf({ permissions: ['q', 'p'] }),
    keyOf({}, { toolsets: ['b', 'a'] }),
    keyOf({}, { toolsets: undefined, address: { ...address, toolsets: ['a', 'b'] } }),
  ])
    assert.equal(same, key)
  const others = [
    keyOf({ tenant: 'umbrella' }),
    keyOf({ kind: 'local' }),
    keyOf({ tenant: undefined }),
    keyOf({ tenant: '' }),
    keyOf({ permissions: ['p'] }),
    keyOf({ permissions: ['p,q'] }),
    keyOf({}, { toolsets: undefined }),
    keyOf({}, { toolsets: [] }),
    keyOf({}, { toolsets: ['a'] }),
    keyOf({}, { readOnly: true }),
    keyOf({}, { toolsets: ['a,b'] }),
    keyOf({}, { address: { ...address, toolsets: ['a'] } }),
    keyOf({}, { address: { ...address, toolsets: [] } }),
  ]
  assert.equal(new Set([key, ...others]).size, others.length + 1)
})

test('a request for reading by a header is of one class with one by the address', () => {
  const keyOf = (narrowing: Partial<Narrowing>) =>
    createCaller(
      { id: 'x', tenant: undefined, permissions: [], kind: 'apiKey' },
      { toolsets: undefined, readOnly: false, ...narrowing },
    ).classKey
  assert.equal(keyOf({ readOnly: true }), keyOf({ address: { ...address, readOnly: true } }))
  assert.notEqual(keyOf({ readOnly: true }), keyOf({ address }))
})

test('with tenants, what the operator listed is not given to a caller without a tenant who has every permission', () => {
  const snapshot = snapshotOf([base], twoTenants)
  const everything = { id: 'x', tenant: undefined, permissions: ['*'] }
  const operator = createCaller({ ...everything, kind: 'local' })
  const key = createCaller({ ...everything, kind: 'apiKey' })
  const listed = (caller: Caller) => viewOf(snapshot, caller).tools.map(({ name }) => name)
  assert.deepEqual([listed(operator), listed(key), listed(operator)], [['a_issues_get'], [], ['a_issues_get']])
})
