import { isObject } from '../json.ts'

/** The schemas that stand directly in `schema`, each with where: `properties/a`. */
export function children(schema: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  const found: (readonly [string, unknown])[] = []
  for (const key of single) if (schema[key] !== undefined && !Array.isArray(schema[key])) found.push([key, schema[key]])
  for (const key of several)
    if (Array.isArray(schema[key])) schema[key].forEach((child: unknown, index) => found.push([`${key}/${index}`, child]))
  for (const key of records) {
    const record = schema[key]
    if (!isObject(record)) continue
    for (const [name, child] of Object.entries(record))
      if (!(key === 'dependencies' && Array.isArray(child))) found.push([`${key}/${name}`, child])
  }
  return found
}

/** Whether a schema says that it is of draft-07, where a tuple is an array of `items`. Everything else is 2020-12. */
export function isDraft7(root: Readonly<Record<string, unknown>>): boolean {
  return typeof root['$schema'] === 'string' && root['$schema'].includes('draft-07')
}

/** Keywords that hold one schema. */
export const single = [
  'additionalProperties',
  'contains',
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
export const several = ['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items']
/** Those that hold a record of schemas. */
export const records = ['$defs', 'definitions', 'dependencies', 'dependentSchemas', 'patternProperties', 'properties']
/** Those that look at the same value as the schema they stand in. */
export const inPlace = new Set(['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependencies', 'dependentSchemas'])
