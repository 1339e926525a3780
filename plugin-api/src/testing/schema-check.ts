import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { isRecord } from './is-record.ts'

/**
 * What is wrong with `value` by `schema`, one line each, as the host sees it: the schema as plain JSON, so that what TypeBox alone
 * knows (`Refine`, `Codec`) does not count.
 */
export function mismatches(schema: TSchema, value: unknown): readonly string[] {
  const plain = plainJson<TSchema>(schema)
  if (Value.Check(plain, value)) return []
  return Value.Errors(plain, value)
    .filter(({ keyword }) => keyword !== 'boolean') // comes along with additionalProperties and says less
    .map(({ instancePath, message, params }) => {
      const at = instancePath === '' ? 'the value' : `\`${instancePath.slice(1).replaceAll('/', '.')}\``
      const extra = 'additionalProperties' in params ? `: ${params.additionalProperties.join(', ')}` : ''
      return `${at} ${message}${extra}`
    })
}

/**
 * Arguments as the host completes them before a tool runs: defaults are filled in, and a null where none is allowed counts as not given.
 * `given` is changed.
 */
export function completed(schema: TSchema, given: unknown): unknown {
  const plain = plainJson<TSchema>(schema)
  fill(plain, given)
  if (Value.Check(plain, given)) return given
  const nulls = Value.Errors(plain, given).filter(({ instancePath }) => dropNull(given, instancePath))
  if (nulls.length > 0) fill(plain, given)
  return given
}

/** TypeBox fills in no default of an optional property. */
function fill(schema: unknown, value: unknown): void {
  if (!isRecord(schema)) return
  if (Array.isArray(value)) for (const item of value) fill(schema['items'], item)
  if (!isRecord(value)) return
  for (const part of Array.isArray(schema['allOf']) ? schema['allOf'] : []) fill(part, value)
  for (const [key, property] of Object.entries(isRecord(schema['properties']) ? schema['properties'] : {}))
    if (isRecord(property)) {
      if (!Object.hasOwn(value, key) && property['default'] !== undefined) value[key] = structuredClone(property['default'])
      if (Object.hasOwn(value, key)) fill(property, value[key])
    }
}

/** Takes a property out that is null. Says whether it was one. */
function dropNull(value: unknown, instancePath: string): boolean {
  const keys = instancePath
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  const last = keys.pop()
  const parent = keys.reduce<unknown>((at, key) => (isRecord(at) || Array.isArray(at) ? Reflect.get(at, key) : undefined), value)
  return last !== undefined && isRecord(parent) && parent[last] === null && Reflect.deleteProperty(parent, last)
}

/** `value` after a JSON round trip: what reaches the other side. Throws a TypeError for a value that JSON cannot represent. */
export function plainJson<Value = unknown>(value: unknown): Value {
  const json: string | undefined = JSON.stringify(value)
  if (json === undefined) throw new TypeError(`JSON cannot hold a value of type ${typeof value}`)
  return JSON.parse(json) as Value
}
