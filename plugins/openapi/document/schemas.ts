import { isObject, type JsonObject } from '../json.ts'
import { LeftOut } from './left-out.ts'
import { followed, pointed } from './references.ts'

/** More than the host accepts in a schema. */
const MAX_NODES = 20_000

/** Takes schemas out of a description, for one tool: their references become `#/$defs/…`, and `definitions` has what they reach. */
export class SchemaReader {
  readonly #document: JsonObject
  readonly #names = new Map<string, string>()
  readonly #definitions = new Map<string, unknown>()
  #nodes = 0

  constructor(document: JsonObject) {
    this.#document = document
  }

  /** What the schemas read so far refer to; undefined if nothing. */
  get definitions(): JsonObject | undefined {
    return this.#definitions.size > 0 ? Object.fromEntries(this.#definitions) : undefined
  }

  /** The schema without what says nothing to a caller. Throws `LeftOut` for references that cannot be followed and for what is too large. */
  read(schema: unknown): unknown {
    if (++this.#nodes > MAX_NODES) throw new LeftOut(`its schemas have more than ${MAX_NODES} parts`)
    if (!isObject(schema)) return typeof schema === 'boolean' ? schema : {}
    const read = Object.entries(schema).flatMap(([key, value]) => this.#keyword(key, value))
    return withoutReadOnly(withDefaultSaid(Object.fromEntries(read), schema['default']))
  }

  /** The schema itself, where it is only a reference. For decisions about its type. */
  shallow(schema: unknown): JsonObject {
    return followed(this.#document, schema)
  }

  #keyword(key: string, value: unknown): readonly (readonly [string, unknown])[] {
    if (key === '$ref') return [['$ref', this.#reference(String(value))]]
    if (key === '$dynamicRef' || key === '$recursiveRef') throw new LeftOut(`its schemas use ${key}`)
    if (DATA.has(key)) return [[key, value]]
    if (SCHEMA.has(key)) return [[key, this.read(value)]]
    if (LISTS.has(key)) return Array.isArray(value) ? [[key, value.map((each) => this.read(each))]] : []
    if (MAPS.has(key)) return isObject(value) ? [[key, this.#map(value)]] : []
    return []
  }

  #map(schemas: JsonObject): JsonObject {
    return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, this.read(schema)]))
  }

  #reference(reference: string): string {
    const known = this.#names.get(reference)
    if (known !== undefined) return `#/$defs/${known}`
    const target = pointed(this.#document, reference)
    const last = (reference.split('/').at(-1) ?? '').replaceAll(/[^A-Za-z0-9_.-]+/g, '_') || 'schema'
    const taken = new Set(this.#names.values())
    let name = last
    for (let more = 2; taken.has(name); more++) name = `${last}_${more}`
    // Before its schema is read: it may refer to itself.
    this.#names.set(reference, name)
    this.#definitions.set(name, {})
    this.#definitions.set(name, this.read(target))
    return `#/$defs/${name}`
  }
}

/**
 * Says the default in words. As a keyword the host would fill it in, and a change of one field would send every other one as well.
 */
function withDefaultSaid(schema: JsonObject, value: unknown): JsonObject {
  const text = value === undefined ? undefined : JSON.stringify(value)
  if (text === undefined || text.length > 200) return schema
  const { description } = schema
  const before = typeof description === 'string' ? description.trimEnd() : ''
  if (/\bdefault/i.test(before)) return schema
  return { ...schema, description: `${before}${before === '' ? '' : /[.!?:]$/.test(before) ? ' ' : '. '}Default: ${text}` }
}

/** A property that only responses have (`readOnly`) is not required in a request. */
function withoutReadOnly(schema: JsonObject): JsonObject {
  const { properties, required } = schema
  if (!isObject(properties)) return schema
  const names = Object.keys(properties).filter((name) => isObject(properties[name]) && properties[name]['readOnly'] === true)
  if (names.length === 0) return schema
  const kept = Object.entries(properties).filter(([name]) => !names.includes(name))
  return {
    ...schema,
    properties: Object.fromEntries(kept),
    ...(Array.isArray(required) && { required: required.filter((name) => !names.includes(String(name))) }),
  }
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))
const DATA = new Set([
  ...words('type format title description enum const deprecated readOnly writeOnly contentEncoding contentMediaType'),
  ...words('minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern'),
  ...words('minItems maxItems uniqueItems minContains maxContains minProperties maxProperties required dependentRequired'),
])
const SCHEMA = new Set([
  ...words('items additionalProperties not if then else contains propertyNames'),
  ...words('unevaluatedItems unevaluatedProperties contentSchema'),
])
const LISTS = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems'])
const MAPS = new Set(['properties', 'patternProperties', 'dependentSchemas', '$defs'])
