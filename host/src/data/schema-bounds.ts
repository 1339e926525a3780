import { RE2JS } from 're2js'
import { isObject } from './json.ts'

/** What a schema from a plugin may be at most. Schemas are hostile input: compiling or checking them runs in the host. */
export const SCHEMA_LIMITS = Object.freeze({ bytes: 65_536, depth: 16, subschemas: 500, expanded: 5_000 })

/** One thing wrong with a schema: where (`#/properties/a`), what, what to write instead. */
export interface SchemaFault {
  readonly path: string
  readonly problem: string
  readonly fix: string
}

/**
 * Every fault of a plugin's schema, without compiling it: size, depth, unknown dialects, references that leave it or repeat without
 * end, patterns that no linear-time engine takes, keywords with values of the wrong kind. Empty means that Ajv can have it.
 */
export function schemaFaults(schema: unknown, { root }: { root: 'object' | 'any' }): readonly SchemaFault[] {
  const faults: SchemaFault[] = []
  const fault = (path: string, problem: string, fix: string) => void faults.push({ path, problem, fix })
  if (!isObject(schema)) {
    fault('#', `the schema is ${schema === null ? 'null' : `a ${typeof schema}`}, not an object`, 'Write: Type.Object({ … })')
    return faults
  }
  if (root === 'object' && schema['type'] !== 'object')
    fault(
      '#/type',
      `is ${JSON.stringify(schema['type']) ?? 'missing'}`,
      "MCP wants type: 'object' at the root of an input schema",
    )
  if (JSON.stringify(schema).length > SCHEMA_LIMITS.bytes)
    fault('#', `is longer than ${SCHEMA_LIMITS.bytes} bytes`, 'Split the tool into smaller ones')
  const dialect = schema['$schema']
  if (
    dialect !== undefined &&
    !(typeof dialect === 'string' && /^https?:\/\/json-schema\.org\/(draft\/2020-12|draft-07)\/schema#?$/.test(dialect))
  )
    fault(
      '#/$schema',
      `${JSON.stringify(dialect)} is not a dialect this host knows`,
      'Use JSON Schema 2020-12, which is the default without $schema',
    )
  const count = walk(schema, fault)
  if (count > SCHEMA_LIMITS.subschemas)
    fault(
      '#',
      `has ${count} subschemas, ${SCHEMA_LIMITS.subschemas} are allowed`,
      'Split the tool, or accept a string and parse it yourself',
    )
  if (faults.length === 0) checkReferences(schema, fault)
  return faults
}

type Fault = (path: string, problem: string, fix: string) => void

/** Keywords that hold one schema, an array of schemas, or a record of schemas. */
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
const several = ['allOf', 'anyOf', 'oneOf', 'prefixItems']
const records = ['$defs', 'definitions', 'dependentSchemas', 'patternProperties', 'properties']
/** Those that look at the same value as the schema they stand in. */
const inPlace = new Set(['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependentSchemas'])

const kinds: Readonly<Record<string, (value: unknown) => boolean>> = {
  type: (value) => [value].flat().every((name) => typeof name === 'string' && TYPES.has(name)) && [value].flat().length > 0,
  enum: Array.isArray,
  required: (value) => isStrings(value),
  minimum: isNumber,
  maximum: isNumber,
  exclusiveMinimum: isNumber,
  exclusiveMaximum: isNumber,
  multipleOf: (value) => isNumber(value) && (value as number) > 0,
  minLength: isCount,
  maxLength: isCount,
  minItems: isCount,
  maxItems: isCount,
  minProperties: isCount,
  maxProperties: isCount,
  uniqueItems: (value) => typeof value === 'boolean',
  pattern: (value) => typeof value === 'string',
  format: (value) => typeof value === 'string',
  description: (value) => typeof value === 'string',
  title: (value) => typeof value === 'string',
}
const TYPES = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'])
/** Names that mean something to every object: Ajv reads `required: ["__proto__"]` as satisfied by `{}`. */
const FORBIDDEN_NAMES = new Set(['__proto__', 'constructor', 'prototype'])

/** Visits every subschema once and returns how many there are; stops looking where the bounds are passed. */
function walk(root: Readonly<Record<string, unknown>>, fault: Fault): number {
  let count = 0
  const stack: { schema: unknown; path: string; depth: number }[] = [{ schema: root, path: '#', depth: 0 }]
  for (let next = stack.pop(); next && count <= SCHEMA_LIMITS.subschemas; next = stack.pop()) {
    const { schema, path, depth } = next
    count += 1
    if (typeof schema === 'boolean') continue
    if (!isObject(schema)) {
      fault(path, 'is not a schema', 'Give an object or a boolean')
      continue
    }
    if (depth > SCHEMA_LIMITS.depth) {
      fault(path, `is nested deeper than ${SCHEMA_LIMITS.depth}`, 'Flatten the schema')
      continue
    }
    checkKeywords(schema, path, fault)
    for (const [key, child] of children(schema)) stack.push({ schema: child, path: `${path}/${key}`, depth: depth + 1 })
  }
  return stack.length ? count + stack.length : count
}

function checkKeywords(schema: Readonly<Record<string, unknown>>, path: string, fault: Fault): void {
  for (const [key, value] of Object.entries(schema)) {
    const allowed = Object.hasOwn(kinds, key) ? kinds[key] : undefined
    if (allowed && !allowed(value))
      fault(`${path}/${key}`, `has the value ${brief(value)}, which JSON Schema does not allow there`, `Correct ${key}`)
  }
  for (const name of [
    ...Object.keys(isObject(schema['properties']) ? schema['properties'] : {}),
    ...(isStrings(schema['required']) ? schema['required'] : []),
  ])
    if (FORBIDDEN_NAMES.has(name))
      fault(path, `has a property named ${name}`, 'Rename it: this name belongs to every JavaScript object')
  for (const pattern of [
    schema['pattern'],
    ...Object.keys(isObject(schema['patternProperties']) ? schema['patternProperties'] : {}),
  ])
    if (typeof pattern === 'string') checkPattern(pattern, path, fault)
  if (schema['uniqueItems'] === true && !hasCheapItems(schema))
    fault(
      `${path}/uniqueItems`,
      'compares objects pairwise without a bound',
      'Add maxItems of at most 500, or let items be strings, numbers or booleans',
    )
  if (Array.isArray(schema['items']))
    fault(
      `${path}/items`,
      'is an array, the draft-07 form of a tuple',
      'Use prefixItems: Type.Unsafe({ type: "array", prefixItems: [ … ], items: false })',
    )
}

/** Ajv's uniqueItems is quadratic for objects: 758 ms for 4,000 of them were measured. */
function hasCheapItems(schema: Readonly<Record<string, unknown>>): boolean {
  const { items, maxItems } = schema
  if (typeof maxItems === 'number' && maxItems <= 500) return true
  const types = isObject(items) ? [items['type']].flat() : []
  return (
    types.length > 0 && types.every((type) => type === 'string' || type === 'number' || type === 'integer' || type === 'boolean')
  )
}

function checkPattern(pattern: string, path: string, fault: Fault): void {
  try {
    RE2JS.compile(pattern)
  } catch (error) {
    fault(
      `${path}/pattern`,
      `${brief(pattern)} cannot run in linear time: ${error instanceof Error ? error.message : String(error)}`,
      'Leave out look-around and back-references, or check the value in run',
    )
  }
}

/** References must stay inside the schema, must exist, and must not make checking one value cost without bound. */
function checkReferences(root: Readonly<Record<string, unknown>>, fault: Fault): void {
  const costs = new Map<unknown, number | 'open'>()
  const cost = (schema: unknown, path: string, open: ReadonlySet<unknown>): number => {
    if (!isObject(schema)) return 1
    const known = costs.get(schema)
    if (typeof known === 'number') return known
    // A cycle through properties or items is a recursive type and ends with the value; one that stays on the value never ends.
    if (known === 'open') {
      if (open.has(schema))
        fault(path, 'refers to itself without going into the value', 'Put the reference below properties or items')
      return 1
    }
    costs.set(schema, 'open')
    let total = 1
    const stay = new Set(open).add(schema)
    for (const [key, child] of children(schema)) {
      const keyword = key.split('/', 1)[0] ?? key
      if (keyword === '$defs' || keyword === 'definitions') continue
      total += cost(child, `${path}/${key}`, inPlace.has(keyword) ? stay : new Set())
    }
    for (const keyword of ['$ref', '$dynamicRef']) {
      const reference = schema[keyword]
      if (reference === undefined) continue
      const target = typeof reference === 'string' ? lookUp(root, reference) : undefined
      if (target === undefined) {
        fault(
          `${path}/${keyword}`,
          `${brief(reference)} is not in this schema`,
          'Refer only to #/$defs/… or an $anchor of the same schema',
        )
        continue
      }
      total += cost(target, `${path}/${keyword}`, stay)
    }
    total += repeatedRecursion(schema, path, fault)
    const capped = Math.min(total, SCHEMA_LIMITS.expanded + 1)
    costs.set(schema, capped)
    return capped
  }
  const recursive = recursiveTargets(root)
  function repeatedRecursion(schema: Readonly<Record<string, unknown>>, path: string, report: Fault): number {
    for (const keyword of several) {
      const branches = schema[keyword]
      if (!Array.isArray(branches) || keyword === 'prefixItems') continue
      const seen = new Set<string>()
      for (const branch of branches) {
        if (!mentions(branch, recursive)) continue
        const type = isObject(branch) && typeof branch['type'] === 'string' ? branch['type'] : 'any'
        if (seen.has(type) || (type === 'any' && seen.size > 0) || seen.has('any'))
          report(
            `${path}/${keyword}`,
            'has several branches that recurse into the same kind of value',
            'Give the recursive branches different types, or move the recursion out',
          )
        seen.add(type)
      }
    }
    return 0
  }
  const total = cost(root, '#', new Set())
  if (total > SCHEMA_LIMITS.expanded)
    fault('#', 'costs too much to check: its references multiply', 'Flatten the branches that refer to each other')
}

/** Every `$ref` whose target contains that reference again. */
function recursiveTargets(root: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const found = new Set<string>()
  const reaches = (schema: unknown, target: unknown, seen: Set<unknown>): boolean => {
    if (!isObject(schema) || seen.has(schema)) return false
    seen.add(schema)
    if (typeof schema['$ref'] === 'string') {
      const next = lookUp(root, schema['$ref'])
      if (next === target || reaches(next, target, seen)) return true
    }
    return children(schema).some(([, child]) => child === target || reaches(child, target, seen))
  }
  const visit = (schema: unknown): void => {
    if (!isObject(schema)) return
    const reference = schema['$ref']
    if (typeof reference === 'string' && !found.has(reference)) {
      const target = lookUp(root, reference)
      if (target === root || (target !== undefined && reaches(target, target, new Set()))) found.add(reference)
    }
    for (const [, child] of children(schema)) visit(child)
  }
  visit(root)
  return found
}

function mentions(schema: unknown, references: ReadonlySet<string>): boolean {
  if (!isObject(schema)) return false
  if (typeof schema['$ref'] === 'string' && references.has(schema['$ref'])) return true
  return children(schema).some(([, child]) => mentions(child, references))
}

/** The schema that a reference inside `root` points at: `#`, a JSON pointer, or an anchor. */
function lookUp(root: Readonly<Record<string, unknown>>, reference: string): unknown {
  if (reference === '#') return root
  if (!reference.startsWith('#')) return undefined
  if (!reference.startsWith('#/')) return findAnchor(root, reference.slice(1))
  let target: unknown = root
  for (const part of reference.slice(2).split('/')) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof target !== 'object' || target === null || !Object.hasOwn(target, key)) return undefined
    target = (target as Record<string, unknown>)[key]
  }
  return target
}

function findAnchor(schema: unknown, anchor: string): unknown {
  if (!isObject(schema)) return undefined
  if (schema['$anchor'] === anchor || schema['$dynamicAnchor'] === anchor) return schema
  for (const [, child] of children(schema)) {
    const found = findAnchor(child, anchor)
    if (found !== undefined) return found
  }
  return undefined
}

function children(schema: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
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

function isNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value)
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function brief(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 80)
}
