import { LONG_BYTES, SHORTEST_MARK } from '../long-text/cut.ts'
import { isObject, type JsonSchema } from '../json.ts'
import { children } from './subschemas.ts'

const known = new WeakMap<JsonSchema, number>()

/**
 * Up to how many bytes a long string may have that a schema takes, or refuses, as it would any other: 0 for a schema that looks at more
 * of strings than that they are some. A text that is not yet read can then be checked by what stands for it.
 */
export function longestUnseen(root: JsonSchema): number {
  let longest = known.get(root)
  if (longest === undefined) known.set(root, (longest = longestOf(root)))
  return longest
}

function longestOf(root: unknown): number {
  let longest = Infinity
  const schemas = [root]
  for (const schema of schemas) {
    if (!isObject(schema)) continue
    for (const [keyword, value] of Object.entries(schema)) {
      if (keyword === 'maxLength' && typeof value === 'number') longest = Math.min(longest, value)
      else if (!isBlind(keyword, value)) return 0
    }
    for (const [, child] of children(schema)) schemas.push(child)
  }
  return longest
}

/** Whether a keyword says the same of every long string. What is not known is taken to look. */
function isBlind(keyword: string, value: unknown): boolean {
  if (keyword === 'minLength') return typeof value === 'number' && value <= SHORTEST_MARK
  // None of these is long.
  if (keyword === 'enum' || keyword === 'const') return JSON.stringify(value).length < LONG_BYTES
  if (keyword === '$ref') return typeof value === 'string' && DEFINITION.test(value)
  return BLIND.has(keyword)
}

/** What it leads to is looked at where it stands. */
const DEFINITION = /^#(?:\/(?:\$defs|definitions)\/[^/]+)?$/
const BLIND: ReadonlySet<string> = new Set([
  '$comment',
  '$defs',
  '$schema',
  'additionalProperties',
  'allOf',
  'anyOf',
  'default',
  'definitions',
  'description',
  'examples',
  'exclusiveMaximum',
  'exclusiveMinimum',
  'items',
  'maxItems',
  'maxProperties',
  'maximum',
  'minItems',
  'minProperties',
  'minimum',
  'multipleOf',
  'not',
  'oneOf',
  'patternProperties',
  'prefixItems',
  'properties',
  'required',
  'title',
  'type',
])
