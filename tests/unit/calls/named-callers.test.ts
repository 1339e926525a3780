import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_CREDENTIALS } from '../../../host/src/auth/outbound/request-credentials.ts'
import { readCaller } from '../../../host/src/server/catalog/operator/named-caller.ts'

test("a caller in the operator's words is never the operator, and brings no credential", () => {
  const { principal, narrowing, credentials } = readCaller(
    '{"id":"ada","tenant":"acme","permissions":["*"],"readOnly":true}',
    'as',
  )
  assert.deepEqual(principal, { id: 'ada', tenant: 'acme', permissions: ['*'], kind: 'apiKey' })
  assert.deepEqual(narrowing, { toolsets: undefined, readOnly: true })
  assert.equal(credentials, NO_CREDENTIALS)
  assert.deepEqual(readCaller('{}', 'as').principal, { id: 'explain', tenant: undefined, permissions: [], kind: 'apiKey' })
})

for (const [text, problem] of [
  ['{', /JSON/],
  ['[]', /object/],
  ['{"tenannt":"acme"}', /tenannt.*tenant/],
  ['{"permissions":"*"}', /permissions/],
  ['{"id":""}', /id/],
] as const)
  test(`says what is wrong with ${text} as a caller`, () => {
    assert.throws(() => readCaller(text, 'caller.json'), { code: 'CALLER_FILE', message: problem })
  })
