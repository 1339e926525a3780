import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createValidators } from '../../../host/src/data/schema/validate.ts'

const regionOf = (type: string) => ({ type: 'object', properties: { region: { type, 'x-mcp-header': 'Region' } } })

test('several schemas may carry the same x- keyword', () => {
  const validators = createValidators()
  assert.equal(validators.validator(regionOf('string'))({ region: 'eu' }), undefined)
  assert.equal(validators.validator(regionOf('integer'))({ region: 7 }), undefined)
})
