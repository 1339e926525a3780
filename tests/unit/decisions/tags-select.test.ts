import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { ServicePlugin } from '@mcp-patchbay/plugin-api'
import { validateConfig } from '../../../host/src/config/file/validate-config.ts'
import { compileToolGlobs } from '../../../host/src/config/schema/glob.ts'
import type { EmbeddedEntry, HostConfig } from '../../../host/src/config/schema/schema.ts'
import { createCaller } from '../../../host/src/server/catalog/caller.ts'
import { explain, refusal } from '../../../host/src/server/catalog/visibility.ts'
import { activeRecord, emptyPlugin, emptyTool, snapshotOf } from '../../fixtures/projects/snapshots.ts'

const tools = [
  emptyTool('issues_get', 'read', { tags: ['issues'] }),
  emptyTool('issues_delete', 'write', { tags: ['issues', 'danger', 'read'] }),
  emptyTool('pages_get', 'read', {}),
]

/** What is visible of two plugins, one of them mounted under another name, to a caller with one permission. */
function visible(config: HostConfig, { entry = {}, toolsets }: { entry?: Partial<EmbeddedEntry>; toolsets?: string[] } = {}) {
  const records = [activeRecord(emptyPlugin('notes', tools), entry), activeRecord(emptyPlugin('wiki', tools), { as: 'team' })]
  const snapshot = snapshotOf(records, config)
  const caller = createCaller(
    { id: 'x', tenant: 'acme', permissions: ['support'], kind: 'apiKey' },
    { toolsets, readOnly: false },
  )
  return [...snapshot.tools.values()].filter((tool) => !refusal(tool, caller, snapshot.policy)).map(({ name }) => name)
}

const issues = ['notes_issues_get', 'notes_issues_delete', 'team_issues_get', 'team_issues_delete']
const reading = ['notes_issues_get', 'notes_pages_get', 'team_issues_get', 'team_pages_get']

describe('tag:NAME selects wherever a glob over tools does:', () => {
  const rows: readonly (readonly [string, HostConfig, readonly string[]])[] = [
    ['tools.allow', { tools: { allow: ['tag:issues'] } }, issues],
    ['tools.deny', { tools: { deny: ['tag:write'] } }, reading],
    ['a glob over tags', { tools: { allow: ['tag:iss*'] } }, issues],
    [
      'a tag beside a name',
      { tools: { allow: ['tag:danger', 'notes_pages_*'] } },
      ['notes_issues_delete', 'notes_pages_get', 'team_issues_delete'],
    ],
    ['a toolset', { tools: { toolsets: { triage: ['tag:read'] }, enable: ['triage'] } }, reading],
    ['tools.enable', { tools: { enable: ['tag:issues'] } }, issues],
    ['a permission', { auth: { permissions: { support: ['tag:read'] } } }, reading],
    [
      'a toolset that a permission names',
      { tools: { toolsets: { r: ['tag:read'] } }, auth: { permissions: { support: ['r'] } } },
      reading,
    ],
    ['a tenant', { tenants: { acme: { tools: { allow: ['tag:read'] } } } }, reading],
    [
      'the service, by the name it is mounted under',
      { tools: { allow: ['tag:team'] } },
      ['team_issues_get', 'team_issues_delete', 'team_pages_get'],
    ],
    [
      'the service, by its own name',
      { tools: { allow: ['tag:wiki'] } },
      ['team_issues_get', 'team_issues_delete', 'team_pages_get'],
    ],
    ['a tag that nothing has', { tools: { allow: ['tag:nothing'] } }, []],
  ]
  for (const [what, config, expected] of rows)
    test(what, () => {
      assert.deepEqual(visible(config), expected)
    })

  test('an entry', () => {
    const seen = visible({}, { entry: { tools: { allow: ['*'], deny: ['tag:danger'] } } })
    assert.deepEqual(
      seen.filter((name) => name.startsWith('notes_')),
      ['notes_issues_get', 'notes_pages_get'],
    )
  })

  test('a request that narrows', () => {
    assert.deepEqual(visible({}, { toolsets: ['tag:read'] }), reading)
    assert.deepEqual(visible({}, { toolsets: ['issues'] }), issues)
  })
})

test('a tool that writes is never tagged read, whatever its author says', () => {
  assert.equal(compileToolGlobs(['tag:read'])('x', ['write']), false)
  const { tools: built } = snapshotOf([activeRecord(emptyPlugin('notes', tools))])
  assert.deepEqual(built.get('notes_issues_delete')?.tags, ['notes', 'write', 'issues', 'danger'])
})

test('explain names the tags of a tool', () => {
  const snapshot = snapshotOf([activeRecord(emptyPlugin('notes', tools))])
  const [first] = explain(
    snapshot,
    'notes_issues_get',
    createCaller({ id: 'x', tenant: undefined, permissions: [], kind: 'local' }),
  ).chain
  assert.match(first?.source ?? '', /tags: notes, read, issues$/)
})

test('a config may select by tags, and not by what could be no tag', () => {
  const source = { file: 'mcp.config.json', text: '' }
  assert.doesNotThrow(() => validateConfig({ tools: { deny: ['tag:danger', 'tag:*'] } }, source))
  assert.throws(() => validateConfig({ tools: { deny: ['tag: danger'] } }, source), /tools\.deny\[0\]/)
})

test('every tool that we ship carries its category', async () => {
  const root = join(import.meta.dirname, '../../..')
  for (const file of globSync('plugins/*/index.ts', { cwd: root })) {
    const { default: plugin } = (await import(join(root, file))) as { default: ServicePlugin }
    for (const { name, tags } of plugin.tools) assert.equal(tags?.length, 1, `${plugin.name}_${name}`)
  }
})
