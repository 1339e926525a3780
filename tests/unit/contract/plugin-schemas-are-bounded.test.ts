import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Type } from '@mcp-patchbay/plugin-api'
import { frozenJson, type JsonSchema } from '../../../host/src/data/json.ts'
import { withLocalReferences } from '../../../host/src/data/schema/local-references.ts'
import { schemaFaults } from '../../../host/src/data/schema/schema-bounds.ts'
import { createValidators } from '../../../host/src/data/schema/validate.ts'

const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more }) as JsonSchema
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

function contained(): object {
  const schema: Record<string, unknown> = { type: 'object' }
  schema['properties'] = { again: schema }
  return schema
}

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
    /holds more than 20000 values/,
  ],
  ['600 properties', object(Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`p${index}`, {}]))), /subschemas/],
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
  ['a property called __proto__', JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}'), /__proto__/],
  ['a required constructor', object({}, { required: ['constructor'] }), /constructor/],
  ['a type that no text can be made of', object({ a: { items: { type: { toString: {} } } } }), /#\/properties\/a\/items\/type/],
  ['one such among several', object({ a: { type: ['string', { toString: {} }] } }), /#\/properties\/a\/type/],
  ['a draft-07 tuple', object({ a: { type: 'array', items: [{ type: 'string' }] } }), /tuple/],
  [
    'a pattern whose repetitions multiply',
    object({ a: { pattern: '\\pL{1000}'.repeat(300) } }),
    /#\/properties\/a\/pattern .*more than 2000 states/,
  ],
  [
    'such a pattern of property names',
    object({ a: { patternProperties: { '(x{100}){100}': {} } } }),
    /patternProperties\/.*more than 2000 states/,
  ],
  [
    'such a pattern behind a reference',
    object({ a: { $ref: '#/$defs/x' } }, { $defs: { x: { items: { pattern: '(?:a|b{500}){5}' } } } }),
    /#\/\$defs\/x\/items\/pattern/,
  ],
  [
    'many large patterns',
    object(Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`p${at}`, { pattern: 'a{1000}' }]))),
    /one pattern too many/,
  ],
  [
    'a reference to a default',
    object({ a: { $ref: '#/default' } }, { default: { uniqueItems: true } }),
    /is not a schema in this schema/,
  ],
  [
    'a reference to an example',
    object({ a: { $ref: '#/properties/b/examples/0' }, b: { examples: [{ pattern: '(' }] } }),
    /is not a schema in this schema/,
  ],
  [
    'a reference into an enum',
    object({ a: { $ref: '#/properties/b/enum/0' }, b: { enum: [{ type: 'string' }] } }),
    /is not a schema in this schema/,
  ],
  [
    'a reference to an unknown keyword',
    object({ a: { $ref: '#/x-shared/a' } }, { 'x-shared': { a: {} } }),
    /is not a schema in this schema/,
  ],
  ['a reference that cannot be decoded', object({ a: { $ref: '#/$defs/%zz' } }), /is not in this schema/],
  ['an enum without a value', object({ a: { enum: [] } }), /does not allow/],
  ['alternatives without one', object({ a: { anyOf: [] } }), /does not allow/],
  ['properties that are none', { type: 'object', properties: 5 }, /does not allow/],
  ['a negation that is none', object({ a: { not: 'x' } }), /does not allow/],
  ['types twice', object({ a: { type: ['string', 'string'] } }), /does not allow/],
  ['a schema that contains itself', object({ a: contained() }), /nested deeper/],
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

