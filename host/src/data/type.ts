import type { Type as TypeBox } from 'typebox'

const builders: unknown = Object.freeze({
  Array: (items: object, options?: object) => ({ type: 'array', items, ...options }),
  Boolean: (options?: object) => ({ type: 'boolean', ...options }),
  Enum: (values: readonly unknown[], options?: object) => ({ enum: values, ...options }),
  Integer: (options?: object) => ({ type: 'integer', ...options }),
  Literal: (value: string | number | boolean, options?: object) => ({ type: typeof value, const: value, ...options }),
  Object(properties: Readonly<Record<string, object>>, options?: object) {
    const required = Object.keys(properties).filter((key) => !isOptional(properties[key]))
    return { type: 'object', ...(required.length > 0 && { required }), properties, ...options }
  },
  /** Marked as TypeBox marks it, so that schemas of both can be put together. */
  Optional: (schema: object) =>
    Object.defineProperty({ ...schema }, OPTIONAL, { value: true, writable: true, configurable: true }),
  Record: (key: { readonly pattern?: string }, value: object, options?: object) => ({
    type: 'object',
    patternProperties: { [key.pattern ?? '^.*$']: value },
    ...options,
  }),
  String: (options?: object) => ({ type: 'string', ...options }),
  Tuple: (items: readonly object[], options?: object) => ({
    type: 'array',
    additionalItems: false,
    items,
    minItems: items.length,
    ...options,
  }),
  Union: (anyOf: readonly object[], options?: object) => ({ anyOf, ...options }),
  Unknown: (options?: object) => ({ ...options }),
  Unsafe: (schema: object) => ({ ...schema }),
})

/**
 * TypeBox's builders for the host's own schemas: the same types, and the same JSON, without the 370 modules that TypeBox consists of. A
 * host whose plugins are listed before they are imported, or run in processes of their own, starts without those. A test compares the two.
 */
export const Type = builders as Pick<typeof TypeBox, Built>

type Built =
  | 'Array'
  | 'Boolean'
  | 'Enum'
  | 'Integer'
  | 'Literal'
  | 'Object'
  | 'Optional'
  | 'Record'
  | 'String'
  | 'Tuple'
  | 'Union'
  | 'Unknown'
  | 'Unsafe'

const OPTIONAL = '~optional'

function isOptional(schema: object | undefined): boolean {
  return schema !== undefined && OPTIONAL in schema
}
