import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from '@mcp-patchbay/plugin-api'
import { frozenJson, type JsonSchema } from '../../../host/src/data/json.ts'
import { withLocalReferences } from '../../../host/src/data/schema/local-references.ts'
import { schemaFaults } from '../../../host/src/data/schema/schema-bounds.ts'
import { createValidators } from '../../../host/src/data/validate.ts'

const object = (properties: object, more: object = {}) => frozenJson<JsonSchema>({ type: 'object', properties, ...more })
const faultsOf = (schema: unknown) => schemaFaults(schema, { root: 'object' }).map(({ path, problem }) => `${path} ${problem}`)

test('what TypeBox makes of ordinary types has no faults', () => {
  const Tree = Type.Cyclic({ Node: Type.Object({ name: Type.String(), children: Type.Array(Type.Ref('Node')) }) }, 'Node')
  const schema = Type.Object({
    text: Type.String({ minLength: 1, maxLength: 10, pattern: '^[a-z]+$', format: 'uri' }),
    count: Type.Integer({ minimum: 1 }),
    choice: Type.Union([Type.Literal('a'), Type.Literal('b')]),
    list: Type.Array(Type.String(), { uniqueItems: true }),
    record: Type.Record(Type.String(), Type.Number()),
    tree: Type.Optional(Tree),
  })
  const local = frozenJson<JsonSchema>(withLocalReferences(schema))
  assert.deepEqual(faultsOf(local), [])
  const validate = createValidators().validator(local)
  assert.match(
    String(validate({ text: 'http', count: 1, choice: 'a', list: [], record: {}, tree: { name: 'x', children: [{ name: 1 }] } })),
    /text/,
  )
})

const json = {
  anyOf: [
    { type: 'string' },
    { type: 'array', items: { $ref: '#/$defs/json' } },
    { type: 'object', additionalProperties: { $ref: '#/$defs/json' } },
  ],
}

test('a recursive type whose branches differ is accepted', () => {
  assert.deepEqual(faultsOf(object({ value: { $ref: '#/$defs/json' } }, { $defs: { json } })), [])
})

const doubling = Object.fromEntries(
  Array.from({ length: 21 }, (_, index) => [
    `a${index}`,
    index === 20 ? { type: 'string' } : { anyOf: [{ $ref: `#/$defs/a${index + 1}` }, { $ref: `#/$defs/a${index + 1}` }] },
  ]),
)
let deep: object = { type: 'string' }
for (let depth = 0; depth < 3_000; depth += 1) deep = { type: 'object', properties: { a: deep } }

const refused: readonly [name: string, schema: unknown, fault: RegExp][] = [
  ['null', null, /the schema is null/],
  ['a boolean', true, /the schema is a boolean/],
  ['a root that is an array', { type: 'array', items: {} }, /#\/type/],
  ['an unknown dialect', object({}, { $schema: 'http://json-schema.org/draft-04/schema#' }), /dialect/],
  ['a reference to the network', object({ a: { $ref: 'https://example.com/x.json' } }), /is not in this schema/],
  ['a reference to a file', object({ a: { $ref: 'file:///etc/passwd' } }), /is not in this schema/],
  ['a reference to a neighbour', object({ a: { $ref: 'other.json#/a' } }), /is not in this schema/],
  ['a pattern with look-ahead', object({ a: { type: 'string', pattern: '(?=a)a' } }), /linear time/],
  ['a pattern that is none', object({ a: { type: 'string', pattern: '(' } }), /linear time/],
  ['nesting of 3,000', object({ a: deep }), /nested deeper than/],
  [
    '20,000 properties',
    object(Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`p${index}`, { type: 'string' }]))),
    /subschemas/,
  ],
  ['alternatives that double twenty times', object({ a: { $ref: '#/$defs/a0' } }, { $defs: doubling }), /multiply/],
  ['a reference to itself', object({}, { $ref: '#' }), /refers to itself/],
  [
    'recursion in two like branches',
    object(
      { a: { $ref: '#/$defs/l' } },
      {
        $defs: {
          l: {
            anyOf: [
              { type: 'object', properties: { n: { $ref: '#/$defs/l' } } },
              { type: 'object', properties: { n: { $ref: '#/$defs/l' }, x: {} } },
            ],
          },
        },
      },
    ),
    /several branches/,
  ],
  ['unique objects without a bound', object({ a: { type: 'array', uniqueItems: true, items: { type: 'object' } } }), /pairwise/],
  ['a property called __proto__', JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}'), /__proto__/],
  ['a required constructor', object({}, { required: ['constructor'] }), /constructor/],
  ['a draft-07 tuple', object({ a: { type: 'array', items: [{ type: 'string' }] } }), /tuple/],
  ['a type that is none', object({ a: { type: 'strng' } }), /does not allow/],
  ['a bound that is text', object({ a: { type: 'string', minLength: '1' } }), /does not allow/],
]
for (const [name, schema, fault] of refused)
  test(`a schema with ${name} is refused with the reason`, () => {
    assert.match(faultsOf(schema).join('\n'), fault)
  })

