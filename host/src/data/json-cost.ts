/** What JSON may cost to parse and to walk. The caller checks the length of the text. */
export interface JsonBounds {
  /** Objects and arrays within each other. */
  readonly depth: number
  /** Members of all objects and elements of all arrays together. */
  readonly values: number
}

/** A text of JSON that costs more than its bounds allow; the message says in what. */
export class TooCostly extends Error {}

/**
 * Why `text` must not be parsed, such as `nests deeper than 64 levels`; undefined when it may be. One pass, linear in its length, that
 * builds nothing. What is not JSON passes: the parser refuses it.
 */
export function jsonCostProblem(text: string, { depth, values }: JsonBounds): string | undefined {
  // Each level takes two characters, and each value at least one.
  if (text.length <= depth * 2 && text.length <= values) return undefined
  let level = 0
  let seen = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = closingQuote(text, at + 1)
        if (at === -1) return undefined
        break
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (++level > depth) return `nests deeper than ${depth} levels`
        if (++seen > values) return `holds more than ${values} values`
        break
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        level--
        break
      case COMMA:
        if (++seen > values) return `holds more than ${values} values`
        break
      default:
    }
  }
  return undefined
}

/** `JSON.parse` for what came from outside. Throws {@link TooCostly} before anything is built, and what `JSON.parse` throws. */
export function parseBounded(text: string, bounds: JsonBounds): unknown {
  const problem = jsonCostProblem(text, bounds)
  if (problem !== undefined) throw new TooCostly(problem)
  return JSON.parse(text)
}

/**
 * Why a value is beyond its bounds, in words that follow its name; undefined when it is within them. Looks at no more values than the
 * bound allows and calls itself for none, so that what came from outside can be asked about before anything recurses over it. A value
 * that contains itself nests too deeply.
 */
export function beyondBounds(value: unknown, { depth, values }: JsonBounds): string | undefined {
  let level: unknown[] = [value]
  let seen = 1
  for (let at = 0; level.length > 0; at += 1) {
    if (at > depth) return `is nested deeper than ${depth}`
    const next: unknown[] = []
    for (const one of level) {
      if (typeof one !== 'object' || one === null) continue
      const members: unknown[] = Array.isArray(one) ? one : Object.values(one)
      seen += members.length
      if (seen > values) return `holds more than ${values} values`
      for (const member of members) next.push(member)
    }
    level = next
  }
  return undefined
}

/** Where the string that begins at `from` ends, or -1. Backslashes are counted once for each quote that they stand before. */
function closingQuote(text: string, from: number): number {
  for (let quote = text.indexOf('"', from); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let first = quote
    while (first > from && text.charCodeAt(first - 1) === BACKSLASH) first--
    if ((quote - first) % 2 === 0) return quote
  }
  return -1
}

const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
