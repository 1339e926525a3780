import { isUtf8 } from 'node:buffer'

export interface LineReaderOptions {
  /** A longer line is thrown away as it comes. */
  readonly maxBytes: number
  /** A line that is not blank, without its end: as text where that was found to be UTF-8 already. */
  readonly onLine: (line: Buffer | string) => void
  /** A line became too long; the next one is read again. */
  readonly onTooLong: () => void
}

/** Cuts what comes in pieces into lines. */
export class LineReader {
  readonly #options: LineReaderOptions
  #parts: Buffer[] = []
  #length = 0
  #isSkipping = false

  constructor(options: LineReaderOptions) {
    this.#options = options
  }

  push(chunk: Buffer): void {
    let from = 0
    if (this.#length > 0 || this.#isSkipping) {
      const end = chunk.indexOf(NEWLINE)
      if (end === -1) return this.#take(chunk)
      this.#takeLine(chunk.subarray(0, end))
      from = end + 1
    }
    const last = chunk.lastIndexOf(NEWLINE)
    if (last >= from) this.#takeLines(chunk.subarray(from, last))
    this.#take(chunk.subarray(Math.max(from, last + 1)))
  }

  /** Nothing more comes: what there is of a line is all of it. */
  end(): void {
    if (this.#length > 0) this.#endLine()
  }

  /** Whole lines. Read as one text, which costs a third of a text each, where all of it is UTF-8 and none of it can be too long. */
  #takeLines(lines: Buffer): void {
    if (lines.length > this.#options.maxBytes || !isUtf8(lines)) {
      let from = 0
      for (let end = lines.indexOf(NEWLINE); end !== -1; end = lines.indexOf(NEWLINE, from)) {
        this.#takeLine(lines.subarray(from, end))
        from = end + 1
      }
      return this.#takeLine(lines.subarray(from))
    }
    const text = lines.toString('utf8')
    let from = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      this.#tell(text.slice(from, end))
      from = end + 1
    }
    this.#tell(text.slice(from))
  }

  #takeLine(line: Buffer): void {
    this.#take(line)
    this.#endLine()
  }

  #take(part: Buffer): void {
    if (this.#isSkipping) return
    this.#length += part.length
    if (this.#length > this.#options.maxBytes) {
      this.#parts = []
      this.#isSkipping = true
      this.#options.onTooLong()
    } else if (part.length > 0) this.#parts.push(part)
  }

  #endLine(): void {
    const line = this.#parts.length === 1 && this.#parts[0] ? this.#parts[0] : Buffer.concat(this.#parts)
    const wasSkipped = this.#isSkipping
    this.#parts = []
    this.#length = 0
    this.#isSkipping = false
    if (!wasSkipped) this.#tell(line)
  }

  #tell(line: Buffer | string): void {
    if (!isBlank(line)) this.#options.onLine(line)
  }
}

const NEWLINE = 0x0a

function isBlank(line: Buffer | string): boolean {
  for (let at = 0; at < line.length; at++) {
    const code = typeof line === 'string' ? line.charCodeAt(at) : line[at]
    if (code !== 0x20 && code !== 0x09 && code !== 0x0d) return false
  }
  return true
}
