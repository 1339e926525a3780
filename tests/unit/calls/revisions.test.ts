import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/server'
import { LEGACY_VERSIONS } from '../../../host/src/transport/fast-path/recognise.ts'

test('the older revisions that the short way takes are those of the SDK', () => {
  const older = SUPPORTED_PROTOCOL_VERSIONS.filter((version) => version < '2026')
  assert.deepEqual([...LEGACY_VERSIONS].toSorted(), older.toSorted())
})
