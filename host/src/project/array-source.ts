/** An array literal in the text of a config. Offsets into that text. */
export interface ArraySource {
  /** Behind the opening bracket. */
  readonly start: number
  /** Of the closing bracket. */
  readonly end: number
  readonly elements: readonly { readonly start: number; readonly end: number }[]
  /** Whether a comma follows the last element. */
  readonly trailingComma: boolean
}

const token =
  /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|`(?:[^`\\]|\\[\s\S])*`?|[A-Za-z_$][\w$]*|[{}[\](),:]|\s+|./gs

/**
 * Every array literal that is the value of the key `name`, in JavaScript, TypeScript or JSON. It does not read expressions: what it finds
 * is a guess that has to be proved by reading the edited config.
 */
export function arraysOf(text: string, name: string): readonly ArraySource[] {
  const found: ArraySource[] = []
  let last = ['', '']
  for (const { 0: match, index } of text.matchAll(token)) {
    if (isGap(match)) continue
    const [key, colon] = last
    if (match === '[' && colon === ':' && key?.replace(/^["']|["']$/g, '') === name) {
      const array = readArray(text, index + 1)
      if (array) found.push(array)
    }
    last = [last[1] ?? '', match]
  }
  return found
}

/** Undefined when the brackets do not close. */
function readArray(text: string, start: number): ArraySource | undefined {
  const elements: { start: number; end: number }[] = []
  let depth = 0
  let element: { start: number; end: number } | undefined
  for (const { 0: match, index } of text.slice(start).matchAll(token)) {
    if (isGap(match)) continue
    const at = start + index
    if (depth === 0 && (match === ']' || match === ',')) {
      if (element) elements.push(element)
      if (match === ']') return { start, end: at, elements, trailingComma: element === undefined && elements.length > 0 }
      element = undefined
      continue
    }
    if ('{[('.includes(match)) depth++
    else if ('}])'.includes(match)) depth--
    element = { start: element?.start ?? at, end: at + match.length }
  }
  return undefined
}

function isGap(match: string): boolean {
  return /^\s|^\/[/*]/.test(match)
}

/** The text with `element` at the end of the array, in the way the others are laid out. */
export function appendTo(text: string, { start, end, elements, trailingComma }: ArraySource, element: string): string {
  const last = elements.at(-1)
  if (!last) {
    const inside = text.slice(start, end)
    // Comments in an empty array stay in front.
    return `${text.slice(0, start)}${inside.trim() === '' ? element : `${inside}${element}\n`}${text.slice(end)}`
  }
  const comma = trailingComma ? '' : ','
  const lineBreak = text.slice(start, last.start).includes('\n')
  if (!lineBreak) return `${text.slice(0, last.end)}, ${element}${text.slice(last.end).replace(trailingComma ? /^\s*,/ : '', '')}`
  const indent = /[ \t]*$/.exec(text.slice(0, elements[0]?.start))?.[0] ?? ''
  const closing = /\s*$/.exec(text.slice(0, end))?.index ?? end
  const rest = trailingComma ? ',' : ''
  return `${text.slice(0, last.end)}${comma}${text.slice(last.end, closing)}\n${indent}${element}${rest}${text.slice(closing)}`
}

/** The text without the element at `index`, its comma, and the line it leaves empty. */
export function removeFrom(text: string, { elements, end }: ArraySource, index: number): string {
  const element = elements[index]
  if (!element) return text
  const next = elements[index + 1]
  const previous = elements[index - 1]
  if (next) return text.slice(0, element.start) + text.slice(next.start)
  const comma = /^\s*,/.exec(text.slice(element.end, end))?.[0].length ?? 0
  if (previous) {
    const gap = text.slice(previous.end, element.start).trimEnd()
    // Comments behind the one before stay, and so does its comma unless it would be the only one at an end.
    const rest = text.slice(element.end + comma)
    const lineEnd = /\/\/[^\n]*$/.test(gap) && !/^[ \t]*\n/.test(rest) ? '\n' : ''
    return text.slice(0, previous.end) + (comma > 0 || gap !== ',' ? gap + lineEnd : '') + rest
  }
  return text.slice(0, element.start) + text.slice(element.end + comma)
}
