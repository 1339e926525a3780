import { RE2JS } from 're2js'
import type { TSchema } from 'typebox'
import { isObject } from '../../data/json.ts'
import { formats } from '../../data/schema/formats.ts'
import { expectation, given, kindOf, listed } from './expectation.ts'
import type { Fault, PathPart } from './fault.ts'
import { SECRET_NAME } from './mask.ts'
import { didYouMean } from './suggest.ts'

/**
 * Every fault of `value`, all at once and in words for the person who wrote it. A schema's `title` says in a few words what is
 * expected. Knows the keywords that configs are made of; {@link checksWhole} says whether a schema has others. Values of keys that
 * are secret, or sound like it, are never in a message. Uncompiled on purpose: a config is checked once, and Ajv would take 1.6 ms a schema.
 */
export function check(schema: Schema | TSchema, value: unknown, path: readonly PathPart[] = []): readonly Fault[] {
  const faults: Fault[] = []
  if (isObject(schema)) checkValue(schema, value, path, faults)
  return faults
}

/** Whether {@link check} understands all of `schema`. */
export function checksWhole(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(checksWhole)
  if (!isObject(schema)) return true
  return Object.entries(schema).every(([keyword, value]) => {
    if (keyword === 'patternProperties' && !(isObject(value) && Object.keys(value).join() === '^.*$')) return false
    if (keyword === 'properties' || keyword === 'patternProperties')
      return isObject(value) && Object.values(value).every(checksWhole)
    if (keyword === 'anyOf' || keyword === 'items' || keyword === 'additionalProperties') return checksWhole(value)
    return KEYWORDS.has(keyword)
  })
}

/** A JSON Schema, or a part of one. */
export type Schema = Readonly<Record<string, unknown>>

/** Whether a value at `path` must not be shown. */
export function isSecret(schema: Schema, path: readonly PathPart[]): boolean {
  return schema['writeOnly'] === true || path.some((part) => typeof part === 'string' && SECRET_NAME.test(part))
}

/** The values a schema allows, when it lists them. */
export function choices(schema: Schema): readonly unknown[] | undefined {
  if (Array.isArray(schema['enum'])) return schema['enum']
  if ('const' in schema) return [schema['const']]
  const branches = branchesOf(schema)
  return branches?.every((branch) => 'const' in branch) ? branches.map((branch) => branch['const']) : undefined
}

/** The branches of a union. */
export function branchesOf(schema: Schema): readonly Schema[] | undefined {
  return Array.isArray(schema['anyOf']) ? schema['anyOf'].filter(isObject) : undefined
}

/** The schema of the keys an object does not name; undefined where it has no such keys. */
export function unnamedSchema({ patternProperties, additionalProperties }: Schema): Schema | undefined {
  const patterned: unknown = isObject(patternProperties) ? Object.values(patternProperties)[0] : additionalProperties
  return isObject(patterned) ? patterned : patterned === true ? {} : undefined
}

const KEYWORDS = new Set(
  (
    'type enum const required title description default examples deprecated writeOnly readOnly minimum maximum exclusiveMinimum ' +
    'exclusiveMaximum multipleOf minLength maxLength pattern format minItems maxItems uniqueItems $id $schema'
  ).split(' '),
)

function checkValue(schema: Schema, value: unknown, path: readonly PathPart[], faults: Fault[]): void {
  const fault = (problem: string) => void faults.push({ path, problem })
  const got = () => `got ${isSecret(schema, path) ? kindOf(value) : given(value)}`
  const allowed = choices(schema)
  if (allowed) {
    if (allowed.includes(value)) return
    const hint = typeof value === 'string' && !isSecret(schema, path) ? didYouMean(value, allowed.filter(isString)) : ''
    return fault(`expected ${listed(allowed.map(given))}, ${got()}${hint}`)
  }
  const branches = branchesOf(schema)
  if (branches) return checkBranches(branches, value, path, faults)
  if (!fitsType(schema, value)) return fault(`expected ${expectation(schema)}, ${got()}`)
  if (typeof value === 'string' && !fitsString(schema, value)) fault(`expected ${expectation(schema)}, ${got()}`)
  if (typeof value === 'number' && !fitsNumber(schema, value)) fault(`expected ${expectation(schema)}, ${got()}`)
  if (Array.isArray(value)) checkArray(schema, value, path, faults)
  else if (isObject(value)) checkObject(schema, value, path, faults)
}

