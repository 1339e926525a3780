import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LOCAL_PRINCIPAL } from '../../../host/src/auth/principal.ts'
import { createCaller } from '../../../host/src/server/catalog/caller.ts'
import { viewChanges } from '../../../host/src/server/catalog/operator/view-changes.ts'
import { activeRecord, emptyPlugin, emptyTool, snapshotOf } from '../../fixtures/projects/snapshots.ts'

const operator = createCaller(LOCAL_PRINCIPAL)
const of = (...tools: readonly (readonly [name: string, description?: string])[]) =>
  snapshotOf([
    activeRecord(
      emptyPlugin(
        'p',
        tools.map(([name, description = 'Does it.']) => ({ ...emptyTool(name), description })),
      ),
    ),
  ])

test('says which tools are new, gone and other, and where', () => {
  assert.deepEqual(viewChanges(of(['one'], ['two']), of(['two', 'Does that.'], ['three']), operator), [
    { kind: 'tool', name: 'p_three', change: 'added' },
    { kind: 'tool', name: 'p_one', change: 'removed' },
    {
      kind: 'tool',
      name: 'p_two',
      change: 'changed',
      fields: [{ field: 'description', before: 'Does it.', after: 'Does that.' }],
    },
  ])
})

test('a version that looks the same is no change', () => {
  assert.deepEqual(viewChanges(of(['one']), of(['one']), operator), [])
})

test('what a caller never saw is no change to it', () => {
  const other = createCaller({ ...LOCAL_PRINCIPAL, kind: 'apiKey', permissions: [] }, { toolsets: ['none'], readOnly: false })
  assert.deepEqual(viewChanges(of(['one']), of(['two']), other), [])
})
