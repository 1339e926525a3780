import type { Socket } from 'node:net'
import { OpenRequests } from '../../../data/open-requests.ts'
import { createFrameReader, encodeFrame, FrameError } from './frame.ts'
import { readThrown, writeThrown } from './error-codec.ts'

/** What is sent with a message: JSON, and text or bytes beside it that need not be parsed to be passed on. */
export interface Parcel {
  readonly data?: unknown
  readonly body?: string | Uint8Array
}

/** What came with a message. Nothing of it is checked; `body` must be copied by who keeps it. */
export interface Packet {
  readonly data: unknown
  readonly body: Buffer
}

/** One end of the pipe between host and plugin. Both ends ask and answer alike. */
export interface Peer {
  /** Asks the other end. `answer` rejects with what it threw there, and with the reason given to `close`. */
  ask(what: string, parcel?: Parcel): { readonly id: number; readonly answer: Promise<Packet> }
  /** Gives up a question, which is rejected with `reason`: its answer is dropped when it comes. */
  giveUp(id: number, reason: unknown): void
  tell(what: string, data: unknown): void
  /** Ends the pipe; every open question is rejected with `reason`. */
  close(reason: Error): void
}

export interface PeerOptions {
  readonly socket: Socket
  readonly maxFrameBytes: number
  /** Whether the other end is the host, whose errors are taken for what they say. */
  readonly trusted: boolean
  readonly onAsk: (what: string, packet: Packet, id: number) => Promise<Parcel>
  readonly onTell: (what: string, data: unknown) => void
  /** The other end wrote what nobody may write; nothing more is read from it. */
  readonly onFault: (problem: string) => void
  readonly onClose: () => void
  /** Called for each message before it is looked at, whether it is told or part of a question; throws a {@link FrameError} for one too many. */
  readonly onMessage?: (isTold: boolean) => void
}

/** So many questions of the other end are answered at a time; what it writes meanwhile waits in the pipe, and then in its own memory. */
const MAX_OPEN_ASKS = 1_024
/** More than this unread by the other end, and it is not going to read it. */
const MAX_UNREAD_BYTES = 64 * 1_048_576

const ASK = 0
const ANSWER = 1
const FAILURE = 2
const TELL = 3

/** Speaks with the other end of a pipe. Frames that are written in one tick leave in one system call. */
export function openPeer({ socket, maxFrameBytes, trusted, onAsk, onTell, onFault, onClose, onMessage }: PeerOptions): Peer {
  const open = new OpenRequests<PromiseWithResolvers<Packet>>()
  let lastId = 0
  let answering = 0
  let closed: Error | undefined
  let isCorked = false

  function send(header: readonly unknown[], body?: string | Uint8Array): void {
    if (closed) return
    const frame = encodeFrame(header, body)
    if (!isCorked) {
      isCorked = true
      socket.cork()
      process.nextTick(uncork)
    }
    socket.write(frame)
    if (socket.writableLength > MAX_UNREAD_BYTES) fault('does not read what it is sent')
  }

  function uncork(): void {
    isCorked = false
    socket.uncork()
  }

  function fault(problem: string): void {
    if (closed) return
    socket.pause()
    onFault(problem)
  }

  function receive(header: unknown, body: Buffer): void {
    if (!Array.isArray(header)) throw new FrameError('sent a message of no known form')
    const [kind, id, what, data] = header as unknown[]
    onMessage?.(kind === TELL)
    if (kind === TELL && typeof id === 'string') return onTell(id, what)
    if (typeof id !== 'number') throw new FrameError('sent a message of no known form')
    if (kind === ASK && typeof what === 'string') return answer(id, what, { data, body })
    if (kind !== ANSWER && kind !== FAILURE) throw new FrameError('sent a message of no known form')
    const question = open.get(id)
    open.delete(id)
    // One that was dropped may still be answered, and so may one twice; nobody waits for it.
    if (!question && !(id > 0 && id <= lastId)) throw new FrameError('answered a question that nobody asked')
    if (kind === ANSWER) question?.resolve({ data: what, body })
    else question?.reject(readThrown(what, trusted))
  }

  function answer(id: number, what: string, packet: Packet): void {
    if (++answering === MAX_OPEN_ASKS) socket.pause()
    // The body is copied where it outlives this tick, which only the handler knows.
    onAsk(what, packet, id).then(
      ({ data, body }) => reply(ANSWER, id, data, body),
      (error: unknown) => reply(FAILURE, id, writeThrown(error)),
    )
  }

  function reply(kind: number, id: number, data: unknown, body?: string | Uint8Array): void {
    if (answering-- === MAX_OPEN_ASKS) socket.resume()
    try {
      send([kind, id, data], body)
    } catch (error) {
      send([FAILURE, id, writeThrown(error)]) // what JSON cannot hold
    }
  }

  const reader = createFrameReader(maxFrameBytes, receive)
  socket.on('data', (chunk: Buffer) => {
    if (closed) return
    try {
      reader.push(chunk)
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      fault(error.message)
    }
  })
  socket.on('error', () => {}) // the other end is gone: `close` follows
  socket.on('close', onClose)

  return {
    ask(what, { data, body } = {}) {
      const id = ++lastId
      if (closed) return { id, answer: Promise.reject(closed) }
      const question = Promise.withResolvers<Packet>()
      open.add(id, question)
      send([ASK, id, what, data], body)
      return { id, answer: question.promise }
    },
    giveUp(id, reason) {
      open.get(id)?.reject(reason)
      open.delete(id)
    },
    tell: (what, data) => send([TELL, what, data]),
    close(reason) {
      if (closed) return
      closed = reason
      socket.destroy()
      for (const question of open.values()) question.reject(reason)
      open.clear()
    },
  }
}
