import { isObject } from '../../data/json.ts'

/** Of a list, how many of its elements, and of a text, how many of its characters. */
const MOST_ITEMS = 200
const MOST_TEXT = 4_000
const DEEPEST = 12

/**
 * A copy of `value` for an event that a person reads: long lists and texts end with how much was left out, and what nests deeply is cut.
 */
export function bounded<Value extends object>(value: Value): object {
  return cut(value, 0) as object
}

function cut(value: unknown, depth: number): unknown {
  if (typeof value === 'string')
    return value.length <= MOST_TEXT ? value : `${value.slice(0, MOST_TEXT).toWellFormed()}… (${value.length} characters)`
  if (typeof value !== 'object' || value === null) return value
  if (depth >= DEEPEST) return '…'
  if (Array.isArray(value)) {
    const items = value.slice(0, MOST_ITEMS).map((item) => cut(item, depth + 1))
    return value.length > MOST_ITEMS ? [...items, `… ${value.length - MOST_ITEMS} more`] : items
  }
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cut(item, depth + 1)]))
}