/** A union is checked as the one branch that can hold such a value: its faults say more than that no branch fits. */
function checkBranches(branches: readonly Schema[], value: unknown, path: readonly PathPart[], faults: Fault[]): void {
  const candidates = branches.filter((branch) => fitsType(branch, value))
  const results = candidates.map((branch) => check(branch, value, path))
  if (results.some((result) => result.length === 0)) return
  const problem = `expected ${branches.map(expectation).join(' or ')}, got ${kindOf(value)}`
  faults.push(...(results[0] ?? [{ path, problem }]))
}

/** What was meant is guessed for so many keys: each is compared with all that there are. */
const MOST_GUESSES = 50

function checkArray(schema: Schema, value: readonly unknown[], path: readonly PathPart[], faults: Fault[]): void {
  const { items, minItems = 0, maxItems = Infinity, uniqueItems } = schema
  if (value.length < Number(minItems) || value.length > Number(maxItems))
    faults.push({ path, problem: `expected ${expectation(schema)}, got ${value.length}` })
  if (uniqueItems === true && new Set(value.map((item) => JSON.stringify(item))).size < value.length)
    faults.push({ path, problem: 'the list has the same item twice' })
  if (isObject(items)) value.forEach((item, index) => checkValue(items, item, [...path, index], faults))
}

function checkObject(schema: Schema, value: Schema, path: readonly PathPart[], faults: Fault[]): void {
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  // A schema that says nothing of other keys has none in a config: an unknown key is a slip.
  const unnamed = unnamedSchema(schema) ?? (isObject(schema['properties']) ? undefined : {})
  for (const [key, child] of Object.entries(value)) {
    const part = Object.hasOwn(properties, key) ? properties[key] : unnamed
    const at = [...path, key]
    if (child === undefined) continue
    if (key === '__proto__') faults.push({ path: at, problem: 'this key belongs to every object; use another' })
    else if (isObject(part)) checkValue(part, child, at, faults)
    else
      faults.push({
        path: at,
        problem: `unknown key${faults.length < MOST_GUESSES ? didYouMean(key, Object.keys(properties)) : ''}`,
      })
  }
  for (const key of Array.isArray(schema['required']) ? schema['required'].filter(isString) : []) {
    const part = properties[key]
    if (value[key] === undefined && !(isObject(part) && 'default' in part))
      faults.push({ path: [...path, key], problem: 'is missing' })
  }
}

function fitsType(schema: Schema, value: unknown): boolean {
  const types = [schema['type']].flat()
  return types.some(
    (type) => type === undefined || (isString(type) && Object.hasOwn(typeTests, type) && typeTests[type]?.(value)),
  )
}

const typeTests: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: isString,
  integer: Number.isSafeInteger,
  number: Number.isFinite,
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
  array: Array.isArray,
  object: isObject,
}

function fitsNumber({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: Schema, value: number): boolean {
  return !(
    (typeof minimum === 'number' && value < minimum) ||
    (typeof maximum === 'number' && value > maximum) ||
    (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum) ||
    (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum) ||
    (typeof multipleOf === 'number' && !Number.isInteger(value / multipleOf))
  )
}

function fitsString(schema: Schema, value: string): boolean {
  const { minLength = 0, maxLength = Infinity, format } = schema
  const length = Array.from(value).length
  if (length < Number(minLength) || length > Number(maxLength)) return false
  if (patternOf(schema)?.test(value) === false) return false
  return typeof format !== 'string' || formats().fits(format, value)
}

const patterns = new WeakMap<Schema, RE2JS>()

/** A plugin chooses the pattern, and through a default the text as well: only a linear-time engine may run them. */
function patternOf(schema: Schema): RE2JS | undefined {
  if (!isString(schema['pattern'])) return undefined
  let compiled = patterns.get(schema)
  if (!compiled) patterns.set(schema, (compiled = RE2JS.compile(schema['pattern'])))
  return compiled
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}