test('keywords and formats that JSON Schema does not know are annotations, wherever they stand', () => {
  const odd: Record<string, unknown> = {
    example: 1,
    examples: [{ $ref: 'https://example.com' }],
    discriminator: { propertyName: 'kind', mapping: {} },
    nullable: 'perhaps',
    $async: true,
    $data: '/a',
    id: 'old',
    $comment: 5,
    deprecated: 'x',
    readOnly: 1,
    contentSchema: 'none',
    contentEncoding: 1,
    'x-amz.date': {},
    'not a keyword': [],
    formatMinimum: '2020',
    $recursiveRef: '#',
    propertyDependencies: 3,
  }
  const schema = object(
    {
      'x-amz.date': { type: 'string', format: 'date', ...odd },
      'a b/c~d%': { type: 'string', format: 'json', ...odd },
      list: { type: 'array', items: { type: 'string', format: 'phone', ...odd }, ...odd },
      again: { $ref: '#/properties/a%20b~1c~0d%25' },
    },
    odd,
  )
  assert.deepEqual(faultsOf(schema), [])
  const validate = createValidators().validator(schema)
  assert.equal(validate({ 'x-amz.date': '2026-02-28', 'a b/c~d%': '{', list: ['x'], again: 'y' }), undefined)
  assert.deepEqual(validate({ 'x-amz.date': '2026-02-31' }), ['`x-amz.date` must be in the format "date"'])
  assert.deepEqual(validate({ again: 1 }), ['`again` must be a string, not a number'])
})

test('null is allowed where OpenAPI says nullable: true, and tuples of draft-07 are read as such', () => {
  const validate = createValidators().validator(object({ a: { type: 'string', nullable: true } }))
  assert.equal(validate({ a: null }), undefined)
  const old = object(
    { pair: { type: 'array', items: [{ type: 'string' }, { type: 'number' }], additionalItems: false } },
    { $schema: 'http://json-schema.org/draft-07/schema#', dependencies: { a: ['b'], c: { required: ['d'] } } },
  )
  assert.deepEqual(faultsOf(old), [])
  const check = createValidators().validator(old)
  assert.equal(check({ pair: ['a', 1] }), undefined)
  assert.deepEqual(check({ pair: [1, 'a', 2], a: 1, c: 1 })?.length, 5)
})

test('equal items are found in one look at each, objects too', () => {
  const schema = object({ a: { type: 'array', uniqueItems: true } })
  assert.deepEqual(faultsOf(schema), [])
  const validate = createValidators().validator(schema)
  const many = Array.from({ length: 50_000 }, (_, at) => ({ at, of: { b: 1, a: [at] } }))
  assert.equal(validate({ a: many }), undefined)
  assert.deepEqual(validate({ a: [...many, { of: { a: [7], b: 1 }, at: 7 }] }), ['`a` must not have the same item twice'])
  assert.equal(validate({ a: ['1', 1, true, null, '{}', {}, '[]', []] }), undefined)
})

test('a long list of values costs one look at each item', () => {
  const values = Array.from({ length: 2_000 }, (_, at) => `value ${at}`)
  const validate = createValidators().validator(
    object({ a: { type: 'array', items: { enum: [...values, { b: 1, a: null }, 5] } } }),
  )
  const many = Array.from({ length: 300_000 }, () => 'value 1999')
  assert.equal(validate({ a: [...many, { a: null, b: 1 }, 5] }), undefined)
  assert.match(String(validate({ a: [...many, '5'] })), /^`a.300000` must be one of "value 0", .* and 1982 more$/)
})

test('a value that is too large for its schema is refused instead of being checked for seconds', () => {
  const long = createValidators().validator(object({ a: { type: 'string', pattern: '\\pL{900}$' } }))
  assert.deepEqual(long({ a: 'a'.repeat(1_000_000) }), ['the value is too large to be checked against its schema'])
  assert.equal(long({ a: 'a'.repeat(1_000) }), undefined)
  const forms = Array.from({ length: 450 }, (_, at) => ({ const: { at } }))
  const wide = createValidators().validator(object({ a: { type: 'array', items: { anyOf: forms } } }))
  const items = (count: number) => ({ a: Array.from({ length: count }, () => ({ at: 449 })) })
  assert.equal(wide(items(1_000)), undefined)
  assert.deepEqual(wide(items(100_000)), ['the value is too large to be checked against its schema'])
  const filled = createValidators().completing(
    object({ a: { type: 'array', items: { type: 'object', properties: { b: { default: 'x'.repeat(50_000) } } } } }),
  )
  assert.deepEqual(filled({ a: Array.from({ length: 100_000 }, () => ({})) }), [
    'the value is too large to be checked against its schema',
  ])
})

