import { RE2JS } from 're2js'
import { isObject } from '../json.ts'
import { brief, type Fault } from './schema-fault.ts'

/** Keywords with values of the wrong kind, names that every object has, and patterns and comparisons that may take for ever. */
export function checkKeywords(schema: Readonly<Record<string, unknown>>, path: string, fault: Fault): void {
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

function isNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value)
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
