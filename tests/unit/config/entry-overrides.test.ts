import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCaller } from '../../../host/src/server/catalog/caller.ts'
import { viewOf } from '../../../host/src/server/catalog/view.ts'
import { activeRecord, emptyPlugin, emptyTool, snapshotOf } from '../../fixtures/projects/snapshots.ts'

const overrides = { issues_get: { title: 'Read', description: 'In our words.', permissions: ['issues'], timeoutMs: 5 } }
const snapshot = snapshotOf([
  activeRecord(emptyPlugin('a', [emptyTool('issues_get', 'read', { permissions: ['base'] })]), { overrides }),
])
const caller = (...permissions: string[]) => createCaller({ id: 'x', tenant: undefined, permissions, kind: 'apiKey' })

test('an override changes the words a client sees', () => {
  const [tool] = viewOf(snapshot, caller('base', 'issues')).tools
  assert.equal(tool?.['title'], 'Read')
  assert.equal(tool?.description, 'In our words.')
})

test('an override can ask for more permissions and takes none away', () => {
  assert.equal(viewOf(snapshot, caller('base')).tools.length, 0)
  assert.equal(viewOf(snapshot, caller('issues')).tools.length, 0)
  assert.equal(viewOf(snapshot, caller('base', 'issues')).tools.length, 1)
})

test('an override sets the time limit of a call', () => {
  assert.equal(snapshot.tools.get('a_issues_get')?.timeoutMs, 5)
})