test('whatever passes the bounds compiles, and checks any value without throwing', () => {
  const key = fc.constantFrom('a', 'b', 'x-amz.date', 'a/b', '~', '%', '', '0', 'toString')
  const scalar = fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    2,
    1.5,
    '',
    'a',
    '#',
    '#/$defs/a',
    '#/properties/a',
    '(',
    '^a{2}$',
    'date',
    'string',
    'array',
    [],
    ['a'],
    ['string', 'null'],
    {},
  )
  const keywords = fc.constantFrom(
    ...'type enum const required minimum exclusiveMaximum multipleOf minLength pattern format minItems uniqueItems minContains contains'.split(
      ' ',
    ),
    ...'properties patternProperties additionalProperties propertyNames dependentRequired dependentSchemas dependencies'.split(
      ' ',
    ),
    ...'items prefixItems additionalItems unevaluatedItems unevaluatedProperties allOf anyOf oneOf not if then else'.split(' '),
    ...'$ref $dynamicRef $anchor $dynamicAnchor $defs definitions default nullable $schema $async id $id discriminator'.split(
      ' ',
    ),
  )
  const { schema } = fc.letrec<{ schema: unknown; part: unknown }>((tie) => ({
    part: fc.oneof(
      { maxDepth: 3 },
      scalar,
      tie('schema'),
      fc.array(tie('schema'), { maxLength: 3 }),
      fc.dictionary(key, tie('schema'), { maxKeys: 3 }),
    ),
    schema: fc.oneof({ maxDepth: 3 }, fc.boolean(), fc.dictionary(keywords, tie('part'), { maxKeys: 4 })),
  }))
  let compiled = 0
  fc.assert(
    fc.property(fc.dictionary(keywords, schema, { maxKeys: 4 }), fc.jsonValue(), (parts, value) => {
      const written = withLocalReferences({ ...parts, type: 'object', properties: { a: parts, b: {} }, $defs: { a: parts } })
      if (faultsOf(written).length > 0) return
      compiled += 1
      const validators = createValidators()
      const whole = frozenJson<JsonSchema>(written)
      validators.validator(whole)(value)
      validators.completing(whole)(value)
    }),
    { numRuns: 600 },
  )
  assert.ok(compiled > 20, `${compiled} of them passed`)
})

const messages: readonly [name: string, value: unknown, message: string][] = [
  ['a missing property', {}, '`repo` is missing'],
  ['a wrong type', { repo: 1 }, '`repo` must be a string, not a number'],
  ['a value out of bounds', { repo: 'a', number: 0 }, '`number` must be >= 1'],
  ['an unknown property', { repo: 'a', rep: 1 }, '`rep` is not a known property; known are repo, number, state'],
  ['a value that is not in the list', { repo: 'a', state: 'x' }, '`state` must be one of "open", "closed"'],
  ['something that is no object', [], 'the value must be an object, not an array'],
  ['no value at all', undefined, 'the value must be an object, not nothing'],
  [
    'a name of a megabyte',
    { repo: 'a', ['x'.repeat(1_000_000)]: 1 },
    `\`${'x'.repeat(200)}…\` is not a known property; known are repo, number, state`,
  ],
]
for (const [name, value, message] of messages)
  test(`the message for ${name} says what to change`, () => {
    const schema = object(
      { repo: { type: 'string' }, number: { type: 'integer', minimum: 1 }, state: { enum: ['open', 'closed'] } },
      { required: ['repo'], additionalProperties: false },
    )
    assert.deepEqual(createValidators().validator(schema)(value), [message])
  })

test('every problem is told at once, each once, and no more than ten of them', () => {
  const schema = object(
    { a: { type: 'string' }, b: { type: 'integer', minimum: 5 }, list: { type: 'array', items: { type: 'number' } } },
    { required: ['a', 'c'], additionalProperties: false },
  )
  const validate = createValidators().validator(schema)
  assert.deepEqual(validate({ a: 1, b: 1.5, d: 1 }), [
    '`c` is missing',
    '`d` is not a known property; known are a, b, list',
    '`a` must be a string, not a number',
    '`b` must be an integer, not a number',
  ])
  const lines = validate({ a: '', c: 1, list: Array.from({ length: 100 }, () => 'x') }) ?? []
  assert.equal(lines.length, 11)
  assert.equal(lines[10], 'and 91 more')
  // More than could be told: the first problem is enough, and costs no memory.
  assert.equal(validate({ a: '', list: Array.from({ length: 100_000 }, () => 'x') })?.length, 1)
})

