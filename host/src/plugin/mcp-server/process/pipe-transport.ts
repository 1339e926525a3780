import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client'
import { LineBatch } from '../../../data/memory/line-batch.ts'
import { createWindowLimit, type WindowLimit } from '../../../data/window-limit.ts'
import { createMessageReader } from './message-reader.ts'
import type { ServerProcess } from './server-process.ts'

/** Messages that nothing asked for: a server that sends more of them in ten seconds is ended, and more in one second are dropped. */
const UNREQUESTED_PER_TEN_SECONDS = 50_000
const UNREQUESTED_PER_SECOND = 2_000
/** What waits for a server that does not read, in bytes. */
const MOST_UNREAD = 64 * 1_048_576

/**
 * The SDK's transport over a process that this host started itself, under its own rules: what the SDK starts gets HOME, USER and PATH, and
 * no bounds. `pid` and `stderr` are how the SDK tells that it is a process.
 */
export class PipeTransport implements Transport {
  readonly stderr = null
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: NonNullable<Transport['onmessage']>
  readonly #process: ServerProcess
  readonly #perSecond: WindowLimit
  readonly #perTenSeconds: WindowLimit
  readonly #batch: LineBatch
  /** Requests that the server has not answered. */
  #unanswered = 0
  #isStarted = false
  #isClosed = false

  constructor(process: ServerProcess, now: () => number) {
    this.#process = process
    this.#perSecond = createWindowLimit({ limit: UNREQUESTED_PER_SECOND, now })
    this.#perTenSeconds = createWindowLimit({ limit: UNREQUESTED_PER_TEN_SECONDS, windowMs: 10_000, now })
    this.#batch = new LineBatch((lines) => {
      const { stdin } = process
      if (!stdin.writable) return
      if (stdin.writableLength > MOST_UNREAD) process.kill('it did not read what it was sent')
      stdin.write(lines)
    })
  }

  get pid(): number {
    return this.#process.pid
  }

  /** The SDK starts it again when it has found the server's revision. */
  start(): Promise<void> {
    if (this.#isStarted) return Promise.resolve()
    this.#isStarted = true
    const { stdout, exited } = this.#process
    const reader = createMessageReader({
      onMessage: (message) => {
        if (this.#isAwaited(message) || this.#mayPass()) this.onmessage?.(message)
      },
      onOther: (line) => this.#process.printed(line),
      onTooLarge: (problem, id) => {
        this.onerror?.(new Error(`A message of the server ${problem}`))
        if (id !== undefined)
          this.onmessage?.({ jsonrpc: '2.0', id, error: { code: -32_603, message: `the server's answer ${problem}` } })
      },
    })
    stdout.on('data', (chunk: Buffer) => {
      if (!this.#isClosed) reader.write(chunk)
    })
    void exited.then(() => this.#over())
    return Promise.resolve()
  }

  send(message: JSONRPCMessage): Promise<void> {
    return Promise.try(() => this.write(JSON.stringify(message), 'method' in message && 'id' in message))
  }

  /** Sends one message. Throws when the server does not read any more. */
  write(line: string, expectsAnswer: boolean): void {
    if (this.#isClosed || !this.#process.stdin.writable)
      throw Object.assign(new Error('The server does not read any more'), { code: 'NOT_CONNECTED' })
    if (expectsAnswer) this.#unanswered++
    this.#batch.add(line)
  }

  async close(): Promise<void> {
    this.#over()
    await this.#process.end('the connection was closed')
  }

  #over(): void {
    if (this.#isClosed) return
    this.#batch.flush()
    this.#isClosed = true
    this.onclose?.()
  }

  /** An answer, where one is due: those beyond are no better than other messages that nothing asked for. */
  #isAwaited(message: JSONRPCMessage): boolean {
    if ('method' in message || this.#unanswered === 0) return false
    this.#unanswered--
    return true
  }

  #mayPass(): boolean {
    if (!this.#perTenSeconds.take())
      this.#process.kill(`it sent more than ${UNREQUESTED_PER_TEN_SECONDS} messages within ten seconds that nothing asked for`)
    return this.#perSecond.take()
  }
}
