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
  readonly #blocks: BlockSet | undefined

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
    if (window >= SHORTEST_FOR_BLOCKS) this.#blocks = blockSetOf(spellings, window)
  }

  /** Where a spelling of an owner that `isWanted` stands, in order; places may overlap. */
  inText(text: string, isWanted: (owner: Owner) => boolean, found: Span[]): void {
    const window = this.#window
    if (!this.#blocks || text.length < LONG || text.length > LONGEST) {
      this.#inPart(text, window - 1, text.length, isWanted, found)
      return
    }
    // Each character by the lower of its bytes: what that lets through is looked at as text.
    const { bytes, words } = (scratch ??= newScratch())
    const length = bytes.write(text, 'latin1')
    const { bits, shift } = this.#blocks
    const stride = (window - BLOCK_BYTES + 1) >>> 2
    const end = length >>> 2
    let done = window - 1
    for (let word = 0; word < end; word += stride) {
      const slot = Math.imul(words[word] as number, MULTIPLIER) >>> shift
      if ((((bits[slot >>> 5] as number) >>> (slot & 31)) & 1) === 0) continue
      const at = word * BLOCK_BYTES
      const first = Math.max(done, at + BLOCK_BYTES - 1)
      const last = Math.min(length, at + window)
      if (first < last) this.#inPart(text, first, last, isWanted, found)
      done = Math.max(done, last)
    }
  }

  /** Those whose window ends from `at` on and before `end`. */
  #inPart(text: string, first: number, end: number, isWanted: (owner: Owner) => boolean, found: Span[]): void {
    const window = this.#window
    const leaps = this.#leaps
    for (let at = first; at < end;) {
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
const LONGEST_WINDOW = 32

/** In a shorter text one block after the other tells too little. */
const SHORTEST_FOR_BLOCKS = 10
/** A shorter text is searched before it is copied. */
const LONG = 2_048
const BLOCK_BYTES = 4
/** Spreads the bits of four characters, after Knuth. */
const MULTIPLIER = 0x9e3779b1

/** A longer text is more than may be answered, as a rule. */
const LONGEST = 1_048_576

/** One text at a time: the search is synchronous. */
let scratch: Scratch | undefined

interface Scratch {
  readonly bytes: Buffer
  /** The same memory. */
  readonly words: Int32Array
}

function newScratch(): Scratch {
  const bytes = Buffer.allocUnsafeSlow(LONGEST)
  return { bytes, words: new Int32Array(bytes.buffer, bytes.byteOffset, LONGEST / BLOCK_BYTES) }
}

/** Which four characters follow each other anywhere in the window of a spelling, as a set that may hold others as well. */
interface BlockSet {
  readonly bits: Int32Array
  readonly shift: number
}

/**
 * A text with a spelling in it has one of its blocks at every place that is a window apart or less: so only those places are looked at, and
 * none waits for the one before, as the next leap does. One in a hundred bits is set, for whatever number of spellings.
 */
function blockSetOf(spellings: readonly Spelling<unknown>[], window: number): BlockSet {
  const blocks = spellings.length * (window - BLOCK_BYTES + 1)
  const size = Math.min(Math.max(Math.ceil(Math.log2(blocks * 64)), 13), 21)
  const bits = new Int32Array(2 ** (size - 5))
  const shift = 32 - size
  const { bytes, words } = (scratch ??= newScratch())
  for (const { text } of spellings)
    for (let at = 0; at <= window - BLOCK_BYTES; at++) {
      bytes.write(text.slice(at, at + BLOCK_BYTES), 'latin1')
      const slot = Math.imul(words[0] as number, MULTIPLIER) >>> shift
      bits[slot >>> 5] = (bits[slot >>> 5] ?? 0) | (1 << (slot & 31))
    }
  return { bits, shift }
}

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
