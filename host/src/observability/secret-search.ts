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
    // Each character by the lower of its bytes: what that lets through is looked at as text.
    this.#search(text.length, {
      copy: (bytes, from) => bytes.write(from === 0 ? text : text.slice(from, from + LONGEST), 'latin1'),
      look: (first, end) => this.#inPart(text, first, end, isWanted, found),
    })
  }

  /** The same in bytes, each of which counts as a character. */
  inBytes(bytes: Buffer, isWanted: (owner: Owner) => boolean, found: Span[]): void {
    this.#search(bytes.length, {
      copy: (target, from) => bytes.copy(target, 0, from),
      look: (first, end) => this.#inBytes(bytes, first, end, isWanted, found),
    })
  }

  /** Looks at those places of something long where a block of a spelling is, and at all of what is short. */
  #search(length: number, { copy, look }: Searched): void {
    const window = this.#window
    const blocks = this.#blocks
    if (!blocks || length < LONG) return look(window - 1, length)
    const { bytes, words } = (scratch ??= newScratch())
    const stride = (window - BLOCK_BYTES + 1) >>> 2
    let done = window - 1
    // A window across two pieces has four characters in the second, whose first block is looked at, or else enough in the first.
    for (let from = 0; from < length; from += LONGEST) {
      const end = copy(bytes, from) >>> 2
      for (let word = nextBlock(words, blocks, 0, end, stride); word < end;) {
        const at = from + word * BLOCK_BYTES
        const first = Math.max(done, at + BLOCK_BYTES - 1)
        const last = Math.min(length, at + window)
        if (first < last) look(first, last)
        done = Math.max(done, last)
        word = nextBlock(words, blocks, word + stride, end, stride)
      }
    }
  }

  /** Those whose window ends from `first` on and before `end`. */
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

  #inBytes(bytes: Buffer, first: number, end: number, isWanted: (owner: Owner) => boolean, found: Span[]): void {
    const window = this.#window
    const leaps = this.#leaps
    for (let at = first; at < end;) {
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

/** Of so many characters, four in a row are a block of their own wherever the spelling begins. */
const SHORTEST_FOR_BLOCKS = 7
/** A shorter text is searched before it is copied. */
const LONG = 2_048
const BLOCK_BYTES = 4
/** Spread the bits of four characters, after Knuth and after MurmurHash. */
const MULTIPLIER = 0x9e3779b1
const OTHER_MULTIPLIER = 0x85ebca6b

/** What is longer is copied in pieces. */
const LONGEST = 1_048_576

interface Searched {
  /** Copies what begins `from`, as much as fits, and returns how much that was. */
  readonly copy: (target: Buffer, from: number) => number
  /** Finds the spellings whose window ends from `first` on and before `end`. */
  readonly look: (first: number, end: number) => void
}

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

/** The first word from `word` on, one in `stride`, that may be a block of a spelling; at or beyond `end` where none is. */
function nextBlock(words: Int32Array, { bits, shift }: BlockSet, word: number, end: number, stride: number): number {
  for (; word < end; word += stride) {
    const block = words[word] as number
    const slot = Math.imul(block, MULTIPLIER) >>> shift
    if ((((bits[slot >>> 5] as number) >>> (slot & 31)) & 1) === 0) continue
    // One word in thirty passes the first look by chance, one in a thousand both.
    const other = Math.imul(block, OTHER_MULTIPLIER) >>> shift
    if ((((bits[other >>> 5] as number) >>> (other & 31)) & 1) !== 0) break
  }
  return word
}

/** Which four characters follow each other anywhere in the window of a spelling, as a set that may hold others as well. */
interface BlockSet {
  readonly bits: Int32Array
  readonly shift: number
}

/**
 * A text with a spelling in it has one of its blocks at every place that is a window apart or less: so only those places are looked at, and
 * none waits for the one before, as the next leap does. One in thirty bits is set, for whatever number of spellings.
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
      for (const multiplier of [MULTIPLIER, OTHER_MULTIPLIER]) {
        const slot = Math.imul(words[0] as number, multiplier) >>> shift
        bits[slot >>> 5] = (bits[slot >>> 5] ?? 0) | (1 << (slot & 31))
      }
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
