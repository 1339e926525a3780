/** A part of a text, and what is left. */
export interface Slice {
  readonly text: string
  readonly end: number
}

/** At most `length` characters from `start`, ending where a paragraph, a line or a word does if there is such a place near the end. */
export function sliceText(text: string, start: number, length: number): Slice {
  const limit = start + length
  if (limit >= text.length) return { text: text.slice(start), end: text.length }
  const earliest = start + Math.floor(length * 0.7)
  const places = ['\n\n', '\n', ' ']
    .map((mark) => text.lastIndexOf(mark, limit - mark.length))
    .map((at) => (at < earliest ? -1 : at))
  const place = places.find((at) => at !== -1)
  const end = place !== undefined ? place + 1 : wholeCharacter(text, limit)
  return { text: text.slice(start, end).trimEnd(), end }
}

/** Not between the halves of a surrogate pair. */
function wholeCharacter(text: string, end: number): number {
  return /[\ud800-\udbff]/.test(text[end - 1] ?? '') ? end - 1 : end
}
