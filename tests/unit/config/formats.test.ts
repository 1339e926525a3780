import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check } from '../../../host/src/config/schema/check-value.ts'
import { formats } from '../../../host/src/data/schema/formats.ts'
import { createValidators } from '../../../host/src/data/schema/validate.ts'

const texts: readonly (readonly [format: string, text: string, fits: boolean])[] = [
  ['date', '2026-02-28', true],
  ['date', '2026-02-31', false],
  ['date', '2024-02-29', true],
  ['date', '2026-2-1', false],
  ['date-time', '2026-02-28T23:59:59Z', true],
  ['date-time', '2026-02-31T00:00:00Z', false],
  ['date-time', '2026-02-28', false],
  ['time', '25:00:00Z', false],
  ['email', 'ada@example.com', true],
  ['email', 'ada@', false],
  ['uri', 'https://example.com/a?b=c', true],
  ['uri', '/a', false],
  ['url', 'http://localhost:3000', true],
  ['url', 'example', false],
  ['uuid', '6f1e8f50-5c1e-4bb0-9d0b-5a0f1a3c2d4e', true],
  ['uuid', '6f1e', false],
  ['ipv4', '256.1.1.1', false],
  ['json', '{', true],
  ['toString', 'anything', true],
]
for (const [format, text, fits] of texts)
  test(`${JSON.stringify(text)} ${fits ? 'is' : 'is not'} a ${format}, for a config as for an argument`, () => {
    const schema = { type: 'string', format }
    assert.equal(check(schema, text).length === 0, fits)
    const validate = createValidators().validator({ type: 'object', properties: { a: schema } })
    assert.equal(validate({ a: text }) === undefined, fits)
  })

test('no format takes longer the longer a hostile text is', () => {
  const endless = ['a', 'a.', 'a-', '/', '1', '%61', 'a@', '::', 'a:', '{a}', ' ', 'aA=']
  // Those that go back and forth would not come back from a megabyte.
  for (const format of formats().names)
    for (const piece of endless) {
      const text = piece.repeat(Math.ceil(1_000_000 / piece.length))
      formats().fits(format, text)
      formats().fits(format, `a@${text.slice(0, 8_000)}!`)
    }
})
