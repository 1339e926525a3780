import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type as TypeBox } from 'typebox'
import { Type } from '../../../host/src/data/type.ts'

/** Every builder, with what the host's schemas use of it. */
const schemas = (type: typeof Type) => {
  const text = type.String({ minLength: 1, description: 'Text.' })
  return [
    type.Object({ a: type.Optional(text), b: type.Integer({ minimum: 0 }), c: type.Optional(type.Boolean()) }, { default: {} }),
    type.Object({ a: type.Optional(text) }, { additionalProperties: false }),
    type.Object({}),
    type.Array(text, { default: [] }),
    type.Enum(['a', 'b'], { default: 'a' }),
    type.Literal('a'),
    type.Literal(1),
    type.Record(type.String(), type.Unknown(), { default: {} }),
    type.Record(type.String({ pattern: '^a' }), text),
    type.Tuple([text, type.Integer()]),
    type.Union([text, type.Boolean()], { description: 'Either.' }),
    type.Unsafe({ type: 'string', pattern: '^sha256-' }),
    type.Unknown(),
  ]
}

test('the builders of the host give the JSON that TypeBox gives', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(schemas(Type))), JSON.parse(JSON.stringify(schemas(TypeBox))))
})

test('schemas of both can be put together', () => {
  const mixed = [
    Type.Object({ a: TypeBox.Optional(TypeBox.String()), b: Type.String() }),
    TypeBox.Object({ a: Type.Optional(Type.String()), b: Type.String() }),
  ]
  for (const { required } of mixed) assert.deepEqual(required, ['b'])
})
