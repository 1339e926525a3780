import type { Static, TSchema } from 'typebox'
import { isObject } from '../json.ts'

/**
 * A check of values against one of the host's own schemas, for files that are read at every start: a thousand entries take TypeBox 40 ms,
 * and the reading of TypeBox 20 more. It says yes or no; what is wrong TypeBox tells. Throws for a schema with a keyword that it does
 * not know.
 */
export function compileCheck<Schema extends TSchema>(schema: Schema): (value: unknown) => value is Static<Schema> {
  const check = compile(schema)
  return (value): value is Static<Schema> => check(value)
}

type Check = (value: unknown) => boolean

interface Keywords {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minLength?: number
  readonly minimum?: number
  readonly items?: object
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, object>>
  readonly patternProperties?: Readonly<Record<string, object>>
  readonly additionalProperties?: boolean
}

const KNOWN: ReadonlySet<string> = new Set<keyof Keywords>([
  'type',
  'const',
  'enum',
  'pattern',
  'minLength',
  'minimum',
  'items',
  'required',
  'properties',
  'patternProperties',
  'additionalProperties',
])

function compile(schema: Keywords): Check {
  for (const keyword of Object.keys(schema))
    if (!KNOWN.has(keyword)) throw new TypeError(`compileCheck does not know the keyword ${keyword}`)
  if (schema.enum) return (value) => schema.enum?.includes(value) ?? false
  if ('const' in schema) return (value) => value === schema.const
  const { type } = schema
  if (type === 'object') return compileObject(schema)
  if (type === 'array') return compileArray(schema)
  if (type === 'string') return compileString(schema)
  if (type === 'integer') return (value) => Number.isInteger(value) && Number(value) >= (schema.minimum ?? -Infinity)
  if (type === 'boolean') return (value) => typeof value === 'boolean'
  throw new TypeError(`compileCheck does not know the type ${type}`)
}

function compileString({ pattern = '', minLength = 0 }: Keywords): Check {
  const matches = new RegExp(pattern, 'u')
  return (value) => typeof value === 'string' && value.length >= minLength && matches.test(value)
}

function compileArray({ items }: Keywords): Check {
  const check = items ? compile(items) : () => true
  return (value) => Array.isArray(value) && value.every(check)
}

/** One whose keys are not all known is refused: the schemas of files say so of each object. */
function compileObject({ required = [], properties = {}, patternProperties = {}, additionalProperties }: Keywords): Check {
  if (additionalProperties !== false) throw new TypeError('compileCheck knows objects without additional properties only')
  const named = new Map(Object.entries(properties).map(([key, of]) => [key, compile(of)]))
  const matched = Object.entries(patternProperties).map(([pattern, of]) => [new RegExp(pattern, 'u'), compile(of)] as const)
  const fitsKey = (key: string, value: unknown): boolean => {
    const byName = named.get(key)
    const byPattern = matched.filter(([pattern]) => pattern.test(key))
    if (!byName && byPattern.length === 0) return false
    return (byName?.(value) ?? true) && byPattern.every(([, check]) => check(value))
  }
  return (value) =>
    isObject(value) &&
    required.every((key) => Object.hasOwn(value, key)) &&
    Object.entries(value).every(([key, item]) => fitsKey(key, item))
}
