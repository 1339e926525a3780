import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import type { EmbeddedEntry, HostConfig } from '../../../host/src/config/schema/schema.ts'
import { unusedRules } from '../../../host/src/server/catalog/unused-rules.ts'
import { activeRecord, emptyPlugin, emptyTool, snapshotOf } from '../../fixtures/projects/snapshots.ts'

const notes = emptyPlugin('notes', [
  emptyTool('issues_get', 'read', { tags: ['issues'], permissions: ['notes:read'] }),
  emptyTool('issues_delete', 'write', {}),
])

function unused(config: HostConfig, { entry = {}, failed = false }: { entry?: Partial<EmbeddedEntry>; failed?: boolean } = {}) {
  const { surface: _, live: __, ...wiki } = activeRecord(emptyPlugin('wiki', []))
  const records = [activeRecord(notes, entry), ...(failed ? [{ ...wiki, state: 'failed' as const }] : [])]
  return unusedRules(resolveConfig(config), snapshotOf(records, config))
}

const withKey = (scopes: string[]): HostConfig => ({
  auth: { inbound: { mode: 'apiKey', keys: [{ id: 'laptop', hash: 'a'.repeat(64), scopes }] } },
})

describe('a setting that selects nothing is named, with what was probably meant:', () => {
  const rows: readonly (readonly [HostConfig, string])[] = [
    [
      { tools: { deny: ['notes_issue_delete'] } },
      'tools.deny: "notes_issue_delete" matches no tool; did you mean "notes_issues_delete"?',
    ],
    [{ tools: { allow: ['notes_*', 'jira_*'] } }, 'tools.allow: "jira_*" matches no tool'],
    [{ tools: { deny: ['tag:isues'] } }, 'tools.deny: "tag:isues" matches no tool; did you mean "tag:issues"?'],
    [{ tools: { toolsets: { triage: ['*_nothing'] } } }, 'tools.toolsets.triage: "*_nothing" matches no tool'],
    [
      { tools: { toolsets: { triage: ['*'] }, enable: ['trigae'] } },
      'tools.enable: "trigae" is neither a toolset nor a tag; did you mean "triage"?',
    ],
    [
      { tools: { approval: ['write', 'notes_issue_delete'] } },
      'tools.approval: "notes_issue_delete" matches no tool; did you mean "notes_issues_delete"?',
    ],
    [{ tools: { search: { above: 1, always: ['notes_x'] } } }, 'tools.search.always: "notes_x" matches no tool'],
    [{ tenants: { acme: { tools: { deny: ['notes_drop'] } } } }, 'tenants.acme.tools.deny: "notes_drop" matches no tool'],
    [
      { tenants: { acme: { plugins: { note: { config: {} } } } } },
      'tenants.acme.plugins: "note" is the name of no plugin; did you mean "notes"?',
    ],
    [{ auth: { permissions: { admin: ['notes_*', 'x_*'] } } }, 'auth.permissions.admin: "x_*" matches no tool'],
    [
      { auth: { permissions: { admin: ['*'] }, implies: { root: ['admni'] } } },
      'auth.implies.root: "admni" grants nothing; did you mean "admin"?',
    ],
    [
      withKey(['notes:reed']),
      'the scopes of the key "laptop" in auth.inbound.keys: "notes:reed" grants nothing; did you mean "notes:read"?',
    ],
  ]
  for (const [config, line] of rows)
    test(line, () => {
      assert.deepEqual(unused(config), [line])
    })

  test('tools of an entry, and its overrides', () => {
    const entry: Partial<EmbeddedEntry> = {
      tools: { allow: ['*'], deny: ['notes_issues_delete'] },
      overrides: { issue_get: { title: 'x' } },
    }
    assert.deepEqual(unused({}, { entry }), [
      'tools of the entry "notes": tools.deny: "notes_issues_delete" matches no tool; did you mean "issues_delete"?',
      'overrides of the entry "notes": "issue_get" is the name of no tool; did you mean "issues_get"?',
    ])
  })
})

test('nothing is said of settings that select something', () => {
  const entry: Partial<EmbeddedEntry> = {
    tools: { allow: ['issues_*'], deny: ['tag:write'] },
    overrides: { issues_get: { title: 'x' } },
  }
  const config: HostConfig = {
    tools: {
      allow: ['*'],
      deny: ['*_delete'],
      toolsets: { all: ['**'], r: ['tag:read'] },
      enable: ['all', 'issues', 'tag:notes'],
    },
    tenants: { acme: { plugins: { notes: { config: {} } }, tools: { allow: ['notes_issues_?et'] } } },
    auth: { permissions: { admin: ['r'], support: ['notes_issues_get'] }, implies: { admin: ['support', 'notes:read', '*'] } },
  }
  assert.deepEqual(unused(config, { entry }), [])
  assert.deepEqual(unused(withKey(['notes:read', '*'])), [])
})

test('nothing is said of a rule that may be meant for a plugin that failed to load', () => {
  const open: HostConfig = { tools: { deny: ['wiki_pages_delete', '*_delete_all', 'tag:danger', 'wi*'], enable: ['pages'] } }
  assert.deepEqual(unused(open, { failed: true }), [])
  assert.deepEqual(unused({ tools: { deny: ['notes_drop'] } }, { failed: true }).length, 1)
})

test('an empty config without plugins has no rule without effect', () => {
  assert.deepEqual(unusedRules(resolveConfig({}), snapshotOf([])), [])
})
