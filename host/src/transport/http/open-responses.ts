import type { ServerResponse } from 'node:http'
import { ActiveSet, type Membership } from '../../data/active-set.ts'
import { beginEarly, isEarly, keepWarm } from './early-answer.ts'

/** The responses that are not sent yet, without those that only wait for something to happen. */
export class Answering {
  readonly #open = new ActiveSet<OpenAnswer>(() => {
    for (const resolve of this.#waiting.splice(0)) resolve()
  })
  #waiting: (() => void)[] = []
  #tick = 0
  readonly #onClosed: (res: ServerResponse) => void

  /** `onClosed` is told of each one that was sent, or whose client is gone. */
  constructor(onClosed: (res: ServerResponse) => void = () => {}) {
    this.#onClosed = onClosed
  }

  /** Until it is closed, or says that it only waits. */
  add(res: ServerResponse): OpenAnswer {
    const answer = new OpenAnswer(res, this.#tick)
    answer.place = this.#open.add(answer)
    res.on('close', () => {
      answer.waits()
      this.#onClosed(res)
    })
    return answer
  }

  *[Symbol.iterator](): IterableIterator<ServerResponse> {
    for (const { res } of this.#open) yield res
  }

  /**
   * One step of time, a second in a host: begins the answers that take some seconds, and keeps those warm that were begun. One timer
   * for all of them; a timer for each would be a good part of what a call costs.
   */
  tick(): void {
    this.#tick++
    for (const answer of this.#open) {
      const age = this.#tick - answer.since
      if (isEarly(answer.res)) {
        if (age % WARM_TICKS === 0) keepWarm(answer.res)
      } else if (age > PATIENCE_TICKS && answer.mayBegin && !answer.res.headersSent && !answer.res.destroyed)
        beginEarly(answer.res, answer.headers)
    }
  }

  /** Resolves when all of them are sent, or their clients are gone. */
  done(): Promise<void> {
    return this.#open.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve))
  }
}

/** A response that is not sent yet. */
export class OpenAnswer {
  readonly res: ServerResponse
  /** The tick in which it was opened. */
  readonly since: number
  /** Its request is being served: nothing but the answer of the protocol comes, so that its head may be sent early. */
  mayBegin = false
  /** For that head. */
  headers: Readonly<Record<string, string>> | undefined
  place: Membership | undefined

  constructor(res: ServerResponse, since: number) {
    this.res = res
    this.since = since
  }

  /** It only waits for something to happen, or is over: closing does not wait for it. */
  waits(): void {
    this.place?.release()
  }
}

/** The length of a tick in a host. */
export const TICK_MS = 1_000
/** Proxies cut what is silent for 30 to 100 seconds; most calls are over much sooner, and cost less as JSON. */
const PATIENCE_TICKS = 3
const WARM_TICKS = 15
