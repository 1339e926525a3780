import { isRecord } from './is-record.ts'

const JSON_TYPES: ReadonlySet<unknown> = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'])

/**
 * What a client could not use, or would use differently than the author meant: things only TypeBox knows, types that are not JSON,
 * tuples of an older draft, properties without a description. One line each, with the path.
 */
export function schemaFaults(schema: unknown, path: string, root: unknown = schema): readonly string[] {
  if (typeof schema === 'boolean') return []
  if (!isRecord(schema)) return [`${path} is not a schema`]
  const faults: string[] = []
  for (const [hidden, maker] of [
    ['~refine', 'Type.Refine'],
    ['~codec', 'Type.Codec'],
  ] as const)
    if (hidden in schema) faults.push(`${path} is made with ${maker}, which is not in the JSON Schema: check the value in run`)
  for (const pattern of [
    schema['pattern'],
    ...Object.keys(isRecord(schema['patternProperties']) ? schema['patternProperties'] : {}),
  ])
    if (typeof pattern === 'string' && isUnusable(pattern))
      faults.push(
        `${path} has the pattern ${pattern.slice(0, 80)}, which the host cannot run in linear time: check the value in run`,
      )
  if (typeof schema['$ref'] === 'string' && !refersInside(root, schema['$ref']))
    faults.push(`${path} refers to ${schema['$ref']}, which is not a schema in it: refer to #/$defs/…`)
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
  return [...faults, ...children(schema).flatMap(([key, child]) => schemaFaults(child, `${path}.${key}`, root))]
}

/** What no engine runs in linear time, is no expression at all, or repeats what it repeats too often. */
function isUnusable(pattern: string): boolean {
  if (/\(\?(?:[=!]|<[=!])|\\[1-9]|\\k</.test(pattern)) return true
  const copies = [...pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].map(([, least, most]) =>
    Math.max(Number(least), Number(most ?? 0)),
  )
  if (copies.some((count) => count > 1_000) || copies.reduce((sum, count) => sum + count, 0) > 2_000) return true
  try {
    return !new RegExp(pattern, 'u')
  } catch {
    return true
  }
}

/** TypeBox refers by `$id`; the host makes a pointer of it. */
function refersInside(root: unknown, reference: string): boolean {
  if (!reference.startsWith('#')) return hasId(root, reference)
  const keys = reference
    .split('/')
    .slice(1)
    .map((key) => decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~'))
  const places = ['properties', '$defs', 'definitions', 'patternProperties', 'items', 'anyOf', 'oneOf', 'allOf', 'prefixItems']
  if (keys.length > 0 && !places.includes(keys[0] ?? '')) return false
  const target = keys.reduce<unknown>((at, key) => (isRecord(at) || Array.isArray(at) ? Reflect.get(at, key) : undefined), root)
  return isRecord(target) || typeof target === 'boolean'
}

function hasId(schema: unknown, id: string): boolean {
  if (Array.isArray(schema)) return schema.some((part) => hasId(part, id))
  return isRecord(schema) && (schema['$id'] === id || Object.values(schema).some((part) => hasId(part, id)))
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
