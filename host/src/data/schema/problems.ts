import type { ErrorObject } from 'ajv/dist/2020.js'
import { isObject } from '../json.ts'
import { brief } from './schema-fault.ts'
import { OWN_KEYWORDS } from './validation-schema.ts'

/** How many problems are told at once. */
const MOST_PROBLEMS = 10
/** How many names or values a problem lists. */
const MOST_NAMES = 20

/**
 * What is wrong with a value, each a line for a person or a model to act on: every problem once, in our words, a bounded number of them
 * and each of bounded length, whatever the value holds: none quotes it, for it may have marks in the place of long texts.
 */
export function problemsIn(errors: readonly ErrorObject[], value: unknown): readonly string[] {
  const lines = new Set<string>()
  const told = withoutBranches(errors)
  // What is of another type need not be told what its value should be.
  const mistyped = new Set(told.filter(({ keyword }) => keyword === 'type').map(({ instancePath }) => instancePath))
  for (const error of told) if (error.keyword === 'type' || !mistyped.has(error.instancePath)) lines.add(explain(error, value))
  const all = [...lines]
  const more = all.length - MOST_PROBLEMS
  return more > 0 ? [...all.slice(0, MOST_PROBLEMS), `and ${more} more`] : all
}

/** Of alternatives that all fail, only that is told: what is wrong with each of them is no advice. */
function withoutBranches(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')
  const isBranch = (error: ErrorObject) =>
    unions.some(
      (union) =>
        error !== union && isBelow(error.instancePath, union.instancePath) && error.schemaPath.startsWith(`${union.schemaPath}/`),
    )
  const told = unions.length === 0 ? errors : errors.filter((error) => !isBranch(error))
  // A condition that fails is told by what it asks for.
  return told.length > 1 ? told.filter(({ keyword }) => keyword !== 'if' && keyword !== 'propertyNames') : told
}

function isBelow(path: string, above: string): boolean {
  return path === above || path.startsWith(`${above}/`)
}

function explain(error: ErrorObject, value: unknown): string {
  const path = keysOf(error)
  const at = path.length ? named(path) : 'the value'
  const params = error.params as Readonly<Record<string, unknown>>
  const limit = brief(params['limit'])
  switch (error.keyword) {
    case 'required':
      return `${named([...path, String(params['missingProperty'])])} is missing`
    case 'dependentRequired':
      return `${named([...path, String(params['missingProperty'])])} is missing, which ${quote(String(params['property']))} needs`
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const name = String(params['additionalProperty'] ?? params['unevaluatedProperty'])
      const known = isObject(error.parentSchema?.['properties']) ? Object.keys(error.parentSchema['properties']) : []
      return `${named([...path, name])} is not a known property${known.length ? `; known are ${listed(known)}` : ''}`
    }
    case 'enum':
    case OWN_KEYWORDS.enum:
      return `${at} must be one of ${listed((error.schema as unknown[]).map(brief))}`
    case 'const':
      return `${at} must be ${brief(params['allowedValue'])}`
    case 'type':
      return `${at} must be ${typeNames(params['type'])}, not ${kindOf(valueAt(value, path))}`
    case 'anyOf':
    case 'oneOf':
      return `${at} ${alternatives(error, valueAt(value, path))}`
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return `${at} must be ${String(params['comparison'])} ${limit}`
    case 'multipleOf':
      return `${at} must be a multiple of ${brief(params['multipleOf'])}`
    case 'minLength':
    case 'maxLength':
      return `${at} must have at ${error.keyword === 'minLength' ? 'least' : 'most'} ${limit} characters`
    case 'minItems':
    case 'maxItems':
      return `${at} must have at ${error.keyword === 'minItems' ? 'least' : 'most'} ${limit} items`
    case 'minProperties':
    case 'maxProperties':
      return `${at} must have at ${error.keyword === 'minProperties' ? 'least' : 'most'} ${limit} properties`
    case 'pattern':
      return `${at} must match pattern ${brief(params['pattern'])}`
    case 'format':
      return `${at} must be in the format ${brief(params['format'])}`
    case 'uniqueItems':
    case OWN_KEYWORDS.uniqueItems:
      return `${at} must not have the same item twice`
    case 'contains':
      return `${at} must have at least ${brief(params['minContains'])} items of the wanted kind`
    case 'unevaluatedItems':
      return `${at} has more items than it may`
    case 'propertyNames':
      return `${named([...path, String(params['propertyName'])])} is not a name that it may have`
    case 'not':
      return `${at} must not be what it is`
    case 'false schema':
      return `${at} must not be given`
    default:
      return `${at} is not valid`
  }
}

/** What the schema accepts in place of the value: constants, types, or one of several forms. */
function alternatives({ schema, keyword, params }: ErrorObject, value: unknown): string {
  if (keyword === 'oneOf' && Array.isArray((params as Record<string, unknown>)['passingSchemas']))
    return 'fits several of its forms, and must fit one'
  const branches = (Array.isArray(schema) ? schema : []).filter(isObject)
  const constants = branches.flatMap((branch) =>
    'const' in branch ? [branch['const']] : Array.isArray(branch['enum']) ? branch['enum'] : [],
  )
  if (branches.every((branch) => 'const' in branch || Array.isArray(branch['enum'])))
    return `must be one of ${listed(constants.map(brief))}`
  const types = new Set(branches.flatMap((branch) => [branch['type'] ?? []].flat()))
  if (types.size > 0 && branches.every((branch) => branch['type'] !== undefined) && !types.has(jsonType(value)))
    return `must be ${typeNames([...types])}, not ${kindOf(value)}`
  return `fits none of its ${branches.length} forms`
}

function jsonType(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value
}

function keysOf({ instancePath }: ErrorObject): readonly string[] {
  return instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** A name from outside may be as long as a message. */
function named(path: readonly string[]): string {
  return quote(path.join('.'))
}

function quote(name: string): string {
  return `\`${name.length > 200 ? `${name.slice(0, 200)}…` : name}\``
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).map((name) => (name.length > 100 ? `${name.slice(0, 100)}…` : name))
  return `${shown.join(', ')}${names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : ''}`
}

/** The value at a path; undefined where there is none. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? (at as Record<string, unknown>)[key] : undefined,
    value,
  )
}

/** Where the errors say that a null does not belong: properties that may count as not given. */
export function nullsAt(errors: readonly ErrorObject[], value: unknown): readonly (readonly string[])[] {
  const found = new Map<string, readonly string[]>()
  for (const error of errors) {
    const path = keysOf(error)
    if (path.length === 0 || found.has(error.instancePath) || valueAt(value, path) !== null) continue
    if (isObject(valueAt(value, path.slice(0, -1)))) found.set(error.instancePath, path)
  }
  return [...found.values()]
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'nothing'
  return article(Array.isArray(value) ? 'array' : typeof value)
}

function typeNames(types: unknown): string {
  return (Array.isArray(types) ? types : String(types).split(','))
    .map((type) => (type === 'null' ? 'null' : article(String(type))))
    .join(' or ')
}

function article(type: string): string {
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`
}
