import type { ServerResponse } from 'node:http'

/**
 * What clients have not taken yet of what was sent to them, over all connections: memory that only they can free. With more of it than
 * there may be, the client that had the most time to read is let go.
 */
export class UnreadAnswers {
  readonly #mostBytes: number
  /** The oldest first. */
  readonly #unread = new Map<ServerResponse, number>()
  #bytes = 0

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** Takes note of a response of which something was written and is not gone yet. The only one may be as long as it is. */
  add(res: ServerResponse): void {
    const before = this.#unread.get(res)
    if (before === undefined) {
      const release = () => this.#release(res)
      res.once('close', release).once('drain', release)
    }
    this.#unread.set(res, res.writableLength)
    this.#bytes += res.writableLength - (before ?? 0)
    for (const [oldest, unread] of this.#unread) {
      if (this.#bytes <= this.#mostBytes || oldest === res) return
      this.#release(oldest)
      oldest.destroy(new SlowReader(unread))
    }
  }

  #release(res: ServerResponse): void {
    this.#bytes -= this.#unread.get(res) ?? 0
    this.#unread.delete(res)
  }
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
