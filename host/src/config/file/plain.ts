import { formatPath, type PathPart } from '../schema/fault.ts'

/** A value of objects, arrays, strings, numbers and booleans only, or what in it is something else. */
export type PlainData = { readonly value: unknown } | { readonly problems: readonly string[] }

/**
 * A copy of `value` that is plain data, without what is undefined. A config leaves its thread as data, so that nothing of it can hold
 * the host's memory or run in it; each part that is more is named with its path and what to write instead.
 */
export function plainData(value: unknown): PlainData {
  const problems: string[] = []
  let nodes = 0
  const refuse = (path: readonly PathPart[], problem: string) =>
    void problems.push(`${formatPath(path) || 'the default export'} is ${problem}`)
  const copy = (part: unknown, path: readonly PathPart[], around: ReadonlySet<object>): unknown => {
    if (problems.length >= MAX_PROBLEMS || ++nodes > MAX_NODES) return undefined
    if (typeof part === 'number' && !Number.isFinite(part)) return refuse(path, `${part}, which is no number of a config`)
    if (part === null || typeof part === 'string' || typeof part === 'number' || typeof part === 'boolean') return part
    if (part === undefined) return undefined
    if (typeof part !== 'object') return refuse(path, nameOf(part))
    if (around.has(part)) return refuse(path, 'an object that contains itself')
    if (around.size >= MAX_DEPTH) return refuse(path, `nested deeper than ${MAX_DEPTH}`)
    const inside = new Set(around).add(part)
    if (Array.isArray(part)) return Array.from(part, (item: unknown, index) => copy(item, [...path, index], inside))
    const prototype: unknown = Object.getPrototypeOf(part)
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return refuse(path, nameOf(part))
    return Object.fromEntries(
      Object.entries<unknown>({ ...part }).flatMap(([key, child]) => {
        const copied = copy(child, [...path, key], inside)
        return copied === undefined ? [] : [[key, copied]]
      }),
    )
  }
  const copied = copy(value, [], new Set())
  if (nodes > MAX_NODES) problems.push(`it has more than ${MAX_NODES} values`)
  return problems.length > 0 ? { problems } : { value: copied }
}

/** Far beyond any config; a few YAML aliases can stand for millions of values. */
const MAX_NODES = 100_000
/** How deep a config may nest. */
export const MAX_DEPTH = 64
const MAX_PROBLEMS = 20

function nameOf(value: unknown): string {
  if (typeof value === 'function') return `the function ${value.name || '(unnamed)'}: a config holds data only`
  if (typeof value === 'symbol' || typeof value === 'bigint') return `a ${typeof value}: write a string or a number`
  if (value instanceof Promise) return 'a promise: put await before it'
  if (value instanceof URL) return 'a URL object: write its href'
  const name = typeof value === 'object' && value !== null ? value.constructor?.name : undefined
  return `a ${name || 'class'} object: a config holds data only`
}
