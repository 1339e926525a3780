import { isObject, type JsonSchema, type JsonValue } from '../json.ts'
import { lookUp } from './schema-references.ts'
import { isDraft7, records, several, single } from './subschemas.ts'

/** Keywords of ours for Ajv, in place of its own where those take quadratic time. */
export const OWN_KEYWORDS = Object.freeze({ enum: 'host:enum', uniqueItems: 'host:uniqueItems' })

/**
 * What of a schema decides whether a value fits: the keywords of JSON Schema 2020-12, and the formats that are known. Everything else is
 * an annotation (Core, section 6.5; Validation, section 7.2.1) and is left out, so no keyword of a generator, of OpenAPI or of the
 * validator's own can stop a schema from compiling or mean something else than it says. Tuples and dependencies of draft-07 are written as
 * 2020-12 has them, and references as `#/$defs/…`. The schema must have passed `schemaFaults`.
 */
export function validationSchema(root: JsonSchema, formats: ReadonlySet<string>): JsonSchema {
  const draft7 = isDraft7(root)
  const names = new Map<unknown, string>()
  const targets: unknown[] = []
  /** Where what a reference leads to is put. */
  const placeOf = (target: unknown): string => {
    if (target === root) return '#'
    let name = names.get(target)
    if (name === undefined) {
      names.set(target, (name = `#/$defs/${targets.length}`))
      targets.push(target)
    }
    return name
  }

  function write(schema: JsonValue): JsonValue {
    if (!isObject(schema)) return schema
    const written: Record<string, JsonValue> = {}
    const nested: JsonSchema = schema
    for (const key of ASSERTIONS) if (nested[key] !== undefined) written[key] = nested[key]
    for (const key of single) {
      const child = nested[key]
      if (child !== undefined && !Array.isArray(child) && key !== 'additionalItems') written[key] = write(child)
    }
    for (const key of several) if (Array.isArray(nested[key])) written[key] = nested[key].map(write)
    for (const key of records) {
      const record = nested[key]
      if (!isObject(record) || ELSEWHERE.has(key)) continue
      written[key] = Object.fromEntries(Object.entries(record).map(([name, child]) => [name, write(child)]))
    }
    writeReference(nested, written)
    if (draft7) modernise(nested, written)
    if (typeof nested['format'] === 'string' && formats.has(nested['format'])) written['format'] = nested['format']
    if (nested['nullable'] === true && written['type'] !== undefined) written['type'] = withNull(written['type'])
    if (nested['enum']) written[isLong(nested['enum']) ? OWN_KEYWORDS.enum : 'enum'] = nested['enum']
    if (nested['uniqueItems'] === true) written[hasCheapItems(nested) ? 'uniqueItems' : OWN_KEYWORDS.uniqueItems] = true
    return written
  }

  function writeReference(schema: JsonSchema, written: Record<string, JsonValue>): void {
    const reference = schema['$ref'] ?? schema['$dynamicRef']
    if (typeof reference !== 'string') return
    written['$ref'] = placeOf(lookUp(root, reference))
  }

  function modernise(schema: JsonSchema, written: Record<string, JsonValue>): void {
    if (Array.isArray(schema['items'])) {
      written['prefixItems'] = written['items'] ?? []
      delete written['items']
      if (schema['additionalItems'] !== undefined) written['items'] = write(schema['additionalItems'])
    }
    if (!isObject(schema['dependencies'])) return
    const all = Object.entries(schema['dependencies'])
    written['dependentRequired'] = Object.fromEntries(all.filter(([, wanted]) => Array.isArray(wanted)))
    written['dependentSchemas'] = Object.fromEntries(
      all.filter(([, wanted]) => !Array.isArray(wanted)).map(([name, wanted]) => [name, write(wanted)]),
    )
  }

  const whole = write(root) as Record<string, JsonValue>
  const definitions: Record<string, JsonValue> = {}
  // Written one after the other: what they refer to comes after them.
  for (let at = 0; at < targets.length; at += 1) definitions[at] = write(targets[at] as JsonValue)
  return targets.length === 0 ? whole : { ...whole, $defs: definitions }
}

/** Keywords that hold no schema and are taken as they are. */
const ASSERTIONS = [
  'const',
  'dependentRequired',
  'exclusiveMaximum',
  'exclusiveMinimum',
  'maxContains',
  'maxItems',
  'maxLength',
  'maxProperties',
  'maximum',
  'minContains',
  'minItems',
  'minLength',
  'minProperties',
  'minimum',
  'multipleOf',
  'pattern',
  'required',
  'type',
]
/** Records that are written by themselves. */
const ELSEWHERE: ReadonlySet<string> = new Set(['$defs', 'definitions', 'dependencies'])

/** OpenAPI 3.0 says so of what may be null. */
function withNull(type: JsonValue): JsonValue {
  const types = [type].flat()
  return types.includes('null') ? types : [...types, 'null']
}

/** Ajv compares a value with one after the other: a million items with a thousand each took 10 s. */
function isLong(values: JsonValue): boolean {
  return Array.isArray(values) && values.length > 32
}

/** Ajv compares objects pairwise, 758 ms for 4,000 of them, and scalars by a table. */
function hasCheapItems({ items }: JsonSchema): boolean {
  const types: unknown[] = isObject(items) ? [items['type']].flat() : []
  return types.length > 0 && types.every((type) => typeof type === 'string' && SCALARS.has(type))
}
const SCALARS: ReadonlySet<string> = new Set(['boolean', 'integer', 'number', 'string'])
