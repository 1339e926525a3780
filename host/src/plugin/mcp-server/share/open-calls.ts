import type { ClientLogLevel } from '../../run/running.ts'
import type { Fields } from '../connect/types.ts'

/** A call that runs at a server, for what the server says meanwhile. */
export interface OpenCall {
  /** It has a question that its caller has not answered. */
  readonly isAsking: boolean
  /** Has the caller answer a question of the server. */
  ask(method: string, params: Fields, signal: AbortSignal): Promise<Fields>
  log(level: ClientLogLevel, data: unknown): void
}

/**
 * The calls that run at a server over one connection, in the order in which they began. A list: a Set makes a new table every few removals,
 * and one that grew old keeps what was in those after it until all of memory is collected. With 64 calls in flight that was a third of
 * what a call cost.
 */
export class OpenCalls {
  readonly #calls: OpenCall[] = []

  get size(): number {
    return this.#calls.length
  }

  add(call: OpenCall): void {
    this.#calls.push(call)
  }

  delete(call: OpenCall): void {
    const index = this.#calls.indexOf(call)
    if (index !== -1) this.#calls.splice(index, 1)
  }

  /** The one that began last. */
  get last(): OpenCall | undefined {
    return this.#calls.at(-1)
  }

  /** The last one whose caller is not being asked: the one that a server most likely asks for. */
  get lastNotAsking(): OpenCall | undefined {
    return this.#calls.findLast(({ isAsking }) => !isAsking)
  }
}
