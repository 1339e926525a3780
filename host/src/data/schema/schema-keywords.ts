import { isObject } from '../json.ts'
import { patternCost, PATTERN_LIMITS } from './pattern-cost.ts'
import { brief, type Fault } from './schema-fault.ts'
import { isDraft7, records, several, single } from './subschemas.ts'

/** Keywords with values of the wrong kind, names that every object has, and patterns that cost too much. */
export function checkKeywords(
  schema: Readonly<Record<string, unknown>>,
  path: string,
  { fault, patterns, draft7 }: Checking,
): void {
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
  if (typeof schema['pattern'] === 'string') checkPattern(schema['pattern'], `${path}/pattern`, { fault, patterns })
  if (isObject(schema['patternProperties']))
    for (const pattern of Object.keys(schema['patternProperties']))
      checkPattern(pattern, `${path}/patternProperties/${brief(pattern)}`, { fault, patterns })
  if (Array.isArray(schema['items']) && !draft7)
    fault(
      `${path}/items`,
      'is an array, the draft-07 form of a tuple',
      'Use prefixItems: Type.Unsafe({ type: "array", prefixItems: [ … ], items: false })',
    )
}

/** What a walk over a schema collects. */
export interface Checking {
  readonly fault: Fault
  /** The states of all patterns so far. */
  readonly patterns: { states: number }
  readonly draft7: boolean
}

/** How a walk over `root` begins. */
export function checking(root: Readonly<Record<string, unknown>>, fault: Fault): Checking {
  return { fault, patterns: { states: 0 }, draft7: isDraft7(root) }
}

function checkPattern(pattern: string, path: string, { fault, patterns }: Pick<Checking, 'fault' | 'patterns'>): void {
  const cost = patternCost(pattern)
  if (typeof cost === 'object')
    return fault(
      path,
      `${brief(pattern)} ${cost.problem}`,
      'Leave out look-around, back-references and large repetitions, or check the value in run',
    )
  const before = patterns.states
  patterns.states += cost
  if (before <= PATTERN_LIMITS.statesOfAll && patterns.states > PATTERN_LIMITS.statesOfAll)
    fault(
      path,
      `is one pattern too many: all of them need automata of more than ${PATTERN_LIMITS.statesOfAll} states`,
      'Check some of the values in run',
    )
}

const kinds: Readonly<Record<string, (value: unknown) => boolean>> = {
  ...kindOf(single, isSchema),
  ...kindOf(several, isList),
  ...kindOf(records, isObject),
  type: (value) => {
    const names: unknown[] = [value].flat()
    return names.length > 0 && new Set(names).size === names.length && names.every((name) => TYPES.has(name))
  },
  enum: (value) => Array.isArray(value) && value.length > 0,
  required: (value) => isStrings(value),
  dependentRequired: (value) => isObject(value) && Object.values(value).every(isStrings),
  minimum: isNumber,
  maximum: isNumber,
  exclusiveMinimum: isNumber,
  exclusiveMaximum: isNumber,
  multipleOf: (value) => isNumber(value) && value > 0,
  minLength: isCount,
  maxLength: isCount,
  minItems: isCount,
  maxItems: isCount,
  minContains: isCount,
  maxContains: isCount,
  minProperties: isCount,
  maxProperties: isCount,
  uniqueItems: (value) => typeof value === 'boolean',
  pattern: (value) => typeof value === 'string',
  format: (value) => typeof value === 'string',
  description: (value) => typeof value === 'string',
  title: (value) => typeof value === 'string',
  items: (value) => isSchema(value) || Array.isArray(value),
}
const TYPES: ReadonlySet<unknown> = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'])
/** Names that mean something to every object: Ajv reads `required: ["__proto__"]` as satisfied by `{}`. */
const FORBIDDEN_NAMES = new Set(['__proto__', 'constructor', 'prototype'])

function kindOf(keys: readonly string[], kind: (value: unknown) => boolean): Record<string, typeof kind> {
  return Object.fromEntries(keys.map((key) => [key, kind]))
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function isSchema(value: unknown): boolean {
  return typeof value === 'boolean' || isObject(value)
}

function isList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0
}
