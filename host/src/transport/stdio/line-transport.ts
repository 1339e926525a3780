import type { Readable } from 'node:stream'
import type { AuthInfo, JSONRPCMessage, MessageExtraInfo, RequestId, Transport } from '@modelcontextprotocol/server'
import { isObject } from '../../data/json.ts'
import { parseMessage, parseText } from '../http/body.ts'
import type { FastLines } from './fast-lines.ts'
import { OpenRequests } from '../../data/open-requests.ts'
import { HeldInput, MOST_HELD } from './held-input.ts'
import { LineReader } from './line-reader.ts'
import { LineWriter } from './line-writer.ts'
import { RequestQueue } from './request-queue.ts'
import { INTERNAL_ERROR, INVALID_REQUEST } from '../http/respond.ts'
import type { ProtocolStdout } from './stdout-guard.ts'

export interface LineTransportOptions {
  readonly input: Readable
  readonly output: ProtocolStdout
  /** Who is at the other end. */
  readonly authInfo: AuthInfo
  /** A longer line is answered with an error and thrown away as it comes. */
  readonly maxBytes: number
  /** Requests that are answered at a time; those after them wait. Each may have an answer as large as a result may be. */
  readonly maxAtOnce: number
  /** A message came that is the SDK's, which does not listen yet: until it starts, what comes for it waits. */
  readonly onNeeded: () => void
  /** The fast path for hot methods; without it the SDK answers them too. */
  readonly fastPath?: FastLines | undefined
}

/**
 * One JSON-RPC message a line. The SDK's own passes over lines that are not JSON, replaces invalid UTF-8 and ends on a long line;
 * here each of them gets an error and the next line is served. While the client does not read, a little of what it sends is kept and no
 * request of it is begun: so the end of its input is seen, which follows what it sent.
 */
