import { isObject } from '../json.ts'

/** The schemas that stand directly in `schema`, each with where: `properties/a`. */
export function children(schema: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  const found: (readonly [string, unknown])[] = []
  for (const key of single) if (schema[key] !== undefined && !Array.isArray(schema[key])) found.push([key, schema[key]])
  for (const key of several)
    if (Array.isArray(schema[key])) schema[key].forEach((child: unknown, index) => found.push([`${key}/${index}`, child]))
  for (const key of records) {
    const record = schema[key]
    if (isObject(record)) for (const [name, child] of Object.entries(record)) found.push([`${key}/${name}`, child])
  }
  return found
}

/** Keywords that hold one schema. */
const single = [
  'additionalProperties',
  'contains',
  'contentSchema',
  'else',
  'if',
  'items',
  'not',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
  'additionalItems',
]
/** Those that hold an array of schemas. */
export const several = ['allOf', 'anyOf', 'oneOf', 'prefixItems']
/** Those that hold a record of schemas. */
const records = ['$defs', 'definitions', 'dependentSchemas', 'patternProperties', 'properties']
/** Those that look at the same value as the schema they stand in. */
export const inPlace = new Set(['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependentSchemas'])
