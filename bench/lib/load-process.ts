// node load-process.ts LOAD: keeps requests in flight, checks every answer, prints what was measured.
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import type { Load, Measured } from './load.ts'
import { cpuMs, cpuUs } from './server.ts'
import { Check, FIRST_ID, isEcho, requestOf, Template } from './wire.ts'

const load = JSON.parse(process.argv[2] ?? '') as Load
const { expect } = load
const { headers, body } = requestOf(load.rpc)
const isRight =
  'echo' in expect
    ? isEcho(expect.echo)
    : ({ tools }: Readonly<Record<string, unknown>>) => (tools as unknown[]).length === expect.tools

let nextId = FIRST_ID
let pid = 0
let began = 0
let cpuBefore = 0
let ownBefore = 0
let isMeasuring = false
const latencies: number[] = []

/** What both kinds of connection do with an answer. */
function answered(sentAt: number): void {
  if (!isMeasuring) return
  latencies.push(performance.now() - sentAt)
  if (load.requests !== undefined && latencies.length >= load.requests) finish()
}

function start(): void {
  cpuBefore = cpuUs(pid)
  ownBefore = cpuMs(pid)
  began = performance.now()
  isMeasuring = true
  setTimeout(finish, load.measureMs)
}

function finish(): void {
  const seconds = (performance.now() - began) / 1_000
  const cpu = cpuUs(pid) - cpuBefore
  const own = (cpuMs(pid) - ownBefore) * 1_000
  const sorted = latencies.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN
  const measured: Measured = {
    requests: sorted.length,
    perSecond: sorted.length / seconds,
    cpuUs: cpu / sorted.length,
    ownCpuUs: own / sorted.length,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  }
  process.stdout.write(JSON.stringify(measured), () => process.exit(0))
}

if ('port' in load.to) {
  pid = load.to.pid
  const { port } = load.to
  const lines = Object.entries({
    host: `127.0.0.1:${port}`,
    ...headers,
    ...(load.key !== undefined && { authorization: `Bearer ${load.key}` }),
    'content-length': String(Buffer.byteLength(body)),
  })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  for (let index = 0; index < load.concurrency; index++) openConnection(port, `POST /mcp HTTP/1.1\r\n${head}\r\n${body}`)
  setTimeout(start, load.warmupMs)
} else {
  const { argv, env } = load.to
  const child = spawn(argv[0] ?? '', argv.slice(1), { env, stdio: ['pipe', 'pipe', 'ignore'] })
  pid = child.pid ?? 0
  process.on('exit', () => child.kill('SIGKILL'))
  const request = new Template(`${body}\n`)
  const check = new Check(isRight)
  const sent = new Map<number, number>()
  const send = () => {
    const id = nextId++
    sent.set(id, performance.now())
    // Copied: the pipe may hold the bytes for longer than one turn.
    child.stdin.write(Buffer.from(request.with(id)))
  }
  let rest = Buffer.alloc(0)
  let isReady = false
  child.stdout.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    let from = 0
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10, from)) {
      const line = rest.subarray(from, end)
      const id = Number(/"id":(\d{7})/.exec(line.toString('latin1'))?.[1])
      check.answer(line, id)
      answered(sent.get(id) ?? Number.NaN)
      sent.delete(id)
      from = end + 1
      if (isReady) send()
    }
    rest = rest.subarray(from)
    if (isReady) return
    // The first answer: only now the server is there.
    isReady = true
    for (let index = 0; index < load.concurrency; index++) send()
    setTimeout(start, load.warmupMs)
  })
  send()
}

/** Closed loop: the next request goes out when the answer is here. */
function openConnection(port: number, text: string): void {
  const request = new Template(text)
  const check = new Check(isRight)
  let id = 0
  let sentAt = 0
  let parts: Buffer[] = []
  let have = 0
  let need = -1
  let bodyAt = 0
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const send = () => {
    id = nextId++
    parts = []
    have = 0
    need = -1
    sentAt = performance.now()
    socket.write(request.with(id))
  }
  socket.on('connect', send)
  socket.on('error', (error) => {
    throw error
  })
  socket.on('data', (chunk: Buffer) => {
    parts.push(chunk)
    have += chunk.length
    if (need < 0) {
      const whole = Buffer.concat(parts)
      bodyAt = whole.indexOf('\r\n\r\n') + 4
      const length = /content-length: (\d+)/i.exec(whole.toString('latin1', 0, bodyAt))?.[1]
      if (bodyAt < 4 || length === undefined) return takeChunked(whole)
      need = bodyAt + Number(length)
    }
    if (have >= need) done(Buffer.concat(parts).subarray(bodyAt))
  })

  /** The SDK's own adapter sends no length: its one chunk is read here. */
  function takeChunked(whole: Buffer): void {
    if (bodyAt < 4 || whole.toString('latin1', whole.length - 5) !== '0\r\n\r\n') return
    const chunks: Buffer[] = []
    for (let at = bodyAt; ;) {
      const end = whole.indexOf('\r\n', at)
      const size = Number.parseInt(whole.toString('latin1', at, end), 16)
      if (size === 0) break
      chunks.push(whole.subarray(end + 2, end + 2 + size))
      at = end + 4 + size
    }
    done(Buffer.concat(chunks))
  }

  function done(payload: Buffer): void {
    check.answer(payload, id)
    answered(sentAt)
    send()
  }
}
