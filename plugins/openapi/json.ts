/** An object of a parsed document. */
export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An empty object for what is none. */
export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

/** An empty list for what is none. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** One step of a JSON pointer, as RFC 6901 writes it. */
export function pointerStep(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
