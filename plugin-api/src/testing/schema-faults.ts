import { isRecord } from './fake-config.ts'

const JSON_TYPES: ReadonlySet<unknown> = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'])

/**
 * What a client could not use, or would use differently than the author meant: things only TypeBox knows, types that are not JSON,
 * tuples of an older draft, properties that nobody described. One line each, with the path.
 */
export function schemaFaults(schema: unknown, path: string): readonly string[] {
  if (typeof schema === 'boolean') return []
  if (!isRecord(schema)) return [`${path} is not a schema`]
  const faults: string[] = []
  for (const [hidden, maker] of [
    ['~refine', 'Type.Refine'],
    ['~codec', 'Type.Codec'],
  ] as const)
    if (hidden in schema) faults.push(`${path} is made with ${maker}, which is not in the JSON Schema: check the value in run`)
  for (const type of [schema['type'] ?? []].flat())
    if (!JSON_TYPES.has(type)) faults.push(`${path} has the type ${JSON.stringify(type)}, which JSON does not have`)
  if (Array.isArray(schema['items']))
    faults.push(`${path} is a tuple in draft-07 form: write Type.Unsafe({ type: 'array', prefixItems: [ … ], items: false })`)
  for (const [key, value] of Object.entries(schema))
    if (['function', 'symbol', 'bigint'].includes(typeof value))
      faults.push(`${path}.${key} is a ${typeof value}, which JSON cannot hold`)
  for (const [name, property] of Object.entries(isRecord(schema['properties']) ? schema['properties'] : {}))
    if (!isRecord(property) || typeof property['description'] !== 'string' || property['description'].trim() === '')
      faults.push(`${path}.${name} has no description: tell the model what to put there`)
  return [...faults, ...children(schema).flatMap(([key, child]) => schemaFaults(child, `${path}.${key}`))]
}

function children(schema: Record<string, unknown>): readonly (readonly [string, unknown])[] {
  const found: (readonly [string, unknown])[] = []
  for (const key of ['properties', '$defs', 'patternProperties'])
    if (isRecord(schema[key])) found.push(...Object.entries(schema[key]))
  for (const key of ['items', 'additionalProperties', 'not', 'contains'])
    if (schema[key] !== undefined && !Array.isArray(schema[key])) found.push([key, schema[key]])
  for (const key of ['items', 'prefixItems', 'anyOf', 'oneOf', 'allOf'])
    if (Array.isArray(schema[key])) schema[key].forEach((child: unknown, index) => found.push([`${key}[${index}]`, child]))
  return found
}
