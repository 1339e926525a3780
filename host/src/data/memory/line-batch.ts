/**
 * Lines of text that leave together. What is added in one turn of the event loop goes out in one write: with many requests in flight a
 * write each, which wakes the process at the other end, is most of what they cost.
 */
export class LineBatch {
  readonly #write: (lines: string) => void
  #lines = ''

  constructor(write: (lines: string) => void) {
    this.#write = write
  }

  /** Characters that have not gone out. */
  get length(): number {
    return this.#lines.length
  }

  add(line: string): void {
    if (this.#lines === '') process.nextTick(this.flush)
    this.#lines += `${line}\n`
    // What comes in one turn may be more than is to be held.
    if (this.#lines.length >= MOST_CHARACTERS) this.flush()
  }

  readonly flush = (): void => {
    const lines = this.#lines
    this.#lines = ''
    if (lines !== '') this.#write(lines)
  }
}

/** More goes out at once. */
const MOST_CHARACTERS = 65_536
