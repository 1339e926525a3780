import { branchesOf, choices, type Schema } from '../schema/check-value.ts'
import { given, listed } from '../schema/expectation.ts'
import { suggest } from '../schema/suggest.ts'

/** What a variable's text means, or why it means nothing: `problem` never holds the text itself when `secret` is set. */
export type ParsedValue = { readonly value: unknown } | { readonly problem: string }

/**
 * Reads the text of a variable as the type of its schema, strictly: `4.7` is no integer, `0x10` no number, and no word but
 * true, false, 1, 0, yes, no, on and off a boolean. Lists are separated by commas, or written as JSON; objects are JSON.
 */
export function parseValue(schema: Schema, text: string, secret = false): ParsedValue {
  const shown = secret ? 'something else' : given(text)
  const allowed = choices(schema)
  if (allowed) return chosen(allowed, text, shown)
  const branches = branchesOf(schema) ?? typesOf(schema)
  if (branches.length > 1) return firstParsed(branches, text, shown, secret)
  const [only = schema] = branches
  const read = readers[typeof only['type'] === 'string' ? only['type'] : 'string'] ?? readers.string
  return read(text, shown, only, secret)
}

type Reader = (text: string, shown: string, schema: Schema, secret: boolean) => ParsedValue

const readers: Readonly<Record<string, Reader>> & { readonly string: Reader } = {
  string: (text) => ({ value: text }),
  integer: (text, shown) => (/^-?\d+$/.test(text.trim()) ? number(text, shown, 'an integer') : expected('an integer', shown)),
  number: (text, shown) =>
    /^-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text.trim()) ? number(text, shown, 'a number') : expected('a number', shown),
  boolean: (text, shown) => {
    const value = BOOLEANS.get(text.trim().toLowerCase())
    return value === undefined ? expected('true, false, 1, 0, yes, no, on or off', shown) : { value }
  },
  null: (text, shown) => (text === 'null' ? { value: null } : expected('null', shown)),
  array: parseList,
  object: (text, shown) => parseJson(text, shown, 'an object as JSON'),
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['0', false],
  ['no', false],
  ['off', false],
])

function number(text: string, shown: string, what: string): ParsedValue {
  const value = Number(text)
  const exact = Number.isFinite(value) && (what !== 'an integer' || Number.isSafeInteger(value))
  return exact ? { value: value === 0 ? 0 : value } : { problem: `expected ${what} that a computer can hold, got ${shown}` }
}

/** One of the listed values, however its letters are written when that is not ambiguous. */
function chosen(allowed: readonly unknown[], text: string, shown: string): ParsedValue {
  const names = allowed.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
  const typed = text.trim()
  const alike = names.flatMap((name, index) => (name.toLowerCase() === typed.toLowerCase() ? [index] : []))
  const index = names.includes(typed) ? names.indexOf(typed) : alike.length === 1 ? alike[0] : undefined
  if (index !== undefined) return { value: allowed[index] }
  const meant = shown === given(text) ? suggest(typed, names) : undefined
  return expected(listed(names), meant === undefined ? shown : `${shown}; did you mean ${JSON.stringify(meant)}?`)
}

function parseList(text: string, shown: string, schema: Schema, secret: boolean): ParsedValue {
  if (text.trimStart().startsWith('[')) return parseJson(text, shown, 'a list, separated by commas or as JSON')
  const items = isSchema(schema['items']) ? schema['items'] : {}
  const values: unknown[] = []
  for (const [index, item] of text.split(',').entries()) {
    if (item.trim() === '') continue
    const parsed = parseValue(items, item.trim(), secret)
    if ('problem' in parsed) return { problem: `item ${index + 1}: ${parsed.problem}` }
    values.push(parsed.value)
  }
  return { value: values }
}

function parseJson(text: string, shown: string, what: string): ParsedValue {
  try {
    const value: unknown = JSON.parse(text)
    return { value }
  } catch {
    return expected(what, shown)
  }
}

function firstParsed(branches: readonly Schema[], text: string, shown: string, secret: boolean): ParsedValue {
  const results = branches.map((branch) => parseValue(branch, text, secret))
  const wanted = results.map((result) => ('problem' in result ? /^expected (.*?), got/s.exec(result.problem)?.[1] : undefined))
  return results.find((result) => 'value' in result) ?? expected(wanted.filter((want) => want !== undefined).join(' or '), shown)
}

function typesOf(schema: Schema): readonly Schema[] {
  const { type } = schema
  return Array.isArray(type) ? type.map((name: unknown) => ({ ...schema, type: name })) : [schema]
}

function expected(what: string, shown: string): ParsedValue {
  return { problem: `expected ${what}, got ${shown}` }
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