test('a pattern that would hang a backtracking engine is checked in linear time', () => {
  const validate = createValidators().validator(object({ a: { type: 'string', pattern: '^(a+)+$' } }))
  // V8's own engine needs longer than the age of the universe for this one; a test that hangs is one that failed.
  assert.deepEqual(validate({ a: `${'a'.repeat(20_000)}!` }), ['`a` must match pattern "^(a+)+$"'])
  assert.equal(validate({ a: 'aaa' }), undefined)
})

const messages: readonly [name: string, value: unknown, message: string][] = [
  ['a missing property', {}, '`repo` is missing'],
  ['a wrong type', { repo: 1 }, '`repo` must be a string, not a number'],
  ['a value out of bounds', { repo: 'a', number: 0 }, '`number` must be >= 1'],
  ['an unknown property', { repo: 'a', rep: 1 }, '`rep` is not a known property; known are repo, number, state'],
  ['a value that is not in the list', { repo: 'a', state: 'x' }, '`state` must be one of "open", "closed"'],
  ['something that is no object', [], 'the input must be an object, not an array'],
]
for (const [name, value, message] of messages)
  test(`the message for ${name} says what to change`, () => {
    const schema = object(
      { repo: { type: 'string' }, number: { type: 'integer', minimum: 1 }, state: { enum: ['open', 'closed'] } },
      { required: ['repo'], additionalProperties: false },
    )
    assert.deepEqual(createValidators().validator(schema)(value), [message])
  })

test('arguments cannot reach a prototype', () => {
  const validate = createValidators().validator(object({ a: { type: 'object' } }, { additionalProperties: false }))
  assert.match(String(validate(JSON.parse('{"__proto__":{"polluted":true}}'))), /not a known property/)
  assert.equal(validate(JSON.parse('{"a":{"__proto__":{"polluted":true}}}')), undefined)
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
})

test('two schemas with different patterns do not share one', () => {
  const validators = createValidators()
  const first = validators.validator(object({ a: { type: 'string', pattern: '^a$' } }))
  const second = validators.validator(object({ a: { type: 'string', pattern: '^b$' } }))
  assert.equal(first({ a: 'a' }), undefined)
  assert.equal(second({ a: 'b' }), undefined)
  assert.ok(second({ a: 'a' }))
})

test('two plugins may give their recursive types the same name', () => {
  const node = (value: object) =>
    frozenJson<JsonSchema>(
      withLocalReferences({
        type: 'object',
        properties: { root: { $ref: 'Node' } },
        $defs: { Node: { $id: 'Node', type: 'object', properties: { value, next: { $ref: 'Node' } } } },
      }),
    )
  const validators = createValidators()
  const first = validators.validator(node({ type: 'string' }))
  const second = validators.validator(node({ type: 'number' }))
  assert.equal(first({ root: { value: 'a', next: { value: 'b' } } }), undefined)
  assert.deepEqual(second({ root: { value: 1, next: { value: 'b' } } }), ['`root.next.value` must be a number, not a string'])
})
