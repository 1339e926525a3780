import { isObject } from '../json.ts'

/**
 * The schema with every `$id` taken out and each reference to one made a JSON pointer into the schema. TypeBox's recursive types use
 * ids; Ajv keeps ids for the whole instance, where two plugins' `Node` would be one, and model clients follow pointers at best.
 */
export function withLocalReferences(schema: unknown): unknown {
  const pointers = new Map<string, string>()
  collect(schema, '#', pointers)
  return rewrite(schema, pointers)
}

function collect(value: unknown, pointer: string, pointers: Map<string, string>): void {
  if (Array.isArray(value)) value.forEach((item, index) => collect(item, `${pointer}/${index}`, pointers))
  else if (isObject(value)) {
    if (typeof value['$id'] === 'string' && !pointers.has(value['$id'])) pointers.set(value['$id'], pointer)
    for (const [key, child] of Object.entries(value)) collect(child, `${pointer}/${escape(key)}`, pointers)
  }
}

function rewrite(value: unknown, pointers: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => rewrite(item, pointers))
  if (!isObject(value)) return value
  const entries = Object.entries(value).flatMap(([key, child]): [string, unknown][] => {
    if (key === '$id' && typeof child === 'string') return []
    if (key === '$ref' && typeof child === 'string') return [[key, pointers.get(child) ?? child]]
    return [[key, rewrite(child, pointers)]]
  })
  return Object.fromEntries(entries)
}

function escape(key: string): string {
  return encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))
}
