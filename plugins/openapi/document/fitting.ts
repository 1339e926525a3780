import { isObject, objectOf, type JsonObject } from '../json.ts'

/** What the host takes of the input of one tool, and a little less: the rest of its words are the tool's own. */
const MAX_BYTES = 65_000
const MAX_SUBSCHEMAS = 490

/**
 * The input schema of a tool as large as the host takes it: whole if it fits, else with shorter texts, else without what is far from its
 * root. What is left out takes any value, and says whose fields it has; the service checks it.
 */
export function fitted(schema: JsonObject): JsonObject {
  if (fits(schema)) return schema
  const short = withShortTexts(schema, SHORT)
  if (fits(short)) return short
  const bare = withShortTexts(schema, 0)
  for (let distance = 8; distance > 0; distance--) {
    const near = [short, bare].map((one) => nearRoot(one, distance)).find(fits)
    if (near) return near
  }
  return bare
}

/** The first sentence, mostly. */
const SHORT = 120

function fits(schema: JsonObject): boolean {
  return countOf(schema) <= MAX_SUBSCHEMAS && JSON.stringify(schema).length <= MAX_BYTES
}

/** Schemas within it, itself included: objects that are not mere containers of named schemas. */
function countOf(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, each: unknown) => sum + countOf(each), 0)
  if (!isObject(value)) return 0
  return Object.entries(value).reduce((sum, [key, each]) => {
    if (DATA.has(key)) return sum
    return (
      sum + (NAMED.has(key) ? Object.values(objectOf(each)).reduce<number>((all, one) => all + countOf(one), 0) : countOf(each))
    )
  }, 1)
}

/** Texts of at most `length` characters; of the arguments themselves they stay whole. */
function withShortTexts(schema: JsonObject, length: number): JsonObject {
  const shorten = (value: unknown, isNamed: boolean): unknown => {
    if (Array.isArray(value)) return value.map((each: unknown) => shorten(each, false))
    if (!isObject(value)) return value
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, each]): readonly (readonly [string, unknown])[] => {
        if (isNamed) return [[key, shorten(each, false)]]
        if (key === 'title') return []
        if (key === 'description') return length === 0 ? [] : [[key, cut(String(each), length)]]
        return [[key, DATA.has(key) ? each : shorten(each, NAMED.has(key))]]
      }),
    )
  }
  const { properties, $defs, ...rest } = schema
  const own = Object.entries(objectOf(properties)).map(([name, property]) => {
    const { description } = objectOf(property)
    return [name, { ...objectOf(shorten(property, false)), ...(description !== undefined && { description }) }] as const
  })
  return { ...rest, properties: Object.fromEntries(own), ...($defs !== undefined && { $defs: shorten($defs, true) }) }
}

function cut(text: string, length: number): string {
  const sentence = text.slice(0, length + 1).lastIndexOf('. ')
  if (text.length <= length) return text
  return sentence > 20 ? text.slice(0, sentence + 1) : `${text.slice(0, length).toWellFormed()}…`
}

/** Without the definitions that are more than `distance` references away. */
function nearRoot({ $defs, ...root }: JsonObject, distance: number): JsonObject {
  const definitions = objectOf($defs)
  const kept = new Set<string>()
  let reached = referencesIn(root)
  for (let hops = 0; hops < distance; hops++) {
    const fresh = [...reached].filter((name) => !kept.has(name))
    for (const name of fresh) kept.add(name)
    reached = new Set(fresh.flatMap((name) => [...referencesIn(definitions[name])]))
  }
  const replaced = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(replaced)
    if (!isObject(value)) return value
    const name = nameIn(value['$ref'])
    if (name !== undefined && !kept.has(name))
      return { description: `${name.split('.').at(-1)}: its fields are in the documentation of the API` }
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, DATA.has(key) ? each : replaced(each)]))
  }
  const near = Object.entries(definitions).filter(([name]) => kept.has(name))
  return { ...objectOf(replaced(root)), $defs: Object.fromEntries(near.map(([name, each]) => [name, replaced(each)])) }
}

function referencesIn(value: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const each of value) referencesIn(each, found)
  if (!isObject(value)) return found
  const name = nameIn(value['$ref'])
  if (name !== undefined) found.add(name)
  for (const [key, each] of Object.entries(value)) if (!DATA.has(key)) referencesIn(each, found)
  return found
}

function nameIn(reference: unknown): string | undefined {
  return typeof reference === 'string' && reference.startsWith('#/$defs/') ? reference.slice('#/$defs/'.length) : undefined
}

const DATA = new Set(['enum', 'const', 'required', 'dependentRequired'])
const NAMED = new Set(['properties', 'patternProperties', 'dependentSchemas', '$defs'])
