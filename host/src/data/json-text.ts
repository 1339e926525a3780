import type { JsonValue } from './json.ts'

/** Where something stands in a text, both counted from 1, columns in UTF-16 code units. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** A JSON text as a value whose parts can be found again in the text. */
export interface JsonText {
  readonly ok: true
  readonly value: JsonValue
  /** Where the part at a JSON pointer (`/deployments/default`) begins; for a pointer to nothing, its nearest parent. */
  readonly positionOf: (pointer: string) => Position
}

/** Why a text is not one JSON value without ambiguity. */
export interface JsonFault {
  readonly ok: false
  readonly position: Position
  readonly problem: string
}

/**
 * Reads `text` as strictly as `JSON.parse`, and refuses besides what that hides: a key that stands twice in one object (the last
 * would silently win), the key `__proto__`, and nesting deeper than `maxDepth`.
 */
export function parseJsonText(text: string, { maxDepth }: { readonly maxDepth: number }): JsonText | JsonFault {
  const starts = new Map<string, number>()
  try {
    const value = new Scanner(text, maxDepth, starts).whole()
    return { ok: true, value, positionOf: (pointer) => positionAt(text, nearest(starts, pointer)) }
  } catch (fault) {
    if (!(fault instanceof Stop)) throw fault
    return { ok: false, position: positionAt(text, fault.offset), problem: fault.problem }
  }
}

const space = /[ \t\n\r]*/y
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

/** Ends the scan. Never leaves this file. */
class Stop {
  readonly offset: number
  readonly problem: string
  constructor(offset: number, problem: string) {
    this.offset = offset
    this.problem = problem
  }
}

class Scanner {
  readonly #text: string
  readonly #maxDepth: number
  readonly #starts: Map<string, number>
  #at = 0

  constructor(text: string, maxDepth: number, starts: Map<string, number>) {
    this.#text = text
    this.#maxDepth = maxDepth
    this.#starts = starts
  }

  whole(): JsonValue {
    const value = this.#value('', 0)
    this.#skipSpace()
    if (this.#at < this.#text.length) this.#stop('the end of the file')
    return value
  }

  #value(pointer: string, depth: number): JsonValue {
    this.#skipSpace()
    this.#starts.set(pointer, this.#at)
    const next = this.#text[this.#at]
    if ((next === '{' || next === '[') && depth >= this.#maxDepth)
      throw new Stop(this.#at, `nested deeper than ${this.#maxDepth}`)
    if (next === '{') return this.#object(pointer, depth + 1)
    if (next === '[') return this.#array(pointer, depth + 1)
    if (next === '"') return this.#string('a string')
    const token = this.#match(scalar)
    return token === undefined ? this.#stop('a value') : JSON.parse(token)
  }

  #object(pointer: string, depth: number): JsonValue {
    const members = new Map<string, JsonValue>()
    this.#at++
    for (let first = true; !this.#take('}'); first = false) {
      if (!first && !this.#take(',')) this.#stop(`"," or "}"`)
      this.#skipSpace()
      const start = this.#at
      const key = this.#string('a key in double quotes')
      if (key === '__proto__') throw new Stop(start, 'the key "__proto__" is not accepted')
      if (members.has(key)) throw new Stop(start, `the key ${JSON.stringify(key)} stands here a second time`)
      if (!this.#take(':')) this.#stop(`":"`)
      members.set(key, this.#value(`${pointer}/${escapePointer(key)}`, depth))
    }
    return Object.fromEntries(members)
  }

  #array(pointer: string, depth: number): JsonValue {
    const items: JsonValue[] = []
    this.#at++
    while (!this.#take(']')) {
      if (items.length > 0 && !this.#take(',')) this.#stop(`"," or "]"`)
      items.push(this.#value(`${pointer}/${items.length}`, depth))
    }
    return items
  }

  #string(expected: string): string {
    if (this.#text[this.#at] !== '"') this.#stop(expected)
    const start = this.#at
    try {
      // JSON.parse refuses the control characters and escapes that the search for the end passes over.
      this.#at = this.#endOfString(start)
      return JSON.parse(this.#text.slice(start, this.#at))
    } catch {
      throw new Stop(start, 'this string is not closed, or holds a control character or an unknown escape')
    }
  }

  /** By hand: a regular expression overflows its stack on a string of a million escapes. */
  #endOfString(start: number): number {
    for (let at = start + 1; at < this.#text.length; at++) {
      if (this.#text[at] === '"') return at + 1
      if (this.#text[at] === '\\') at++
    }
    return this.#text.length
  }

  #take(character: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #skipSpace(): void {
    this.#match(space)
  }

  #match(token: RegExp): string | undefined {
    token.lastIndex = this.#at
    const found = token.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }

  #stop(expected: string): never {
    const next = this.#text.codePointAt(this.#at)
    const found = next === undefined ? 'the file ends' : `found ${JSON.stringify(String.fromCodePoint(next))}`
    throw new Stop(this.#at, `expected ${expected}, but ${found}`)
  }
}

/** The segments of a JSON pointer, unescaped. */
export function pointerParts(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

function nearest(starts: ReadonlyMap<string, number>, pointer: string): number {
  const start = starts.get(pointer)
  if (start !== undefined || pointer === '') return start ?? 0
  return nearest(starts, pointer.slice(0, pointer.lastIndexOf('/')))
}

function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset)
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') }
}
