/** A long string of a JSON text: where it stands between its quotes. It has no escapes, so that its bytes are its text. */
export interface LongText {
  readonly from: number
  readonly to: number
}

/** A JSON text with a mark in the place of each long string. */
export interface CutJson {
  readonly json: string
  readonly texts: readonly LongText[]
}

/** A string of so many bytes is long: a shorter one is parsed as quickly as its place is found. */
export const LONG_BYTES = 4_096
/** Every mark is as long: what asks a string for no more takes a mark as it takes what the mark stands for. */
export const SHORTEST_MARK = 16

const MARK = 'mcp-patchbay:text:'

export function markOf(index: number): string {
  return MARK + index
}

/** Which text a string stands for; NaN and what is beyond all texts for one that only looks like a mark, undefined for any other. */
export function markedBy(value: string): number | undefined {
  return value.startsWith(MARK) ? Number(value.slice(MARK.length)) : undefined
}

/**
 * Cuts the long strings out of JSON in UTF-8: `JSON.parse` takes twice as long for a string as making one of its bytes does, and who
 * passes the bytes on needs no string at all. What is cut out is checked as `JSON.parse` would. Undefined where little can be cut out,
 * where a long string has escapes, and for what is not JSON, which the parser then refuses in its own words.
 */
export function cutLongTexts(bytes: Buffer): CutJson | undefined {
  const mostLeft = Math.floor(bytes.length / 4)
  const texts: LongText[] = []
  const parts: string[] = []
  nextBackslash = -1
  let from = 0
  let cut = 0
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== QUOTE) continue
    const start = at + 1
    const to = endOfText(bytes, start)
    if (to === -1 || start - cut > mostLeft) return undefined
    at = to
    if (to - start < LONG_BYTES || isName(bytes, to + 1)) continue
    if (hasControl(bytes, start, to)) return undefined
    parts.push(bytes.toString('utf8', from, start), markOf(texts.length))
    texts.push({ from: start, to })
    cut += to - start
    from = to
  }
  if (texts.length === 0 || bytes.length - cut > mostLeft) return undefined
  parts.push(bytes.toString('utf8', from))
  return { json: parts.join(''), texts }
}

/** Scratch for one cut, which is synchronous. */
let nextBackslash = -1

/** Where the string that begins at `start` ends; -1 when it does not, and when it is long and has an escape. */
function endOfText(bytes: Buffer, start: number): number {
  const near = closingQuote(bytes, start, start + NEAR_BYTES)
  if (near !== -1) return near
  if (nextBackslash < start) {
    const found = bytes.indexOf(BACKSLASH, start)
    nextBackslash = found === -1 ? Infinity : found
  }
  const quote = bytes.indexOf(QUOTE, start)
  return nextBackslash > quote ? quote : closingQuote(bytes, nextBackslash, start + LONG_BYTES)
}

/** Byte by byte. -1 when it is not before `end`. */
function closingQuote(bytes: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) return at
    if (byte === BACKSLASH) at++
  }
  return -1
}

/** Whether a byte below the space is in it, which JSON does not allow. Four are looked at together. */
function hasControl(bytes: Buffer, from: number, to: number): boolean {
  const first = from + ((4 - ((bytes.byteOffset + from) & 3)) & 3)
  const count = (to - first) >> 2
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + first, count)
  const rounds = count & ~7
  for (let at = 0; at < rounds; at += 8) {
    const below =
      belowSpace(words[at] as number) |
      belowSpace(words[at + 1] as number) |
      belowSpace(words[at + 2] as number) |
      belowSpace(words[at + 3] as number) |
      belowSpace(words[at + 4] as number) |
      belowSpace(words[at + 5] as number) |
      belowSpace(words[at + 6] as number) |
      belowSpace(words[at + 7] as number)
    if ((below & HIGH_BITS) !== 0) return true
  }
  for (let at = from; at < first; at++) if ((bytes[at] as number) < SPACE) return true
  for (let at = first + rounds * 4; at < to; at++) if ((bytes[at] as number) < SPACE) return true
  return false
}

/** A high bit is set in it when one of the four bytes is below the space, and for no byte from 0x80 on. */
function belowSpace(word: number): number {
  return (word - SPACES) & ~word
}

/** Whether a string is the name of a member, by what follows it: a name stays where it is. */
function isName(bytes: Buffer, after: number): boolean {
  let at = after
  while (SPACE_BYTES.has(bytes[at] as number)) at++
  return bytes[at] === COLON
}

/** Most strings end within so many bytes: to search costs more than to look. */
const NEAR_BYTES = 64
const SPACE = 0x20
const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c
const SPACE_BYTES: ReadonlySet<number> = new Set([SPACE, 0x09, 0x0a, 0x0d])
const SPACES = 0x20202020
const HIGH_BITS = 0x80808080 | 0
