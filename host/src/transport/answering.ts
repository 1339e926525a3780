import type { ServerResponse } from 'node:http'

/** The responses that are not sent yet, without those that only wait for something to happen. */
export class Answering {
  readonly #open = new Set<ServerResponse>()
  #waiting: (() => void)[] = []

  add(res: ServerResponse): void {
    this.#open.add(res)
    res.once('close', () => this.delete(res))
  }

  [Symbol.iterator](): IterableIterator<ServerResponse> {
    return this.#open.values()
  }

  delete(res: ServerResponse): void {
    this.#open.delete(res)
    if (this.#open.size > 0) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Resolves when all of them are sent, or their clients are gone. */
  done(): Promise<void> {
    return this.#open.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve))
  }
}
