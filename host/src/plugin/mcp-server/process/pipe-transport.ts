import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client'
import { createMessageReader } from './message-reader.ts'
import type { ServerProcess } from './server-process.ts'

/** What a server says without being asked, in ten seconds, before it is ended; and in one second, before the rest is dropped. */
const MOST_UNASKED = 50_000
const MOST_UNASKED_A_SECOND = 2_000
const WINDOW_MS = 10_000
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
  readonly #now: () => number
  #isStarted = false
  #isClosed = false
  #window = { startedAt: 0, unasked: 0, second: 0, inSecond: 0 }

  constructor(process: ServerProcess, now: () => number) {
    this.#process = process
    this.#now = now
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
        const isAnswer = !('method' in message)
        if (isAnswer || this.#mayPass()) this.onmessage?.(message)
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
    const { stdin } = this.#process
    if (this.#isClosed || !stdin.writable) {
      return Promise.reject(Object.assign(new Error('The server does not read any more'), { code: 'NOT_CONNECTED' }))
    }
    if (stdin.writableLength > MOST_UNREAD) this.#process.kill('it did not read what it was sent')
    stdin.write(`${JSON.stringify(message)}\n`)
    return Promise.resolve()
  }

  async close(): Promise<void> {
    this.#over()
    await this.#process.end('the connection was closed')
  }

  #over(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.onclose?.()
  }

  #mayPass(): boolean {
    const at = this.#now()
    const window = this.#window
    if (at - window.startedAt > WINDOW_MS) this.#window = { startedAt: at, unasked: 0, second: 0, inSecond: 0 }
    const current = this.#window
    const second = Math.floor(at / 1_000)
    if (second !== current.second) Object.assign(current, { second, inSecond: 0 })
    if (++current.unasked > MOST_UNASKED)
      this.#process.kill(`it sent more than ${MOST_UNASKED} messages within ten seconds that nothing asked for`)
    return ++current.inSecond <= MOST_UNASKED_A_SECOND
  }
}
