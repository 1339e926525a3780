import type { Socket } from 'node:net'
import { OpenRequests } from '../../../data/open-requests.ts'
import type { ChannelBudget } from './budget.ts'
import { openChannelSocket, type ChannelEnd } from './channel-socket.ts'
import { readThrown, writeThrown } from './error-codec.ts'
import { FrameError, HOST_BOUNDS, PLUGIN_BOUNDS } from './frame.ts'
import type { CutArguments } from './arguments-codec.ts'
import { createFrameReader, type ReceivedCall } from './frame-reader.ts'
import { createFrameWriter, HeaderTooLarge, type Body } from './frame-writer.ts'

/** What is sent with a message: JSON, and text or bytes beside it that need not be parsed to be passed on. */
export interface SentMessage {
  readonly data?: unknown
  readonly body?: Body
}

/** What came with a message. Nothing of it is checked. */
export interface ReceivedMessage {
  readonly data: unknown
  readonly body: Buffer
}

/** A request that waits for its answer. The body is valid only until `resolve` returns. */
export interface PendingRequest {
  resolve(answer: ReceivedMessage): void
  reject(reason: unknown): void
}

/** What came back from a call of a tool, as the child's half of the code names it; the index is sent. */
export const RESULT_KINDS = ['text', 'json', 'nothing', 'input', 'result', 'object', 'no number'] as const
export type ResultKind = (typeof RESULT_KINDS)[number]

/** One end of the pipe between host and plugin. Both ends send requests and notifications. */
export interface Peer {
  /** Sends a request. `answer` rejects with what the other end threw, and with the reason given to `close`. */
  request(what: string, message?: SentMessage): { readonly id: number; readonly answer: Promise<ReceivedMessage> }
  /** The same for a caller that reads the body of the answer at once. Returns the id of the request. */
  sendRequest(pending: PendingRequest, what: string, message: SentMessage): number
  /** Requests a call of a tool; returns the id of the request. */
  call(tool: number, facts: number, body: Body | CutArguments, pending: PendingRequest): number
  /** Gives up a request: it is rejected with `reason`, and its answer is dropped when it comes. */
  giveUp(id: number, reason: unknown): void
  /** Sends a notification, and returns its bytes: 0 for one that is too large, which is not sent. */
  notify(what: string, data: unknown): number
  /** Ends the pipe; every pending request is rejected with `reason`. */
  close(reason: Error): void
}

export interface PeerOptions {
  readonly socket: ChannelEnd
  /** Who the other end is. The host is taken for what it says; a plugin's process is held to {@link PLUGIN_BOUNDS}. */
  readonly from: 'host' | 'plugin'
  /** Its body is to be read, or copied, before anything is awaited. */
  readonly onRequest: (what: string, message: ReceivedMessage, id: number) => Promise<SentMessage>
  /** Without it a call of a tool is an unknown message. */
  readonly onCall?: (call: ReceivedCall) => Promise<CallResult>
  readonly onNotification: (what: string, data: unknown) => void
  /** The other end wrote what it must not write; nothing more is read from it. `error` where that was found out by an error. */
  readonly onFault: (problem: string, error?: unknown) => void
  readonly onClose: () => void
  /** What the other end may cost. */
  readonly budget?: ChannelBudget
}

export interface CallResult {
  readonly as: ResultKind
  readonly body?: Body
}

/** Requests of the other end that are answered at a time. What it writes meanwhile waits in the pipe, and then in its own memory. */
const MAX_OPEN_REQUESTS = 1_024
/** The same for their bodies. */
const MAX_OPEN_BYTES = 64 * 1_048_576
/** More than this unread by the other end, and it is not going to read it. */
const MAX_UNREAD_BYTES = 64 * 1_048_576
/** A smaller message is not worth measuring: how many there may be is limited. */
const MEASURED_BYTES = 4_096

const REQUEST = 0
const ANSWER = 1
const FAILURE = 2
const NOTIFICATION = 3

