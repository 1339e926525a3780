import type { ServerResponse } from 'node:http'
import { Roster } from '../../data/roster.ts'

/** The responses that are not sent yet, without those that only wait for something to happen. */
export class Answering {
  readonly #open = new Roster<ServerResponse>(() => {
    for (const resolve of this.#waiting.splice(0)) resolve()
  })
  #waiting: (() => void)[] = []

  /** Until it is closed; or until what this returns says that it only waits. */
  add(res: ServerResponse): () => void {
    const place = this.#open.add(res)
    const over = () => place.leave()
    res.on('close', over)
    return over
  }

  [Symbol.iterator](): IterableIterator<ServerResponse> {
    return this.#open[Symbol.iterator]()
  }

  /** Resolves when all of them are sent, or their clients are gone. */
  done(): Promise<void> {
    return this.#open.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve))
  }
}
