import type { Readable } from 'node:stream'

export interface HeldInputOptions {
  readonly input: Readable
  /** Whether the next chunk can be read now. */
  readonly canRead: () => boolean
  readonly read: (chunk: Buffer) => void
}

/** How many bytes are kept while no request may begin. At this limit the host stops reading. */
export const MOST_HELD = 262_144

/** What came while no more could be queued: a little of it is kept, so that the end of the input, which follows it, is seen. */
export class HeldInput {
  readonly #options: HeldInputOptions
  #chunks: Buffer[] = []
  #bytes = 0
  #isReading = false

  constructor(options: HeldInputOptions) {
    this.#options = options
  }

  get isEmpty(): boolean {
    return this.#chunks.length === 0
  }

  /** Reads what came, or keeps it. */
  take(chunk: Buffer): void {
    const { input, canRead, read } = this.#options
    if (this.isEmpty && canRead()) return read(chunk)
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes >= MOST_HELD) input.pause()
  }

  /** Reads what is kept, as far as it can be. */
  resume(): void {
    if (!this.#isReading) this.#readNext()
  }

  /** Reads all that is kept, whatever holds it back: the input is over. */
  readAll(): void {
    for (const chunk of this.#chunks.splice(0)) this.#options.read(chunk)
  }

  clear(): void {
    this.#chunks = []
  }

  /** One piece a turn: its answers may be more than the client takes. */
  readonly #readNext = (): void => {
    const { input, canRead, read } = this.#options
    this.#isReading = false
    if (!canRead()) return
    const chunk = this.#chunks.shift()
    if (!chunk) return void input.resume()
    this.#isReading = true
    this.#bytes -= chunk.length
    read(chunk)
    setImmediate(this.#readNext)
  }
}
