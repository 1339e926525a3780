// The least that stands between clients and an MCP server on stdio: it gives requests numbers of its own, hands them on, and leads the
// answers back. It checks nothing, limits nothing and redacts nothing: the limit for a host that passes calls on.
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import type { Writable } from 'node:stream'
import { IS_STDIO, PORT } from './tools.ts'

interface Message {
  id?: number | string
  readonly method?: string
}

const [command = '', ...args] = process.argv.slice(2)
const server = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] })
const waiting = new Map<number, (answer: Message) => void>()
let last = 0
const send = batched(server.stdin)

createInterface(server.stdout).on('line', (line) => {
  const answer = JSON.parse(line) as Message
  const then = waiting.get(Number(answer.id))
  waiting.delete(Number(answer.id))
  then?.(answer)
})
process.on('exit', () => server.kill('SIGKILL'))

/** Hands a message on; `then` gets its answer as it is to be sent. */
function relay(text: string, then: (answer: string) => void): void {
  const message = JSON.parse(text) as Message
  const { id } = message
  if (id !== undefined) {
    message.id = ++last
    waiting.set(last, (answer) => {
      answer.id = id
      then(JSON.stringify(answer))
    })
  }
  send(JSON.stringify(message))
}

if (IS_STDIO) {
  const answer = batched(process.stdout)
  createInterface(process.stdin).on('line', (line) => relay(line, answer))
  process.stdin.on('end', () => process.exit(0))
} else {
  createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (chunks.length === 0) return response.writeHead(405).end()
      relay(Buffer.concat(chunks).toString(), (body) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
      })
      return undefined
    })
  }).listen(PORT, '127.0.0.1')
}

/** Lines of one turn leave in one write. */
function batched(to: Writable): (line: string) => void {
  let lines = ''
  return (line) => {
    if (lines === '')
      process.nextTick(() => {
        to.write(lines)
        lines = ''
      })
    lines += `${line}\n`
  }
}
