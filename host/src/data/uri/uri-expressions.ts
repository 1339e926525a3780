/** Values of a template's variables, or undefined when a URI does not match. */
export type UriTemplate = (uri: string) => Readonly<Record<string, string>> | undefined

/** A part of a template: text that stands as it is, or a place that a variable fills. */
type Part = { readonly text: string } | Place

type Values = Readonly<Record<string, string>>

interface Variable {
  readonly name: string
  /** It has a star. */
  readonly isWhole: boolean
}

interface Place {
  /** What stands before the value; '' for none. */
  readonly prefix: string
  /** Nothing may stand here. */
  readonly isOptional: boolean
  /** What a value may not hold. */
  readonly stops: string
  readonly read: (value: string) => Values | undefined
}

/**
 * RFC 6570 beyond simple expressions: `{+path}`, `{#part}`, `{.ext}`, `{/a,b}`, `{/path*}`, `{;v}`, `{?q,page}`, `{&q}` and `{a,b}`. A
 * length as in `{id:3}` is not checked. Undefined for what is not a template. The time that a match takes is linear in the length of the
 * URI for each expression, whatever both are; a URI beyond {@link LONGEST} matches none.
 */
export function parseExpressions(template: string): UriTemplate | undefined {
  const pieces = template.split(/\{([^{}]*)\}/)
  const parts: Part[] = []
  for (const [index, piece] of pieces.entries()) {
    if (index % 2 === 0) {
      if (/[{}]/.test(piece)) return undefined
      if (piece !== '') parts.push({ text: piece })
      continue
    }
    const places = placesOf(piece, pieces.slice(index + 1))
    if (!places) return undefined
    parts.push(...places)
  }
  if (pieces.length === 1 || parts.length > MOST_PARTS) return undefined
  const [first] = parts
  const head = first && 'text' in first ? first.text : ''
  return (uri) => (uri.length > LONGEST || !uri.startsWith(head) ? undefined : match(parts, uri))
}

/** In characters. */
const LONGEST = 8_192
const MOST_PARTS = 64

const EXPRESSION = /^([+#./;?&]?)([A-Za-z0-9_.%]+(?:\*|:[1-9]\d{0,3})?(?:,[A-Za-z0-9_.%]+(?:\*|:[1-9]\d{0,3})?)*)$/

function placesOf(expression: string, behind: readonly string[]): readonly Place[] | undefined {
  const [, operator = '', list] = EXPRESSION.exec(expression) ?? []
  if (list === undefined) return undefined
  const variables = list.split(',').map((one) => ({ name: one.replace(/\*$|:\d+$/, ''), isWhole: one.endsWith('*') }))
  const names = variables.map(({ name }) => name)
  switch (operator) {
    case '?':
    case '&':
      return [
        {
          prefix: operator,
          isOptional: true,
          stops: operator === '?' ? '#' : '?#',
          read: (text) => pairsOf(text, variables.some(({ isWhole }) => isWhole) ? undefined : names),
        },
      ]
    case '+':
    case '#': {
      const isLast = !behind.some((piece, index) => index % 2 === 1 && /^[?#]/.test(piece))
      const stops = operator === '#' || isLast ? '' : '?#'
      return [{ prefix: operator === '#' ? '#' : '', isOptional: operator === '#', stops, read: (text) => valuesOf(names, text) }]
    }
    case '/':
    case '.':
    case ';': {
      const isOne = variables.length === 1 && variables[0]?.isWhole === false
      const stops = operator === '/' && !isOne ? '?#' : '/?#'
      return [{ prefix: operator, isOptional: true, stops, read: (text) => valuesBetween(operator, variables, text) }]
    }
    default:
      return [{ prefix: '', isOptional: false, stops: '/?#', read: (text) => valuesOf(names, text) }]
  }
}

/** `a=1&b=2`, with these names only where there are some. */
function pairsOf(text: string, names: readonly string[] | undefined): Values | undefined {
  const pairs = new URLSearchParams(text)
  if (names && [...pairs.keys()].some((name) => !names.includes(name))) return undefined
  return Object.fromEntries(pairs)
}

/** One value for each variable at most; one with a star has what is left. */
function valuesBetween(separator: string, variables: readonly Variable[], text: string): Values | undefined {
  const texts = separator === '.' && variables.length === 1 ? [text] : text.split(separator)
  const isWhole = variables.at(-1)?.isWhole === true
  if (texts.length > variables.length && !isWhole) return undefined
  const given = variables.slice(0, texts.length).map(({ name }, index) => {
    const isRest = isWhole && index === variables.length - 1
    const value = isRest ? texts.slice(index).join(separator) : (texts[index] ?? '')
    return [name, separator === ';' ? value.replace(/^[^=]*=?/, '') : value] as const
  })
  return decoded(given)
}

/** Values with commas between them; the last has what is left. */
function valuesOf(names: readonly string[], text: string): Values | undefined {
  const texts = text.split(',')
  const given = names.map((name, index) => {
    const own = index === names.length - 1 ? texts.slice(index) : texts.slice(index, index + 1)
    return [name, own.join(',')] as const
  })
  return decoded(given)
}

function decoded(given: readonly (readonly [name: string, value: string])[]): Values | undefined {
  try {
    return Object.fromEntries(given.map(([name, value]) => [name, decodeURIComponent(value)]))
  } catch {
    return undefined
  }
}

/**
 * For each part, how far a match can be behind it, and from where it came: one walk over the URI a part. `from[at]` is where the part
 * began that ends at `at`, or {@link NONE}.
 */
function match(parts: readonly Part[], uri: string): Values | undefined {
  let reached = new Int32Array(uri.length + 1).fill(NONE)
  reached[0] = 0
  const walks = parts.map(
    (part) => (reached = 'text' in part ? afterText(part.text, uri, reached) : afterPlace(part, uri, reached)),
  )
  let at = uri.length
  const values: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [index, part] of [...parts.entries()].toReversed()) {
    const from = walks[index]?.[at] ?? NONE
    if (from === NONE) return undefined
    if (!('text' in part) && from < at) {
      const read = part.read(uri.slice(from + part.prefix.length, at))
      if (!read) return undefined
      Object.assign(values, read)
    }
    at = from
  }
  return values
}

const NONE = -1

function afterText(text: string, uri: string, reached: Int32Array): Int32Array<ArrayBuffer> {
  const next = new Int32Array(uri.length + 1).fill(NONE)
  for (let at = uri.indexOf(text); at !== -1; at = uri.indexOf(text, at + 1))
    if (reached[at] !== NONE) next[at + text.length] = at
  return next
}

/** If several prefixes fit, the longest one is the value. */
function afterPlace({ prefix, isOptional, stops }: Place, uri: string, reached: Int32Array): Int32Array<ArrayBuffer> {
  const next = new Int32Array(uri.length + 1).fill(NONE)
  let start = NONE
  for (let at = 0; at <= uri.length; at++) {
    if (start !== NONE) next[at] = start
    else if (isOptional && reached[at] !== NONE) next[at] = at
    if (at === uri.length) break
    const char = uri[at] ?? ''
    const begins = reached[at] !== NONE && (prefix === '' || char === prefix)
    if (start !== NONE && stops.includes(char)) start = NONE
    if (start === NONE && begins && (prefix !== '' || !stops.includes(char))) start = at
  }
  return next
}
