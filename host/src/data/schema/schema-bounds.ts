import { beyondBounds } from '../json-cost.ts'
import { isObject } from '../json.ts'
import type { Fault, SchemaFault } from './schema-fault.ts'
import { checking, checkKeywords } from './schema-keywords.ts'
import { checkReferences } from './schema-references.ts'
import { children } from './subschemas.ts'

/** What a schema from a plugin may be at most. Schemas are hostile input: compiling or checking them runs in the host. */
export const SCHEMA_LIMITS = Object.freeze({ bytes: 65_536, depth: 16, subschemas: 500, expanded: 5_000 })

/** Of the JSON that a schema is, defaults and examples included, before anything recurses over it. */
const SOURCE_LIMITS = { depth: 64, values: 20_000 }

/**
 * Every fault of a plugin's schema, without compiling it: size, depth, unknown dialects, references that leave it or repeat without
 * end, patterns that no linear-time engine takes, keywords with values of the wrong kind. Empty means that Ajv can have it.
 */
export function schemaFaults(schema: unknown, { root }: { root: 'object' | 'any' }): readonly SchemaFault[] {
  const faults: SchemaFault[] = []
  const fault = (path: string, problem: string, fix: string) => void faults.push({ path, problem, fix })
  if (!isObject(schema)) {
    fault('#', `the schema is ${schema === null ? 'null' : `a ${typeof schema}`}, not an object`, 'Write: Type.Object({ … })')
    return faults
  }
  const beyond = sourceFault(schema)
  if (beyond) return [beyond]
  if (root === 'object' && schema['type'] !== 'object')
    fault(
      '#/type',
      `is ${JSON.stringify(schema['type']) ?? 'missing'}`,
      "MCP wants type: 'object' at the root of an input schema",
    )
  const bytes = jsonLength(schema)
  if (bytes === undefined) fault('#', 'holds what JSON cannot', 'Give plain JSON Schema')
  else if (bytes > SCHEMA_LIMITS.bytes)
    fault('#', `is longer than ${SCHEMA_LIMITS.bytes} bytes`, 'Split the tool into smaller ones')
  const dialect = schema['$schema']
  if (
    dialect !== undefined &&
    !(typeof dialect === 'string' && /^https?:\/\/json-schema\.org\/(draft\/2020-12|draft-07)\/schema#?$/.test(dialect))
  )
    fault(
      '#/$schema',
      `${JSON.stringify(dialect)} is not a dialect this host knows`,
      'Use JSON Schema 2020-12, which is the default without $schema',
    )
  const count = walk(schema, fault)
  if (count > SCHEMA_LIMITS.subschemas)
    fault(
      '#',
      `has ${count} subschemas, ${SCHEMA_LIMITS.subschemas} are allowed`,
      'Split the tool, or accept a string and parse it yourself',
    )
  if (faults.length === 0) checkReferences(schema, fault, SCHEMA_LIMITS.expanded)
  return faults
}

/** Why nothing may recurse over a schema; undefined when it may. */
export function sourceFault(schema: unknown): SchemaFault | undefined {
  const problem = beyondBounds(schema, SOURCE_LIMITS)
  return problem === undefined ? undefined : { path: '#', problem, fix: 'Flatten the schema, or split the tool' }
}

/** Visits every subschema once and returns how many there are; stops looking where the bounds are passed. */
function walk(root: Readonly<Record<string, unknown>>, fault: Fault): number {
  let count = 0
  const checked = checking(root, fault)
  const stack: { schema: unknown; path: string; depth: number }[] = [{ schema: root, path: '#', depth: 0 }]
  for (let next = stack.pop(); next && count <= SCHEMA_LIMITS.subschemas; next = stack.pop()) {
    const { schema, path, depth } = next
    count += 1
    if (typeof schema === 'boolean') continue
    if (!isObject(schema)) {
      fault(path, 'is not a schema', 'Give an object or a boolean')
      continue
    }
    if (depth > SCHEMA_LIMITS.depth) {
      fault(path, `is nested deeper than ${SCHEMA_LIMITS.depth}`, 'Flatten the schema')
      continue
    }
    checkKeywords(schema, path, checked)
    for (const [key, child] of children(schema)) stack.push({ schema: child, path: `${path}/${key}`, depth: depth + 1 })
  }
  return stack.length ? count + stack.length : count
}

function jsonLength(schema: unknown): number | undefined {
  try {
    return JSON.stringify(schema).length
  } catch {
    return undefined
  }
}
