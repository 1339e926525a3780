import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * The requests of one connection that came before the one ahead of them had its answer. Each waits until then: answers are sent in order,
 * and a client that sends many requests and reads nothing would have all their answers held. No client of MCP does that.
 */
export class Pipelined {
  readonly #waiting = new WeakMap<Socket, (() => void)[]>()
  #size = 0

  /** Calls `serve` at once, or when the answers ahead of this one are sent. A connection with too many of them is closed. */
  inTurn(req: IncomingMessage, res: ServerResponse, serve: () => void): void {
    // Node gives a response its connection when those ahead of it are sent.
    if (res.socket) return serve()
    const { socket } = req
    const queue = this.#waiting.get(socket) ?? []
    if (queue.length >= MOST_WAITING) return void socket.destroy()
    this.#waiting.set(socket, queue)
    queue.push(serve)
    this.#size++
  }

  /** To be told of every response that is over. */
  over({ req: { socket } }: ServerResponse): void {
    if (this.#size === 0) return
    const queue = this.#waiting.get(socket)
    if (!queue) return
    const next = socket.destroyed ? undefined : queue.shift()
    if (next) this.#size--
    else {
      this.#size -= queue.length
      this.#waiting.delete(socket)
    }
    next?.()
  }
}

const MOST_WAITING = 256