test('of alternatives that all fail, what may be given is told and not what is wrong with each', () => {
  const told = (property: object, value: unknown) => createValidators().validator(object({ a: property }))({ a: value })
  assert.deepEqual(told({ anyOf: [{ const: 'x' }, { const: 'y' }] }, 'z'), ['`a` must be one of "x", "y"'])
  assert.deepEqual(told({ anyOf: [{ type: 'string' }, { type: 'number' }] }, true), [
    '`a` must be a string or a number, not a boolean',
  ])
  const forms = {
    oneOf: [
      { type: 'object', required: ['b'] },
      { type: 'object', required: ['c'] },
    ],
  }
  assert.deepEqual(told(forms, {}), ['`a` fits none of its 2 forms'])
  assert.deepEqual(told(forms, { b: 1, c: 1 }), ['`a` fits several of its forms, and must fit one'])
})

test('null where none is allowed counts as not given, and defaults are filled in', () => {
  const schema = object(
    {
      q: { type: 'string' },
      limit: { type: 'integer', default: 20 },
      tag: { type: 'string', enum: ['a', 'b'] },
      maybe: { type: ['string', 'null'] },
      either: { anyOf: [{ type: 'string' }, { type: 'number' }] },
      filter: { $ref: '#/$defs/filter' },
      list: { type: 'array', items: { type: 'object', properties: { n: { type: 'number', default: 1 } } } },
    },
    {
      required: ['q'],
      additionalProperties: false,
      $defs: { filter: { type: 'object', properties: { state: { type: 'string', default: 'open' }, by: { type: 'string' } } } },
    },
  )
  assert.deepEqual(faultsOf(schema), [])
  const complete = (value: unknown) => {
    const problems = createValidators().completing(schema)(value)
    return problems ?? value
  }
  assert.deepEqual(complete({ q: 'x' }), { q: 'x', limit: 20 })
  assert.deepEqual(complete({ q: 'x', limit: null, tag: null, maybe: null, either: null }), { q: 'x', limit: 20, maybe: null })
  assert.deepEqual(complete({ q: 'x', limit: 1, filter: { by: null }, list: [{}, { n: 2 }, { n: null }] }), {
    q: 'x',
    limit: 1,
    filter: { state: 'open' },
    list: [{ n: 1 }, { n: 2 }, { n: 1 }],
  })
  assert.deepEqual(complete({ q: null, tag: 3, other: null }), [
    '`q` must be a string, not null',
    '`other` is not a known property; known are q, limit, tag, maybe, either, filter, list',
    '`tag` must be a string, not a number',
  ])
  assert.deepEqual(complete({ q: 'x', list: [null] }), ['`list.0` must be an object, not null'])
  // What a plugin returns is checked as it is.
  assert.deepEqual(createValidators().validator(schema)({ q: 'x', tag: null }), ['`tag` must be a string, not null'])
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

test('what a default leaves out is filled in as well, once in a recursive schema, and never without end', () => {
  const complete = (schema: JsonSchema) => {
    assert.deepEqual(faultsOf(schema), [])
    const value = {}
    return createValidators().completing(schema)(value) ?? value
  }
  const page = { type: 'object', properties: { size: { type: 'integer', default: 10 } }, required: ['size'], default: {} }
  assert.deepEqual(complete(object({ page })), { page: { size: 10 } })
  const node = { type: 'object', properties: { next: { $ref: '#/$defs/node', default: {} } } }
  assert.deepEqual(complete(object({ first: { $ref: '#/$defs/node', default: {} } }, { $defs: { node } })), {
    first: { next: {} },
  })
  const names = Array.from({ length: 10 }, (_, key) => `p${key}`)
  const wide = {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, { $ref: '#/$defs/wide', default: {} }])),
  }
  const ofAll = (value: unknown) => Object.fromEntries(names.map((name) => [name, value]))
  assert.deepEqual(complete(object({ all: { $ref: '#/$defs/wide', default: {} } }, { $defs: { wide } })), { all: ofAll({}) })
})
