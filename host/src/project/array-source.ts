import type { WrittenValue } from '../config/source/written.ts'

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

/** What `list` is written as, when it is written in brackets; undefined for one in YAML's block style, or one that is computed. */
export function arraySource(text: string, { start, end, items, dashes }: WrittenValue): ArraySource | undefined {
  if (!items || dashes) return undefined
  const elements = items.filter((item) => item !== undefined)
  const behind = text.slice(elements.at(-1)?.end ?? end, end - 1)
  const trailingComma = withoutComments(behind).includes(',')
  return { start: start + 1, end: end - 1, elements, trailingComma }
}

function withoutComments(text: string): string {
  return text.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|#[^\n]*/g, '')
}

/** The text with `element` at the end of the array, in the way the others are laid out. */
export function appendTo(text: string, { start, end, elements, trailingComma }: ArraySource, element: string): string {
  const last = elements.at(-1)
  if (!last) {
    const inside = text.slice(start, end)
    const [, indent] = /\n([ \t]*)$/.exec(inside) ?? []
    if (indent !== undefined && inside.trim() === '')
      return `${text.slice(0, start)}\n${indent}  ${element}\n${indent}${text.slice(end)}`
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
