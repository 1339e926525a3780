import type { Socket } from 'node:net'
import { OpenRequests } from '../../../data/open-requests.ts'
import type { ChannelBudget } from './budget.ts'
import { createFrameReader, encodeFrame, FrameError, HeaderTooLarge, HOST_BOUNDS, PLUGIN_BOUNDS } from './frame.ts'
import { readThrown, writeThrown } from './error-codec.ts'

/** What is sent with a message: JSON, and text or bytes beside it that need not be parsed to be passed on. */
export interface SentMessage {
  readonly data?: unknown
  readonly body?: string | Uint8Array
}

/** What came with a message. Nothing of it is checked; `body` must be copied by who keeps it. */
export interface ReceivedMessage {
  readonly data: unknown
  readonly body: Buffer
}

/** One end of the pipe between host and plugin. Both ends ask and answer alike. */
export interface Peer {
  /** Asks the other end. `answer` rejects with what it threw there, and with the reason given to `close`. */
  ask(what: string, parcel?: SentMessage): { readonly id: number; readonly answer: Promise<ReceivedMessage> }
  /** Gives up a question, which is rejected with `reason`: its answer is dropped when it comes. */
  giveUp(id: number, reason: unknown): void
  /** Gives how many bytes were sent: none of what is too large. */
  tell(what: string, data: unknown): number
  /** Ends the pipe; every open question is rejected with `reason`. */
  close(reason: Error): void
}

export interface PeerOptions {
  readonly socket: Socket
  /** Who the other end is. The host is taken for what it says; a plugin's process is held to {@link PLUGIN_BOUNDS}. */
  readonly from: 'host' | 'plugin'
  readonly onRequest: (what: string, packet: ReceivedMessage, id: number) => Promise<SentMessage>
  readonly onNotification: (what: string, data: unknown) => void
  /** The other end wrote what it must not write; nothing more is read from it. `error` where that was found out by an error. */
  readonly onFault: (problem: string, error?: unknown) => void
  readonly onClose: () => void
  /** What the other end may cost. */
  readonly budget?: ChannelBudget
}

/** Limit of questions of the other end that are answered at a time; what it writes meanwhile waits in the pipe, and then in its own memory. */
const MAX_OPEN_ASKS = 1_024
/** The same for the bodies of them. */
const MAX_OPEN_BYTES = 64 * 1_048_576
/** More than this unread by the other end, and it is not going to read it. */
const MAX_UNREAD_BYTES = 64 * 1_048_576
/** A smaller message is not worth measuring: how many there may be is limited. */
const MEASURED_BYTES = 4_096

const ASK = 0
const ANSWER = 1
const FAILURE = 2
const TELL = 3

/** Speaks with the other end of a pipe. Frames that are written in one tick leave in one system call. */
export function openPeer({ socket, from, onRequest, onNotification, onFault, onClose, budget }: PeerOptions): Peer {
  const [bounds, theirBounds] = from === 'host' ? [HOST_BOUNDS, PLUGIN_BOUNDS] : [PLUGIN_BOUNDS, HOST_BOUNDS]
  const open = new OpenRequests<PromiseWithResolvers<ReceivedMessage>>()
  let lastId = 0
  let answering = 0
  let answeringBytes = 0
  let closed: Error | undefined
  let isCorked = false
  let isFaulty = false

  function send(header: readonly unknown[], body?: string | Uint8Array): number {
    if (closed) return 0
    const frame = encodeFrame(header, body, theirBounds.headerBytes)
    if (!isCorked) {
      isCorked = true
      socket.cork()
      process.nextTick(uncork)
    }
    socket.write(frame)
    if (socket.writableLength > MAX_UNREAD_BYTES) fault('does not read what it is sent')
    return frame.length
  }

  function uncork(): void {
    isCorked = false
    socket.uncork()
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
    if (kind === TELL) budget?.told()
    if (kind === TELL && typeof id === 'string') return onNotification(id, what)
    if (typeof id !== 'number') throw new FrameError('sent a message of no known form')
    if (kind === ASK && typeof what === 'string') {
      budget?.unasked(body.length)
      return answer(id, what, { data, body })
    }
    if (kind !== ANSWER && kind !== FAILURE) throw new FrameError('sent a message of no known form')
    const question = open.get(id)
    open.delete(id)
    if (!question) {
      // One that was dropped may still be answered, and so may one twice: the answer is not for anyone. The host answers whatever a plugin
      // writes into its channel itself.
      if (from === 'plugin' && !(id > 0 && id <= lastId)) throw new FrameError('answered a question that was not asked')
      budget?.unasked(body.length)
    } else if (kind === ANSWER) question.resolve({ data: what, body })
    else question.reject(readThrown(what, from === 'host'))
  }

  function answer(id: number, what: string, packet: ReceivedMessage): void {
    const { length } = packet.body
    answering++
    answeringBytes += length
    if (isFull()) socket.pause()
    const over = () => {
      const wasFull = isFull()
      answering--
      answeringBytes -= length
      if (wasFull && !isFull() && !isFaulty) socket.resume()
    }
    // The body is copied where it outlives this tick, which only the handler knows.
    Promise.try(onRequest, what, packet, id).then(
      ({ data, body }) => {
        over()
        reply(ANSWER, id, data, body)
      },
      (error: unknown) => {
        over()
        reply(FAILURE, id, writeThrown(error))
      },
    )
  }

  const isFull = () => answering >= MAX_OPEN_ASKS || answeringBytes > MAX_OPEN_BYTES

  function reply(kind: number, id: number, data: unknown, body?: string | Uint8Array): void {
    try {
      send([kind, id, data], body)
    } catch (error) {
      send([FAILURE, id, writeThrown(error)]) // what JSON cannot hold
    }
  }

  const reader = createFrameReader({
    bounds,
    onHeader: budget && ((bytes) => budget.frame(bytes)),
    onFrame: receive,
  })
  // Whatever is thrown here is the fault of what came: it ends the other end, and never this process.
  socket.on('data', (chunk: Buffer) => {
    if (closed || isFaulty) return
    try {
      if (!budget || chunk.length < MEASURED_BYTES) return reader.push(chunk)
      const before = process.threadCpuUsage()
      reader.push(chunk)
      const { user, system } = process.threadCpuUsage(before)
      budget.spent((user + system) / 1_000)
    } catch (error) {
      if (error instanceof FrameError) fault(error.message)
      else fault('sent a message that could not be read', error)
    }
  })
  socket.on('error', () => {}) // the other end is gone: `close` follows
  socket.on('close', onClose)

  return {
    ask(what, { data, body } = {}) {
      const id = ++lastId
      if (closed) return { id, answer: Promise.reject(closed) }
      const question = Promise.withResolvers<ReceivedMessage>()
      open.add(id, question)
      try {
        send([ASK, id, what, data], body)
      } catch (error) {
        open.delete(id)
        question.reject(error)
      }
      return { id, answer: question.promise }
    },
    giveUp(id, reason) {
      open.get(id)?.reject(reason)
      open.delete(id)
    },
    tell(what, data) {
      try {
        return send([TELL, what, data])
      } catch (error) {
        if (error instanceof HeaderTooLarge) return 0
        throw error
      }
    },
    close(reason) {
      if (closed) return
      closed = reason
      socket.destroy()
      for (const question of open.values()) question.reject(reason)
      open.clear()
    },
  }
}
