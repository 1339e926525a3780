import type { ProtocolStdout } from './stdout-guard.ts'

/** Writes lines to the client, and knows whether it reads them. */
export class LineWriter {
  readonly #output: ProtocolStdout
  #lines = ''
  #isFull = false
  #unread = 0

  constructor(output: ProtocolStdout) {
    this.#output = output
  }

  /** The client does not read. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** About the bytes that were written while the client did not read. */
  get unread(): number {
    return this.#unread
  }

  /** Lines of one turn go out in one write: with many requests in flight a write each is most of what they cost. */
  write(line: string): void {
    if (this.#lines === '') process.nextTick(this.flush)
    this.#lines += `${line}\n`
    // What comes in one go may be more than is to be held.
    if (this.#lines.length >= BATCH) this.flush()
  }

  readonly flush = (): void => {
    const lines = this.#lines
    this.#lines = ''
    if (lines === '' || this.#output.write(lines)) return
    this.#isFull = true
    this.#unread += lines.length
  }

  /** The client reads again. */
  drained(): void {
    this.#isFull = false
    this.#unread = 0
  }
}

/** Characters; more goes out at once. */
const BATCH = 65_536
