import assert from 'node:assert/strict'
import { test } from 'node:test'
import { activeRecord, emptyPlugin, emptyTool, snapshotOf } from '../../fixtures/projects/snapshots.ts'

const tools = [
  emptyTool('issues_get'),
  emptyTool('issues_update', 'write', { annotations: { destructiveHint: false } }),
  emptyTool('issues_delete', 'write', { tags: ['danger'] }),
  emptyTool('issues_purge', 'write', { approval: 'required' }),
]

const asked = (approval: readonly string[], overrides: Readonly<Record<string, { approval: 'required' | 'none' }>> = {}) => {
  const snapshot = snapshotOf([activeRecord(emptyPlugin('a', tools), { overrides })], { tools: { approval: [...approval] } })
  return [...snapshot.tools.values()].filter(({ needsApproval }) => needsApproval).map(({ localName }) => localName)
}

const table: readonly (readonly [approval: readonly string[], asked: readonly string[]])[] = [
  [[], ['issues_purge']],
  [['a_issues_get'], ['issues_get', 'issues_purge']],
  [['*_delete'], ['issues_delete', 'issues_purge']],
  [['tag:danger'], ['issues_delete', 'issues_purge']],
  [['destructive'], ['issues_delete', 'issues_purge']],
  [['write'], ['issues_update', 'issues_delete', 'issues_purge']],
  [['*'], ['issues_get', 'issues_update', 'issues_delete', 'issues_purge']],
]

for (const [approval, expected] of table)
  test(`tools.approval ${JSON.stringify(approval)} asks before ${expected.join(', ')}`, () => {
    assert.deepEqual(asked(approval), expected)
  })

test('an override asks for one tool more, and lifts the wish of the operator, never that of the author', () => {
  assert.deepEqual(asked([], { issues_get: { approval: 'required' } }), ['issues_get', 'issues_purge'])
  assert.deepEqual(asked(['write'], { issues_update: { approval: 'none' }, issues_purge: { approval: 'none' } }), [
    'issues_delete',
    'issues_purge',
  ])
})
