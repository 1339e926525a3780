/** A value that JSON can hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [key: string]: JsonValue
}

/** A JSON Schema of a plugin, as plain frozen JSON. */
export type JsonSchema = JsonObject

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * What `value` is on the wire: a JSON round trip drops functions, symbols and hidden members, and the deep freeze keeps it so.
 * Throws a TypeError for what JSON cannot hold at all (cycles, BigInt).
 */
export function frozenJson<Value>(value: unknown): Value {
  return freeze(JSON.parse(JSON.stringify(value))) as Value
}

function freeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const child of Object.values(value)) freeze(child)
  return Object.freeze(value)
}
