import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCredential } from '../operations/security.ts'

test('what the host fills in is no parameter of a tool, in whatever letters a header is written', () => {
  const credentials = { apiKey: { header: 'X-Key' }, personalToken: { query: 'token' }, oauth: { cookie: 'sid' } }
  const table = [
    ['header', 'X-Key', true],
    ['header', 'x-KEY', true],
    ['query', 'token', true],
    ['query', 'Token', false],
    ['cookie', 'sid', true],
    ['query', 'X-Key', false],
    ['header', 'token', false],
    ['path', 'sid', false],
  ] as const
  for (const [place, name, expected] of table)
    assert.equal(isCredential({ credentials }, place, name), expected, `${name} in ${place}`)
})
