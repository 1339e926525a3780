import { isObject } from '../../data/json.ts'

/** What a schema wants, as it continues the word `expected`: its title, or its type and bounds. */
export function expectation(schema: Readonly<Record<string, unknown>>): string {
  const { title, type, minLength, maxLength, format } = schema
  if (typeof title === 'string') return title
  const bounds = [
    between(schema['minimum'], schema['maximum'], ''),
    bound('above ', schema['exclusiveMinimum']),
    bound('below ', schema['exclusiveMaximum']),
    bound('divisible by ', schema['multipleOf']),
    minLength === 1 && maxLength === undefined ? 'that is not empty' : between(minLength, maxLength, ' characters'),
    between(schema['minItems'], schema['maxItems'], ' items'),
    bound('matching ', schema['pattern']),
    format === 'uri' || format === 'url' ? 'that is a URL' : bound('of the form ', format),
  ]
  return [typeName(type), ...bounds.filter((text) => text !== '')].join(' ')
}

/** A value as a message shows it: short, and of what is large only its kind. */
export function given(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : kindOf(value)
}

/** `a string`, `an array`, `null`. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return isObject(value) ? 'an object' : article(typeof value)
}

/** `a, b or c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

function typeName(type: unknown): string {
  const names = (Array.isArray(type) ? type : [type]).filter((name) => typeof name === 'string')
  return names.length === 0 ? 'a value' : listed(names.map(article))
}

function article(word: string): string {
  return /^[aeio]/.test(word) ? `an ${word}` : `a ${word}`
}

function bound(words: string, value: unknown): string {
  return typeof value === 'number' || typeof value === 'string' ? words + value : ''
}

function between(least: unknown, most: unknown, unit: string): string {
  if (typeof least !== 'number') return typeof most === 'number' ? `of at most ${most}${unit}` : ''
  return typeof most === 'number' ? `from ${least} to ${most}${unit}` : `of at least ${least}${unit}`
}
