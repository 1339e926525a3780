import { hostError } from '../errors.ts'

/** Deeper than this is no descriptor of anything: it is an attack on the stack. */
const maxDepth = 256

/**
 * The one canonical text of a JSON value, by RFC 8785 (JCS): keys in UTF-16 code unit order, no whitespace, ECMAScript's shortest
 * number form. Two values have the same text exactly when a JSON reader cannot tell them apart; a zero-width character can be told.
 *
 * Throws `PIN_NOT_JSON`, naming the path, for what JSON cannot hold: undefined, NaN, infinities, lone surrogates, BigInt, functions,
 * symbols, class instances, holes in arrays, cycles, and nesting deeper than 256.
 */
export function canonicalJson(value: unknown): string {
  return write(value, { ancestors: [], keys: [] })
}

/** Where in the whole value the writer is. The path is put together only for an error. */
interface Place {
  readonly ancestors: object[]
  readonly keys: (string | number)[]
}

function write(value: unknown, place: Place): string {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? JSON.stringify(value) : refuse(place, 'a string with half of a surrogate pair')
    case 'boolean':
      return String(value)
    case 'number':
      // JSON.stringify writes -0 as 0 and every other number in the form the RFC asks for.
      return Number.isFinite(value) ? JSON.stringify(value) : refuse(place, String(value))
    case 'object':
      return value === null ? 'null' : writeObject(value, place)
    default:
      return refuse(place, value === undefined ? 'undefined' : `a ${typeof value}`)
  }
}

function writeObject(value: object, place: Place): string {
  if (place.ancestors.includes(value)) refuse(place, 'an object that contains itself')
  if (place.ancestors.length >= maxDepth) refuse(place, `a value nested more than ${maxDepth} deep`)
  place.ancestors.push(value)
  const text = Array.isArray(value) ? writeItems(value, place) : writeMembers(value, place)
  place.ancestors.pop()
  return text
}

function writeItems(items: readonly unknown[], place: Place): string {
  let text = '['
  // By index, since a hole in an array is to be refused.
  for (let index = 0; index < items.length; index++) {
    if (index > 0) text += ','
    text += writeAt(index, items[index], place)
  }
  return `${text}]`
}

function writeMembers(value: object, place: Place): string {
  if (!isPlain(value)) refuse(place, `an instance of ${value.constructor?.name ?? 'a class'}`)
  let text = ''
  // The default sort compares UTF-16 code units, which is the order the RFC prescribes.
  for (const key of Object.keys(value).toSorted()) {
    if (!key.isWellFormed()) refuse(place, 'a key with half of a surrogate pair')
    if (text !== '') text += ','
    text += `${JSON.stringify(key)}:${writeAt(key, Reflect.get(value, key), place)}`
  }
  return `{${text}}`
}

function writeAt(key: string | number, value: unknown, place: Place): string {
  // Most of what there is has no parts, and nothing to be refused.
  if (typeof value === 'string' && value.isWellFormed()) return JSON.stringify(value)
  place.keys.push(key)
  const text = write(value, place)
  place.keys.pop()
  return text
}

/** An object literal of any realm, or one without prototype; a Date, Map or boxed number is not what it would print as. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || (typeof prototype === 'object' && Object.getPrototypeOf(prototype) === null)
}

/** `$.inputSchema.properties["a b"]`: the path of `key` under `path`, as errors and diffs print it. */
export function childPath(path: string, key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`
}

function refuse({ keys }: Place, found: string): never {
  const path = keys.reduce<string>((above, key) => (typeof key === 'number' ? `${above}[${key}]` : childPath(above, key)), '$')
  throw hostError('PIN_NOT_JSON', { path, found })
}
