import { isObject } from '../json.ts'
import { brief, type Fault } from './schema-fault.ts'
import { children, inPlace, several } from './subschemas.ts'

/**
 * References must lead to schemas inside the schema, which every bound looks at, and must not make checking one value cost more than
 * `mostExpanded` subschemas. Returns what it costs.
 */
export function checkReferences(root: Readonly<Record<string, unknown>>, fault: Fault, mostExpanded: number): number {
  const schemas = subschemasOf(root)
  const costs = new Map<unknown, number | 'open'>()
  const cost = (schema: unknown, path: string, open: ReadonlySet<unknown>): number => {
    if (!isObject(schema)) return 1
    const known = costs.get(schema)
    if (typeof known === 'number') return known
    // A cycle through properties or items is a recursive type and ends with the value; one that stays on the value never ends.
    if (known === 'open') {
      if (open.has(schema))
        fault(path, 'refers to itself without going into the value', 'Put the reference below properties or items')
      return 1
    }
    costs.set(schema, 'open')
    let total = 1
    const stay = new Set(open).add(schema)
    for (const [key, child] of children(schema)) {
      const keyword = key.split('/', 1)[0] ?? key
      if (keyword === '$defs' || keyword === 'definitions') continue
      total += cost(child, `${path}/${key}`, inPlace.has(keyword) ? stay : new Set())
    }
    for (const keyword of ['$ref', '$dynamicRef']) {
      const reference = schema[keyword]
      if (reference === undefined) continue
      const target = typeof reference === 'string' ? lookUp(root, reference) : undefined
      if (target === undefined || !(typeof target === 'boolean' || schemas.has(target))) {
        fault(
          `${path}/${keyword}`,
          `${brief(reference)} is not ${target === undefined ? '' : 'a schema '}in this schema`,
          'Refer only to #/$defs/… or an $anchor of the same schema',
        )
        continue
      }
      total += cost(target, `${path}/${keyword}`, stay)
    }
    total += repeatedRecursion(schema, path, fault)
    const capped = Math.min(total, mostExpanded + 1)
    costs.set(schema, capped)
    return capped
  }
  const recursive = recursiveTargets(root)
  function repeatedRecursion(schema: Readonly<Record<string, unknown>>, path: string, report: Fault): number {
    for (const keyword of several) {
      const branches = schema[keyword]
      if (!Array.isArray(branches) || keyword === 'prefixItems' || keyword === 'items') continue
      const seen = new Set<string>()
      for (const branch of branches) {
        if (!mentions(branch, recursive)) continue
        const type = isObject(branch) && typeof branch['type'] === 'string' ? branch['type'] : 'any'
        if (seen.has(type) || (type === 'any' && seen.size > 0) || seen.has('any'))
          report(
            `${path}/${keyword}`,
            'has several branches that recurse into the same kind of value',
            'Give the recursive branches different types, or move the recursion out',
          )
        seen.add(type)
      }
    }
    return 0
  }
  const total = cost(root, '#', new Set())
  if (total > mostExpanded)
    fault('#', 'costs too much to check: its references multiply', 'Flatten the branches that refer to each other')
  return total
}

/** Every object that is a schema by its position: a default or an enum value is not one, even if it looks like one. */
function subschemasOf(root: Readonly<Record<string, unknown>>): ReadonlySet<unknown> {
  const found = new Set<unknown>([root])
  for (const schema of found) if (isObject(schema)) for (const [, child] of children(schema)) found.add(child)
  return found
}

/** Every `$ref` whose target contains that reference again. */
function recursiveTargets(root: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const found = new Set<string>()
  const reaches = (schema: unknown, target: unknown, seen: Set<unknown>): boolean => {
    if (!isObject(schema) || seen.has(schema)) return false
    seen.add(schema)
    if (typeof schema['$ref'] === 'string') {
      const next = lookUp(root, schema['$ref'])
      if (next === target || reaches(next, target, seen)) return true
    }
    return children(schema).some(([, child]) => child === target || reaches(child, target, seen))
  }
  const visit = (schema: unknown): void => {
    if (!isObject(schema)) return
    const reference = schema['$ref']
    if (typeof reference === 'string' && !found.has(reference)) {
      const target = lookUp(root, reference)
      if (target === root || (target !== undefined && reaches(target, target, new Set()))) found.add(reference)
    }
    for (const [, child] of children(schema)) visit(child)
  }
  visit(root)
  return found
}

function mentions(schema: unknown, references: ReadonlySet<string>): boolean {
  if (!isObject(schema)) return false
  if (typeof schema['$ref'] === 'string' && references.has(schema['$ref'])) return true
  return children(schema).some(([, child]) => mentions(child, references))
}

/** The schema that a reference inside `root` points at: `#`, a JSON pointer, or an anchor. */
export function lookUp(root: Readonly<Record<string, unknown>>, reference: string): unknown {
  if (reference === '#') return root
  if (!reference.startsWith('#')) return undefined
  if (!reference.startsWith('#/')) return findAnchor(root, reference.slice(1))
  let target: unknown = root
  for (const part of reference.slice(2).split('/')) {
    const key = pointerKey(part)
    if (key === undefined || typeof target !== 'object' || target === null || !Object.hasOwn(target, key)) return undefined
    target = (target as Record<string, unknown>)[key]
  }
  return target
}

function pointerKey(part: string): string | undefined {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return undefined
  }
}

function findAnchor(schema: unknown, anchor: string): unknown {
  if (!isObject(schema)) return undefined
  if (schema['$anchor'] === anchor || schema['$dynamicAnchor'] === anchor) return schema
  for (const [, child] of children(schema)) {
    const found = findAnchor(child, anchor)
    if (found !== undefined) return found
  }
  return undefined
}

/** What checking one value costs at most, in subschemas, of a schema without faults. */
export function costOf(root: Readonly<Record<string, unknown>>): number {
  return checkReferences(root, () => {}, Infinity)
}
