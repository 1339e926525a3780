type RequestId = string | number

/** A request that is not begun yet. */
export interface QueuedRequest {
  readonly message: unknown
  readonly id: RequestId
  /** What its line took. */
  readonly bytes: number
  /** It came when the transport was closing. */
  readonly isLate: boolean
}

/** Requests of one connection that wait until others have their answers, in the order in which they came. */
export class RequestQueue {
  #requests: QueuedRequest[] = []
  #bytes = 0

  get size(): number {
    return this.#requests.length
  }

  get bytes(): number {
    return this.#bytes
  }

  add(request: QueuedRequest): void {
    this.#requests.push(request)
    this.#bytes += request.bytes
  }

  take(): QueuedRequest | undefined {
    const first = this.#requests.shift()
    if (first) this.#bytes -= first.bytes
    return first
  }

  /** After `notifications/cancelled`: it is never begun. */
  cancel(id: RequestId): void {
    const index = this.#requests.findIndex((request) => request.id === id)
    const [gone] = index === -1 ? [] : this.#requests.splice(index, 1)
    if (gone) this.#bytes -= gone.bytes
  }
}
