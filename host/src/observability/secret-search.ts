/** Something to find, and whose it is. */
export interface Spelling<Owner> {
  readonly text: string
  readonly owner: Owner
}

/** A place in a text, the end excluded. */
export interface Span {
  readonly from: number
  readonly to: number
}

/**
 * Finds many spellings in a text in one pass that leaps, after Wu and Manber (1994): it looks at three characters at a time, and leaps as
 * far as no spelling can end before. A text without any costs a look at every tenth character or so, however many spellings there are.
 */
export class SecretSearch<Owner> {
  /** By the hash of three characters: how far to leap; 0 where a spelling's window ends with them. */
  readonly #leaps = new Uint8Array(SLOTS)
  readonly #ending = new Map<number, Spelling<Owner>[]>()
  /** How many characters of each spelling are looked for. */
  readonly #window: number

  /** None may be shorter than three characters. */
  constructor(spellings: readonly Spelling<Owner>[]) {
    const window = spellings.reduce((least, { text }) => Math.min(least, text.length), LONGEST_WINDOW)
    this.#window = window
    this.#leaps.fill(window - BLOCK + 1)
    for (const spelling of spellings) {
      const { text } = spelling
      for (let at = BLOCK - 1; at < window; at++) {
        const slot = slotOf(text.charCodeAt(at - 2), text.charCodeAt(at - 1), text.charCodeAt(at))
        this.#leaps[slot] = Math.min(this.#leaps[slot] ?? 0, window - 1 - at)
      }
      const slot = slotOf(text.charCodeAt(window - 3), text.charCodeAt(window - 2), text.charCodeAt(window - 1))
      const ending = this.#ending.get(slot)
      if (ending) ending.push(spelling)
      else this.#ending.set(slot, [spelling])
    }
  }

  /** Where a spelling of an owner that `isWanted` stands, in order; places may overlap. */
  inText(text: string, isWanted: (owner: Owner) => boolean, found: Span[]): void {
    const window = this.#window
    const leaps = this.#leaps
    for (let at = window - 1; at < text.length;) {
      const slot = slotOf(text.charCodeAt(at - 2), text.charCodeAt(at - 1), text.charCodeAt(at))
      const leap = leaps[slot] ?? 1
      if (leap > 0) {
        at += leap
        continue
      }
      const from = at - window + 1
      for (const spelling of this.#ending.get(slot) ?? [])
        if (text.startsWith(spelling.text, from) && isWanted(spelling.owner))
          found.push({ from, to: from + spelling.text.length })
      at++
    }
  }

  /** The same in bytes, each of which counts as a character. */
  inBytes(bytes: Buffer, isWanted: (owner: Owner) => boolean, found: Span[]): void {
    const window = this.#window
    const leaps = this.#leaps
    for (let at = window - 1; at < bytes.length;) {
      const slot = slotOf(bytes[at - 2] ?? 0, bytes[at - 1] ?? 0, bytes[at] ?? 0)
      const leap = leaps[slot] ?? 1
      if (leap > 0) {
        at += leap
        continue
      }
      const from = at - window + 1
      for (const { text, owner } of this.#ending.get(slot) ?? [])
        if (bytes.toString('latin1', from, from + text.length) === text && isWanted(owner))
          found.push({ from, to: from + text.length })
      at++
    }
  }
}

const BLOCK = 3
const SLOTS = 65_536
/** A longer leap saves little, and a byte holds it. */
const LONGEST_WINDOW = 24

function slotOf(first: number, second: number, third: number): number {
  return (first ^ (second << 5) ^ (third << 10)) & (SLOTS - 1)
}

/** Puts `mark` in place of every span, those that touch taken together. */
export function replaceSpans(text: string, spans: readonly Span[], mark: string): string {
  const parts: string[] = []
  let done = 0
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    if (from > done || (from === 0 && parts.length === 0)) parts.push(text.slice(done, from), mark)
    done = Math.max(done, to)
  }
  return parts.join('') + text.slice(done)
}
