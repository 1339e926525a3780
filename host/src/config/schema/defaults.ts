import type { Static, TSchema } from 'typebox'
import { isObject } from '../../data/json.ts'

/**
 * A copy of `value`, which has passed `validate.ts`, with the schema's defaults wherever it has nothing, frozen to the bottom. Knows
 * the keywords that our configs are made of, not all of JSON Schema.
 */
export function withDefaults<Of extends TSchema>(schema: Of, value: unknown): Fixed<Static<Of>> {
  const filled: unknown = isObject(schema) ? freeze(fillDefaults(schema, value)) : value
  return filled as Fixed<Static<Of>>
}

/** Read-only to the bottom. */
export type Fixed<Value> = Value extends object ? { readonly [Key in keyof Value]: Fixed<Value[Key]> } : Value

type Schema = Readonly<Record<string, unknown>>

/** The same for a schema whose type is not known, not frozen. Nothing of `given` is changed or shared. */
export function fillDefaults(schema: Schema, given: unknown): unknown {
  const value = given === undefined ? structuredClone(schema['default']) : given
  if (Array.isArray(value))
    return value.map((item: unknown) => fillDefaults(isObject(schema['items']) ? schema['items'] : {}, item))
  if (!isPlain(value)) return value
  const branch = objectBranch(schema)
  const properties = isObject(branch['properties']) ? branch['properties'] : {}
  const others = isObject(branch['patternProperties']) ? Object.values(branch['patternProperties'])[0] : undefined
  const filled = new Map<string, unknown>()
  for (const key of new Set([...Object.keys(value), ...Object.keys(properties)])) {
    const part = Object.hasOwn(properties, key) ? properties[key] : others
    const next = fillDefaults(isObject(part) ? part : {}, value[key])
    if (next !== undefined) filled.set(key, next)
  }
  return Object.fromEntries(filled)
}

/** The branch of a union that an object can be. */
function objectBranch(schema: Schema): Schema {
  const branches = Array.isArray(schema['anyOf']) ? schema['anyOf'] : []
  return branches.find((branch): branch is Schema => isObject(branch) && branch['type'] === 'object') ?? schema
}

/** An object of ours and not of some class: those are passed on as they are. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isObject(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Freezes plain objects and arrays to the bottom; anything else is its own business. */
export function freeze<Value>(value: Value): Value {
  if (!Array.isArray(value) && !isPlain(value)) return value
  for (const child of Object.values<unknown>(value)) freeze(child)
  return Object.freeze(value)
}
