import { LineBatch } from '../../data/memory/line-batch.ts'
import type { ProtocolStdout } from './stdout-guard.ts'

/** Writes lines to the client, and knows whether it reads them. */
export class LineWriter {
  readonly #batch: LineBatch
  #isFull = false
  #unread = 0

  constructor(output: ProtocolStdout) {
    this.#batch = new LineBatch((lines) => {
      if (output.write(lines)) return
      this.#isFull = true
      this.#unread += lines.length
    })
  }

  /** The client does not read. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** About the bytes that were written while the client did not read. */
  get unread(): number {
    return this.#unread
  }

  write(line: string): void {
    this.#batch.add(line)
  }

  flush(): void {
    this.#batch.flush()
  }

  /** The client reads again. */
  drained(): void {
    this.#isFull = false
    this.#unread = 0
  }
}
