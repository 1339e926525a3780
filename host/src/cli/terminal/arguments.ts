import { InvalidArgumentError } from 'commander'
import { isObject } from '../../data/json.ts'

/**
 * `key=value` pairs as a tool's input. The schema decides what a value is: text where it says string, JSON where it says anything else.
 * Throws a usage error for a word without `=` and for JSON that does not parse.
 */
export function parseArguments(
  pairs: readonly string[],
  json: string | undefined,
  schema: unknown,
): Readonly<Record<string, unknown>> {
  const input = json === undefined ? {} : parseObject(json)
  const properties = isObject(schema) && isObject(schema['properties']) ? schema['properties'] : {}
  const entries = pairs.map((pair) => {
    const at = pair.indexOf('=')
    if (at < 1) throw new InvalidArgumentError(`"${pair}" is not key=value`)
    const key = pair.slice(0, at)
    return [key, parseValue(pair.slice(at + 1), Object.hasOwn(properties, key) ? properties[key] : undefined)] as const
  })
  return { ...input, ...Object.fromEntries(entries) }
}

function parseValue(text: string, schema: unknown): unknown {
  const types = isObject(schema) ? [schema['type']].flat() : []
  if (types.includes('string')) return text
  if (types.includes('array') && !text.startsWith('[')) return text.split(',')
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text // the tool's schema will say what it wanted
  }
}

function parseObject(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json)
    if (isObject(value)) return value
  } catch {
    // falls through to the one message
  }
  throw new InvalidArgumentError('--input is not a JSON object')
}