export class LineTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage, extra?: MessageExtraInfo) => void
  /** Called when the input is over; answers can still be sent. */
  oninputend?: () => void
  /** Called when nothing can be sent any more. */
  onoutputend?: () => void
  /** Refuses requests from now on. */
  isDraining = false
  /** The SDK's check of a message. Throws for what is none. */
  parse: ((message: unknown) => JSONRPCMessage) | undefined
  readonly #options: LineTransportOptions
  readonly #unanswered = new OpenRequests<true>()
  readonly #reader: LineReader
  #isOpen = false
  #isClosed = false
  /** For the SDK, until it listens. */
  #waiting: Waiting[] = []
  #answered: (() => void) | undefined
  readonly #writer: LineWriter
  #isInputOver = false
  /** Requests that are not begun yet. */
  readonly #queue = new RequestQueue()
  readonly #held: HeldInput

  constructor(options: LineTransportOptions) {
    this.#options = options
    const { input, output, maxBytes } = options
    this.#writer = new LineWriter(output)
    this.#held = new HeldInput({ input, canRead: () => this.#canRead, read: (chunk) => this.#read(chunk) })
    this.#reader = new LineReader({
      maxBytes,
      onLine: (line) => this.#receive(line),
      onTooLong: () => this.#refuse(INVALID_REQUEST, `The message is longer than ${maxBytes} bytes (limits.bodyBytes)`),
    })
  }

  get authInfo(): AuthInfo {
    return this.#options.authInfo
  }

  /** Begins to read. Called again by the SDK, it gets what waits for it. */
  start(): Promise<void> {
    const { input, output } = this.#options
    if (this.#isOpen) this.#passWaiting()
    if (this.#isOpen || this.#isClosed) return Promise.resolve()
    this.#isOpen = true
    input.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onEnd).on('error', this.#onInputError)
    output.on('error', this.#onOutputError)
    output.on('drain', this.#onDrain)
    if (input.readableEnded || input.destroyed) setImmediate(this.#onEnd)
    return Promise.resolve()
  }

  send(message: JSONRPCMessage): Promise<void> {
    if (!this.#isOpen) return Promise.reject(new Error('The connection is closed'))
    if (!('method' in message) && message.id !== undefined) {
      this.#options.fastPath?.answered(message)
      this.#settle(message.id)
    }
    this.#write(message)
    return Promise.resolve()
  }

  close(): Promise<void> {
    if (!this.#isOpen) return Promise.resolve()
    this.#isOpen = false
    this.#isClosed = true
    const { input, output } = this.#options
    input.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onEnd).off('error', this.#onInputError)
    input.pause()
    output.off('drain', this.#onDrain)
    // Kept: a write that fails after the end must not become an uncaught error.
    output.on('error', () => {})
    output.off('error', this.#onOutputError)
    this.#unanswered.clear()
    this.#waiting = []
    this.#held.clear()
    this.refuseQueued()
    this.#writer.flush()
    this.#answered?.()
    this.onclose?.()
    return Promise.resolve()
  }

  /** Answers the requests that were not begun yet: they never will be. */
  refuseQueued(): void {
    for (let left = this.#queue.take(); left; left = this.#queue.take()) this.#refuse(INTERNAL_ERROR, CLOSING, left.id)
  }

  /** Resolves when every request that came has its answer. */
  answered(): Promise<void> {
    if (this.#isIdle) return Promise.resolve()
    return new Promise((resolve) => (this.#answered = resolve))
  }

  #receive(line: Buffer | string): void {
    const read = typeof line === 'string' ? parseText(line) : parseMessage(line)
    if (read.refused) return this.#refuse(read.refused.code, read.refused.message)
    const { message } = read
    const id = this.#mustWait || this.#queue.size > 0 ? requestId(message) : undefined
    if (id === undefined) this.#serve(message, this.isDraining)
    else this.#queue.add({ message, id, bytes: line.length, isLate: this.isDraining })
  }

  /** What of its own answer is known now goes out at once; the rest when it is known. */
  #serve(message: unknown, isLate: boolean): void {
    if (!isLate && this.#takeDirectly(message)) return
    if (this.parse) this.#pass(this.parse, message, isLate)
    else this.#wait(message, isLate)
  }

  /** Whether a request has to wait: for others, or for the client to read. After the end of the input, only what memory can take. */
  get #mustWait(): boolean {
    if (this.#unanswered.size + this.#waiting.length >= this.#options.maxAtOnce) return true
    return this.#writer.isFull && (!this.#isInputOver || this.#writer.unread > MOST_UNREAD)
  }

  #serveQueue(): void {
    while (this.#isOpen && this.#queue.size > 0 && !this.#mustWait) {
      const next = this.#queue.take()
      if (next) this.#try(() => this.#serve(next.message, next.isLate))
    }
    this.#held.resume()
  }

  get #isIdle(): boolean {
    return this.#unanswered.size === 0 && this.#waiting.length === 0 && this.#queue.size === 0
  }

  #wait(message: unknown, isLate: boolean, extra?: MessageExtraInfo): void {
    this.#options.fastPath?.handOff()
    this.#waiting.push({ message, extra, isLate })
    if (this.#waiting.length >= MAX_WAITING) this.#options.input.pause()
    this.#options.onNeeded()
  }

  #passWaiting(): void {
    const { fastPath, input } = this.#options
    const cancellation = fastPath?.lateCancellation()
    if (cancellation) this.onmessage?.(cancellation)
    const waiting = this.#waiting
    this.#waiting = []
    for (const { message, extra, isLate } of waiting) {
      if (extra) this.onmessage?.(message as JSONRPCMessage, extra)
      else if (this.parse) this.#pass(this.parse, message, isLate)
    }
    this.#serveQueue()
    if (this.#isIdle) this.#answered?.()
    input.resume()
  }

  /** Whether something waits for the SDK. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  #pass(parse: (message: unknown) => JSONRPCMessage, read: unknown, isLate: boolean): void {
    this.#options.fastPath?.handOff()
    let message: JSONRPCMessage
    try {
      message = parse(read)
    } catch {
      const id = isObject(read) ? read['id'] : undefined
      return this.#refuse(
        INVALID_REQUEST,
        'The line is not one JSON-RPC message',
        typeof id === 'string' || typeof id === 'number' ? id : null,
      )
    }
    if ('method' in message && 'id' in message) {
      if (isLate) return this.#refuse(INTERNAL_ERROR, CLOSING, message.id)
      // A subscription is answered when it ends, which may be never.
      if (message.method !== 'subscriptions/listen' && !this.#unanswered.has(message.id)) this.#unanswered.add(message.id, true)
      this.#options.fastPath?.passed(message)
    } else if ('method' in message && message.method === 'notifications/cancelled') {
      const id = message.params?.['requestId']
      if (typeof id === 'string' || typeof id === 'number') {
        this.#options.fastPath?.cancel(id)
        this.#queue.cancel(id)
        this.#settle(id)
      }
    }
    this.onmessage?.(message)
  }

  #refuse(code: number, message: string, id: RequestId | null = null): void {
    this.onerror?.(new Error(message))
    this.#write({ jsonrpc: '2.0', id, error: { code, message } })
  }

  /** False when the message is the SDK's. */
  #takeDirectly(message: unknown): boolean {
    const { fastPath } = this.#options
    if (!fastPath || !isObject(message)) return false
    const id = message['id'] as RequestId
    if (this.#unanswered.has(id)) return false
    const answer = fastPath.answer(message, (authInfo) => {
      if (this.parse) this.onmessage?.(message as JSONRPCMessage, { authInfo })
      else this.#wait(message, this.isDraining, { authInfo })
    })
    if (answer === undefined) return false
    if (typeof answer === 'string') {
      this.#writer.write(answer)
      return true
    }
    this.#unanswered.add(id, true)
    answer.then(
      (line) => {
        if (line === undefined) return
        this.#settle(id)
        this.#writer.write(line)
      },
      (error: unknown) => {
        this.onerror?.(error as Error)
        this.#refuse(INTERNAL_ERROR, 'Something failed inside the host', id)
        this.#settle(id)
      },
    )
    return true
  }

  #write(message: unknown): void {
    this.#writer.write(JSON.stringify(message))
  }

  #settle(id: RequestId): void {
    this.#unanswered.delete(id)
    if (this.#queue.size > 0 || !this.#held.isEmpty) this.#serveQueue()
    if (this.#isIdle) this.#answered?.()
  }

  readonly #onData = (chunk: Buffer): void => this.#held.take(chunk)
  get #canRead(): boolean {
    return this.#isOpen && !this.#writer.isFull && this.#queue.bytes < MOST_HELD
  }
  #read(chunk: Buffer): void {
    this.#try(() => this.#reader.push(chunk))
  }
  /** What is thrown on the way is the fault of what came, or ours, and never worth the process. */
  #try(serve: () => void): void {
    try {
      serve()
    } catch (error) {
      this.onerror?.(error as Error)
      this.#refuse(INTERNAL_ERROR, 'Something failed inside the host')
    }
  }
  readonly #onEnd = (): void => {
    // The end is near: what came before it is served though nothing may read the answers.
    this.#isInputOver = true
    this.#held.readAll()
    this.#reader.end()
    this.#serveQueue()
    this.oninputend?.()
  }
  readonly #onDrain = (): void => {
    this.#writer.drained()
    this.#serveQueue()
  }
  readonly #onInputError = (error: Error): void => this.onerror?.(error)
  readonly #onOutputError = (error: Error): void => {
    this.onerror?.(error)
    this.onoutputend?.()
  }
}

interface Waiting {
  readonly message: unknown
  /** Of a call that began on the fast path. */
  readonly extra: MessageExtraInfo | undefined
  /** It came when the transport was closing. */
  readonly isLate: boolean
}

/** A request by its id; undefined for anything else, which never waits. */
function requestId(message: unknown): RequestId | undefined {
  if (!isObject(message) || typeof message['method'] !== 'string') return undefined
  const id = message['id']
  return typeof id === 'string' || typeof id === 'number' ? id : undefined
}

const CLOSING = 'The server is shutting down'
/** Messages for the SDK; no more is read while it is read itself. */
const MAX_WAITING = 64
/** Bytes of answers for a client that has closed its end and does not read. */
const MOST_UNREAD = 67_108_864
