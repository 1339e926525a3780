import { fstatSync } from 'node:fs'
import type { Readable } from 'node:stream'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { isObject } from '../../data/json.ts'
import { parseMessage, parseText } from '../../transport/http/body.ts'
import { LineReader } from '../../transport/stdio/line-reader.ts'
import { protocolStdout, type ProtocolStdout } from '../../transport/stdio/stdout-guard.ts'

export interface StrayStdinOptions {
  readonly log: Logger
  /** Where the host listens. */
  readonly url: string
  /** Default: stdin, where it is a pipe. */
  readonly input?: Readable | undefined
  readonly output?: ProtocolStdout
}

/**
 * For a host that does not serve stdio, started by a client that speaks MCP there: the client's own command took `--transport stdio` for
 * itself, say. One warning, an error for each request, and the promise resolves when such an input ends: the client that had the host
 * started is gone. Whatever else is on stdin is left alone.
 */
export function strayStdin({ log, url, input = pipedStdin(), output = protocolStdout() }: StrayStdinOptions): Promise<void> {
  return new Promise((resolve) => {
    if (!input) return
    let isMcp = false
    const message = `This host serves HTTP at ${url} and does not read stdin. Start it with --stdio, for example: npx mcp-patchbay start --stdio`
    let isLeft = false
    const leave = () => {
      isLeft = true
      input.off('data', onData)
      input.pause()
    }
    const reader = new LineReader({
      maxBytes: MAX_LINE,
      onLine(line) {
        if (isLeft) return
        const read = typeof line === 'string' ? parseText(line) : parseMessage(line)
        const sent = 'message' in read ? read.message : undefined
        if (!isObject(sent) || sent['jsonrpc'] !== '2.0') {
          if (!isMcp) leave()
          return
        }
        if (!isMcp) {
          isMcp = true
          log.warn('stdin_not_served', { url, fix: 'Start it with --stdio' })
          output.on('error', () => {})
        }
        const { id, method } = sent
        if (method === undefined || (typeof id !== 'string' && typeof id !== 'number')) return
        output.write(`${JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32_600, message } })}\n`)
      },
      onTooLong: leave,
    })
    const onData = (chunk: Buffer) => reader.push(chunk)
    const onEnd = () => {
      if (isMcp && !isLeft) resolve()
    }
    input.on('data', onData).on('end', onEnd).on('close', onEnd)
    input.on('error', () => {})
  })
}

/** Only where a program is at the other end: a terminal is read by a shell as well, and a file says nothing. */
function pipedStdin(): Readable | undefined {
  try {
    const stat = fstatSync(0)
    return stat.isFIFO() || stat.isSocket() ? process.stdin : undefined
  } catch {
    return undefined // closed
  }
}

const MAX_LINE = 1_048_576
