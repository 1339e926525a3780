import type { ServerResponse } from 'node:http'

/**
 * What clients have not taken yet of what was sent to them, over all connections: memory that only they can free. With more of it than
 * there may be, the client is let go that took least of its answer, the oldest of
 * several: one that reads, however slowly, stays before all that read nothing.
 */
export class UnreadAnswers {
  readonly #mostBytes: number
  /** Whose client read last is last. */
  readonly #unread = new Map<ServerResponse, Unread>()
  #bytes = 0

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /**
   * Takes note of a response of which so many bytes are not gone yet, until its client takes the next piece; so many it took before. The
   * only one may be as long as it is.
   */
  add(res: ServerResponse, bytes = res.writableLength, taken = 0): void {
    this.#release(res)
    const release = () => this.#release(res)
    // Before the listener that writes the next piece, and adds it again.
    res.once('close', release).prependOnceListener('drain', release)
    this.#unread.set(res, { bytes, taken, release })
    this.#bytes += bytes
    while (this.#bytes > this.#mostBytes) {
      const [least, unread] = this.#slowest(res) ?? []
      if (!least || !unread) return
      this.#release(least)
      least.destroy(new SlowReader(unread.bytes))
    }
  }

  #slowest(but: ServerResponse): readonly [ServerResponse, Unread] | undefined {
    let found: readonly [ServerResponse, Unread] | undefined
    for (const one of this.#unread) if (one[0] !== but && (!found || one[1].taken < found[1].taken)) found = one
    return found
  }

  #release(res: ServerResponse): void {
    const known = this.#unread.get(res)
    if (!known) return
    this.#bytes -= known.bytes
    this.#unread.delete(res)
    res.off('close', known.release).off('drain', known.release)
  }
}

interface Unread {
  /** Not taken yet. */
  readonly bytes: number
  readonly taken: number
  readonly release: () => void
}

/** Why a response was ended before it was whole: its client did not read. */
export class SlowReader extends Error {
  /** In bytes. */
  readonly unread: number

  constructor(unread: number) {
    super('The client did not read its answer, and the memory was needed')
    this.unread = unread
  }
}

/** Those of this process. */
export const unreadAnswers = new UnreadAnswers(134_217_728)
