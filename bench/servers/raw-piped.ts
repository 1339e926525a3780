// As little as two processes can do: a node:http server (or stdin) hands each request's body to a child over a pipe and sends back what
// the child answers. It checks nothing, parses nothing in the first process and is no MCP server: the limit for a plugin in its own process.
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { echo, fillers, IS_STDIO, PORT } from './tools.ts'

/** A frame: the length of the body, the number of the request, the body. */
const HEAD = 8
const CHANNEL = 3

interface RawRequest {
  readonly id: number
  readonly params: { readonly arguments: { readonly text: string } }
}

if (process.argv[2] === 'child') runChild()
else runHost()

function runChild(): void {
  const socket = new Socket({ fd: CHANNEL })
  const write = batched(socket)
  readFrames(socket, (number, body) => {
    const { id, params } = JSON.parse(body.toString()) as RawRequest
    const result = { content: [{ type: 'text', text: params.arguments.text }] }
    write(number, JSON.stringify({ jsonrpc: '2.0', id, result }))
  })
  socket.on('close', () => process.exit(0))
}

function runHost(): void {
  const child = spawn(process.execPath, [import.meta.filename, 'child'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  const socket = child.stdio[3] as Socket
  const write = batched(socket)
  const waiting = new Map<number, (answer: Buffer) => void>()
  let last = 0
  readFrames(socket, (number, body) => {
    waiting.get(number)?.(body)
    waiting.delete(number)
  })
  const ask = (body: string | Buffer, then: (answer: Buffer) => void) => {
    waiting.set(++last, then)
    write(last, body)
  }
  if (IS_STDIO) {
    createInterface(process.stdin).on('line', (line) => ask(line, (answer) => process.stdout.write(`${answer.toString()}\n`)))
    return
  }
  const list = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { tools: [echo, ...fillers] } })
  createServer((request, response) => {
    const chunks: Buffer[] = []
    const send = (body: string | Buffer) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
    }
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (request.headers['mcp-method'] === 'tools/list') send(list)
      else ask(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks), (answer) => send(Buffer.from(answer)))
    })
  }).listen(PORT, '127.0.0.1')
}

/** What is written in one turn leaves together. */
function batched(socket: Socket): (number: number, body: string | Buffer) => void {
  let isCorked = false
  return (number, body) => {
    const bytes = Buffer.byteLength(body)
    const frame = Buffer.allocUnsafe(HEAD + bytes)
    frame.writeUInt32LE(bytes, 0)
    frame.writeUInt32LE(number, 4)
    if (typeof body === 'string') frame.write(body, HEAD)
    else body.copy(frame, HEAD)
    if (!isCorked) {
      isCorked = true
      socket.cork()
      setImmediate(() => {
        isCorked = false
        socket.uncork()
      })
    }
    socket.write(frame)
  }
}

function readFrames(socket: Socket, onFrame: (number: number, body: Buffer) => void): void {
  let parts: Buffer[] = []
  let have = 0
  let need = HEAD
  socket.on('data', (chunk: Buffer) => {
    parts.push(chunk)
    have += chunk.length
    if (have < need) return
    const bytes = parts.length === 1 ? chunk : Buffer.concat(parts)
    let at = 0
    for (;;) {
      need = bytes.length - at < HEAD ? HEAD : HEAD + bytes.readUInt32LE(at)
      if (bytes.length - at < need) break
      onFrame(bytes.readUInt32LE(at + 4), bytes.subarray(at + HEAD, at + need))
      at += need
    }
    parts = at === bytes.length ? [] : [bytes.subarray(at)]
    have = bytes.length - at
  })
}