/** Speaks with the other end of a pipe. */
export function openPeer(options: PeerOptions): Peer {
  const { from, onRequest, onCall, onNotification, onFault, onClose, budget } = options
  const [bounds, theirBounds] = from === 'host' ? [HOST_BOUNDS, PLUGIN_BOUNDS] : [PLUGIN_BOUNDS, HOST_BOUNDS]
  const open = new OpenRequests<PendingRequest>()
  let lastId = 0
  let answering = 0
  let answeringBytes = 0
  let closed: Error | undefined
  let isFaulty = false

  const reader = createFrameReader({
    bounds,
    onHeader: budget && ((bytes) => budget.frame(bytes)),
    onFrame: receive,
    onCall: receiveCall,
    onResult: (id, as, body) => answered(id, { data: AS[as], body }),
  })
  const socket: Socket = openChannelSocket(options.socket, {
    space: () => (isOver() ? NOWHERE : reader.space()),
    filled: (bytes) => read(bytes, () => reader.filled(bytes)),
    push: (chunk) => read(chunk.length, () => reader.push(chunk)),
  })
  const writer = createFrameWriter(socket, {
    maxHeaderBytes: theirBounds.headerBytes,
    // The host reads all its connections first. A plugin that is about to end for what it did not catch gives its answer before.
    later: from === 'host' ? (flush) => process.nextTick(flush) : setImmediate,
  })
  socket.on('error', () => {}) // the other end is gone: `close` follows
  socket.on('close', onClose)

  function isOver(): boolean {
    return closed !== undefined || isFaulty
  }

  /** Whatever is thrown here is the fault of what came: it ends the other end, and never this process. */
  function read(bytes: number, take: () => void): void {
    if (isOver()) return
    try {
      if (!budget || bytes < MEASURED_BYTES) return take()
      const before = process.threadCpuUsage()
      take()
      const { user, system } = process.threadCpuUsage(before)
      budget.spent((user + system) / 1_000)
    } catch (error) {
      if (error instanceof FrameError) fault(error.message)
      else fault('sent a message that could not be read', error)
    }
  }

  function fault(problem: string, error?: unknown): void {
    if (closed) return
    isFaulty = true
    socket.pause()
    onFault(problem, error)
  }

  function receive(header: unknown, body: Buffer): void {
    if (!Array.isArray(header)) throw new FrameError('sent a message of no known form')
    const [kind, id, what, data] = header as unknown[]
    if (kind === NOTIFICATION) budget?.notified()
    if (kind === NOTIFICATION && typeof id === 'string') return onNotification(id, what)
    if (typeof id !== 'number') throw new FrameError('sent a message of no known form')
    if (kind === REQUEST && typeof what === 'string')
      return answer(id, body.length, () => onRequest(what, { data, body }, id), replyTo(id))
    if (kind === ANSWER) answered(id, { data: what, body })
    else if (kind === FAILURE) failed(id, what, body.length)
    else throw new FrameError('sent a message of no known form')
  }

  function receiveCall(call: ReceivedCall): void {
    if (!onCall) throw new FrameError('sent a message of no known form')
    const { id, body } = call
    answer(
      id,
      body.length,
      () => onCall(call),
      ({ as, body: result = '' }) => {
        send(() => writer.result(id, RESULT_KINDS.indexOf(as), result))
      },
    )
  }

  function pendingOf(id: number, bodyBytes: number): PendingRequest | undefined {
    const pending = open.get(id)
    open.delete(id)
    // One that was dropped may still be answered, and so may one twice: the answer is not for anyone. The host answers whatever a plugin
    // writes into its channel itself.
    if (!pending && from === 'plugin' && !(id > 0 && id <= lastId)) throw new FrameError('answered a question that was not asked')
    if (!pending) budget?.unrequested(bodyBytes)
    return pending
  }

  function answered(id: number, message: ReceivedMessage): void {
    pendingOf(id, message.body.length)?.resolve(message)
  }

  function failed(id: number, thrown: unknown, bodyBytes: number): void {
    pendingOf(id, bodyBytes)?.reject(readThrown(thrown, from === 'host'))
  }

  function answer<Given>(id: number, bodyBytes: number, work: () => Promise<Given>, reply: (given: Given) => void): void {
    budget?.unrequested(bodyBytes)
    answering++
    answeringBytes += bodyBytes
    if (isFull()) socket.pause()
    const over = () => {
      const wasFull = isFull()
      answering--
      answeringBytes -= bodyBytes
      if (wasFull && !isFull() && !isFaulty) socket.resume()
    }
    Promise.try(work).then(
      (given) => {
        over()
        try {
          reply(given)
        } catch (error) {
          fail(id, error) // what JSON cannot hold
        }
      },
      (error: unknown) => {
        over()
        fail(id, error)
      },
    )
  }

  const isFull = () => answering >= MAX_OPEN_REQUESTS || answeringBytes > MAX_OPEN_BYTES

  const replyTo =
    (id: number) =>
    ({ data, body }: SentMessage) => {
      send(() => writer.json([ANSWER, id, data], body))
    }

  function fail(id: number, error: unknown): void {
    send(() => writer.json([FAILURE, id, writeThrown(error)]))
  }

  function send(write: () => number): number {
    if (closed) return 0
    const bytes = write()
    if (writer.waiting > MAX_UNREAD_BYTES) fault('does not read what it is sent')
    return bytes
  }

  /** Adds a request to the pending ones and sends it. */
  function openRequest(pending: PendingRequest, write: (id: number) => number): number {
    const id = ++lastId
    if (closed) {
      pending.reject(closed)
      return id
    }
    open.add(id, pending)
    try {
      send(() => write(id))
    } catch (error) {
      open.delete(id)
      pending.reject(error)
    }
    return id
  }

  return {
    request(what, message = {}) {
      const { promise, resolve, reject } = Promise.withResolvers<ReceivedMessage>()
      const pending: PendingRequest = {
        resolve: (message) => resolve({ data: message.data, body: Buffer.from(message.body) }),
        reject,
      }
      return { id: this.sendRequest(pending, what, message), answer: promise }
    },
    sendRequest: (pending, what, { data, body }) => openRequest(pending, (id) => writer.json([REQUEST, id, what, data], body)),
    call: (tool, facts, body, pending) => openRequest(pending, (id) => writer.call(id, tool, facts, body)),
    giveUp(id, reason) {
      open.get(id)?.reject(reason)
      open.delete(id)
    },
    notify(what, data) {
      try {
        return send(() => writer.json([NOTIFICATION, what, data]))
      } catch (error) {
        if (error instanceof HeaderTooLarge) return 0
        throw error
      }
    },
    close(reason) {
      if (closed) return
      closed = reason
      socket.destroy()
      for (const pending of open.values()) pending.reject(reason)
      open.clear()
    },
  }
}

/** What a result of a tool says of its body, made once. A number of none is for who reads it. */
const AS: readonly ({ readonly as: ResultKind } | undefined)[] = RESULT_KINDS.map((as) => Object.freeze({ as }))
/** What is read by a peer that is over is not looked at. */
const NOWHERE = Buffer.alloc(4_096)
