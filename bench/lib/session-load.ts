// node session-load.ts LOAD: opens sessions of 2025-11-25, has each call once a second whether or not the server keeps up, prints figures.
import { connect, type Socket } from 'node:net'
import type { SessionLoad, SessionsMeasured } from './sessions.ts'
import { rssMb } from './server.ts'

const { port, pid, tool, sessions, seconds } = JSON.parse(process.argv[2] ?? '') as SessionLoad

interface Answer {
  readonly status: number
  readonly head: string
  readonly body: string
}

/** One client: its connection, and one request at a time on it. */
class Client {
  readonly #socket: Socket
  #received = ''
  #resolve: ((answer: Answer) => void) | undefined
  #session: string | undefined
  #id = 0

  constructor() {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.setEncoding('latin1').on('data', (text: string) => {
      this.#received += text
      this.#take()
    })
  }

  async open(): Promise<void> {
    const { head } = await this.#ask('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'bench', version: '1.0.0' },
    })
    this.#session = /^mcp-session-id: *(.+?)\r?$/im.exec(head)?.[1]
    if (this.#session === undefined) throw new Error(`No session: ${head}`)
    await this.#send({ jsonrpc: '2.0', method: 'notifications/initialized' })
  }

  /** Whether the answer was the right one. */
  async call(): Promise<boolean> {
    const text = `${++this.#id} ${'The quick brown fox. '.repeat(10)}`
    const { status, body } = await this.#ask('tools/call', { name: tool, arguments: { text } })
    return status === 200 && body.includes(JSON.stringify(text))
  }

  close(): void {
    this.#socket.destroy()
  }

  #ask(method: string, params: object): Promise<Answer> {
    return this.#send({ jsonrpc: '2.0', id: ++this.#id, method, params })
  }

  #send(message: object): Promise<Answer> {
    const body = JSON.stringify(message)
    const session = this.#session === undefined ? '' : `mcp-session-id: ${this.#session}\r\nmcp-protocol-version: 2025-11-25\r\n`
    const head = `host: 127.0.0.1:${port}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n`
    this.#socket.write(`POST /mcp HTTP/1.1\r\n${head}${session}content-length: ${body.length}\r\n\r\n${body}`)
    return new Promise((resolve) => (this.#resolve = resolve))
  }

  /** The whole answer: with a length, or in chunks, of which only the end matters here. */
  #take(): void {
    const end = this.#received.indexOf('\r\n\r\n')
    if (end === -1) return
    const head = this.#received.slice(0, end)
    const body = this.#received.slice(end + 4)
    const isChunked = /^transfer-encoding: *chunked/im.test(head)
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
    if (isChunked ? !body.endsWith('0\r\n\r\n') : body.length < length) return
    this.#received = ''
    this.#resolve?.({ status: Number(head.slice(9, 12)), head, body })
  }
}

const before = rssMb(pid)
const clients = Array.from({ length: sessions }, () => new Client())
for (let first = 0; first < sessions; first += 32)
  await Promise.all(clients.slice(first, first + 32).map((client) => client.open()))
const open = rssMb(pid)

const latencies: number[] = []
let errors = 0
const ends = performance.now() + seconds * 1_000
await Promise.all(
  clients.map(async (client, index) => {
    for (let due = performance.now() + (index / sessions) * 1_000; due < ends; due += 1_000) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(due - performance.now(), 0)))
      // A late call counts from when it was due; a timer may also be early, by a part of a millisecond.
      const from = Math.min(due, performance.now())
      if (await client.call()) latencies.push(performance.now() - from)
      else errors++
    }
  }),
)
const sorted = latencies.toSorted((a, b) => a - b)
const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN
const measured: SessionsMeasured = {
  calls: latencies.length,
  errors,
  p50Ms: at(0.5),
  p99Ms: at(0.99),
  openMb: (open - before) / sessions,
  afterMb: (rssMb(pid) - before) / sessions,
}
for (const client of clients) client.close()
process.stdout.write(JSON.stringify(measured), () => process.exit(0))
