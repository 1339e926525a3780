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

/** Level by level: a schema may nest more deeply than the stack goes. */
function freeze(value: unknown): unknown {
  const found = [value]
  for (const one of found) {
    if (typeof one !== 'object' || one === null) continue
    for (const child of Object.values(one)) found.push(child)
    Object.freeze(one)
  }
  return value
}
