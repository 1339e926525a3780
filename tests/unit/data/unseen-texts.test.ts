import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonSchema } from '../../../host/src/data/json.ts'
import { LONG_BYTES, markOf, SHORTEST_MARK } from '../../../host/src/data/long-text/cut.ts'
import { longestUnseen } from '../../../host/src/data/schema/unseen-texts.ts'
import { createValidators } from '../../../host/src/data/schema/validate.ts'

const of = (property: object) =>
  ({ type: 'object', $defs: { text: { type: 'string' } }, properties: { a: property } }) as unknown as JsonSchema
const longText = 'x'.repeat(LONG_BYTES)

const unseen: readonly (readonly [schema: object, longest: number])[] = [
  [{ type: 'string', description: 'A text.', title: 'Text', examples: ['x'], default: 'x' }, Infinity],
  [{ type: 'string', minLength: 1 }, Infinity],
  [{ type: 'string', minLength: SHORTEST_MARK }, Infinity],
  [{ type: 'string', maxLength: 9_000 }, 9_000],
  [
    {
      anyOf: [
        { type: 'string', maxLength: 9_000 },
        { type: 'array', items: { type: 'string', maxLength: 5_000 } },
      ],
    },
    5_000,
  ],
  [{ enum: ['open', 'closed'] }, Infinity],
  [{ const: 'open' }, Infinity],
  [{ type: ['string', 'null'] }, Infinity],
  [
    { type: 'object', properties: { pattern: { type: 'string' }, format: {} }, additionalProperties: { type: 'string' } },
    Infinity,
  ],
  [{ $ref: '#/$defs/text' }, Infinity],
  [{ type: 'number', minimum: 1, multipleOf: 2 }, Infinity],
]

const seen: readonly object[] = [
  { type: 'string', minLength: SHORTEST_MARK + 1 },
  { type: 'string', pattern: '^x' },
  { type: 'string', format: 'uri' },
  { type: 'array', uniqueItems: true },
  { type: 'array', contains: { const: 'x' } },
  { enum: [longText] },
  { const: longText },
  { anyOf: [{ type: 'number' }, { type: 'string', pattern: 'x' }] },
  { $defs: { text: { pattern: 'x' } }, type: 'string' },
  { additionalProperties: { pattern: 'x' } },
  { if: { pattern: 'x' }, else: {} },
  { default: { pattern: 'x' }, $ref: '#/properties/a/default' },
  { 'x-other': true },
]

test('a schema says up to how many bytes it takes every long text alike', () => {
  for (const [schema, longest] of unseen) assert.equal(longestUnseen(of(schema)), longest, JSON.stringify(schema))
  for (const schema of seen) assert.equal(longestUnseen(of(schema)), 0, JSON.stringify(schema).slice(0, 100))
})

test('what a schema does not look at it takes by its mark as it takes it', () => {
  const validators = createValidators()
  const texts = [longText, 'é'.repeat(LONG_BYTES), '😀'.repeat(LONG_BYTES)]
  const schemas: readonly object[] = [
    { anyOf: [{ const: 'open' }, { type: 'object' }] },
    { not: { type: 'string' } },
    {
      oneOf: [
        { type: 'string', minLength: 3 },
        { type: 'array', items: { type: 'string' }, maxItems: 1 },
      ],
    },
  ]
  for (const schema of [...unseen.map(([one]) => one), ...schemas]) {
    const fits = validators.completing(of(schema))
    const longest = longestUnseen(of(schema))
    for (const text of texts.filter((one) => Buffer.byteLength(one) <= longest))
      for (const wrap of [(one: string) => one, (one: string) => [one], (one: string) => ({ b: one })])
        assert.equal(
          fits({ a: wrap(text) }) === undefined,
          fits({ a: wrap(markOf(0)) }) === undefined,
          `${JSON.stringify(schema)} of ${text.slice(0, 4)}`,
        )
  }
})
