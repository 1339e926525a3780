import type { JsonValue } from '../../data/json.ts'
import { childPath } from '../../data/canonical-json.ts'

/** One place where two JSON values differ. Absent `before`: added; absent `after`: removed. */
export interface JsonChange {
  /** Like `description` or `inputSchema.properties.repo.type`; `$` for the whole value. */
  readonly field: string
  readonly before?: JsonValue
  readonly after?: JsonValue
}

/** Every place where `after` differs from `before`, as deep as possible, by key. The order of keys is no difference. */
export function compareJson(before: JsonValue, after: JsonValue): JsonChange[] {
  return compareAt('$', before, after)
}

function compareAt(path: string, before: JsonValue | undefined, after: JsonValue | undefined): JsonChange[] {
  const [was, is] = [membersOf(before), membersOf(after)]
  if (was !== undefined && is !== undefined && Array.isArray(before) === Array.isArray(after)) {
    const keys = [...new Set([...was.keys(), ...is.keys()])]
    return keys.flatMap((key) => compareAt(childPath(path, key), was.get(key), is.get(key)))
  }
  if (before === after) return []
  const field = path.replace(/^\$\./, '')
  return [{ field, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }]
}

function membersOf(value: JsonValue | undefined): ReadonlyMap<string, JsonValue> | undefined {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined
}
