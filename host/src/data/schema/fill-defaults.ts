import { isObject, type JsonSchema } from '../json.ts'
import { spend } from './check-cost.ts'
import { lookUp } from './schema-references.ts'

/** Puts the defaults of a schema where a value has nothing, in place. */
export type FillDefaults = (value: unknown) => void

/**
 * Fills in `default` of properties that are not given, also of objects and arrays below, of what a default leaves out itself, and of what
 * `$ref` and `allOf` add; not inside of alternatives, of which it is not known yet which one is meant. Undefined when a schema has none. It
 * must have passed `schemaFaults`.
 */
export function defaultsOf(root: JsonSchema): FillDefaults | undefined {
  if (!hasDefault(root)) return undefined
  const made = new Map<unknown, FillDefaults>()
  /** The schemas that a default is being completed by. */
  let within: Set<unknown> | undefined

  function inDefault(fill: FillDefaults, value: unknown): void {
    if (within) return fill(value)
    within = new Set()
    try {
      fill(value)
    } finally {
      within = undefined
    }
  }

  function make(schema: unknown): FillDefaults | undefined {
    if (!isObject(schema)) return undefined
    const known = made.get(schema)
    if (known) return known
    const steps: FillDefaults[] = []
    // Known before its parts are: a recursive schema refers to it.
    made.set(schema, (value) => {
      // A recursive schema with a default in it would never end.
      if (within?.has(schema)) return
      within?.add(schema)
      for (const step of steps) step(value)
      within?.delete(schema)
    })
    const { properties, items, allOf, $ref } = schema
    for (const [name, property] of isObject(properties) ? Object.entries(properties) : []) {
      const fallback = isObject(property) ? property['default'] : undefined
      const cost = fallback === undefined ? 0 : FILL_STEPS + JSON.stringify(fallback).length * FILL_STEPS_BYTE
      const below = make(property)
      steps.push((value) => {
        if (!isObject(value)) return
        if (Object.hasOwn(value, name)) below?.(value[name])
        else if (fallback !== undefined) {
          spend(cost)
          const filled: unknown = structuredClone(fallback)
          Object.assign(value, { [name]: filled })
          if (below) inDefault(below, filled)
        }
      })
    }
    const ofItems = make(items)
    if (ofItems) steps.push((value) => void (Array.isArray(value) && value.forEach((item) => ofItems(item))))
    for (const part of Array.isArray(allOf) ? allOf : []) steps.push(...[make(part)].filter((step) => step !== undefined))
    const target = typeof $ref === 'string' ? make(lookUp(root, $ref)) : undefined
    if (target) steps.push(target)
    return made.get(schema)
  }
  return make(root)
}

/** What a copy costs, and each byte of it: a million objects without a key of their own would get one each. */
const FILL_STEPS = 200
const FILL_STEPS_BYTE = 10

/** Whether a key of that name is anywhere: most schemas have none. */
function hasDefault(root: JsonSchema): boolean {
  const found: unknown[] = [root]
  for (const one of found) {
    if (typeof one !== 'object' || one === null) continue
    if (Object.hasOwn(one, 'default')) return true
    found.push(...Object.values(one))
  }
  return false
}
