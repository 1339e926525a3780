import { parseBounded, TooCostly, type JsonBounds } from '../../../data/json-cost.ts'
import type { JSONRPCMessage } from '@modelcontextprotocol/client'
import { isObject } from '../../../data/json.ts'

/** What becomes of the lines of a server. */
export interface MessageListener {
  readonly onMessage: (message: JSONRPCMessage) => void
  /** A line that is not a message: what a program prints where it should not. */
  readonly onOther: (line: string) => void
  /** A message that is too large to be read, and which answer it was, where that can be told. */
  readonly onTooLarge: (problem: string, id: number | undefined) => void
}

export interface MessageBounds {
  /** Of one message. */
  readonly bytes: number
  readonly json: JsonBounds
}

/** Twelve thousand tools of ordinary size, and sixteen times the largest result that is passed on by default. */
export const SERVER_BOUNDS: MessageBounds = { bytes: 32 * 1_048_576, json: { depth: 100, values: 4_000_000 } }

const NEWLINE = 0x0a
const ENDS = 1_024

/** Takes the bytes that a server writes, in whatever pieces they come, and tells its messages. Holds no more than one message may have. */
export function createMessageReader({ onMessage, onOther, onTooLarge }: MessageListener, bounds: MessageBounds = SERVER_BOUNDS) {
  let pieces: Buffer[] = []
  let length = 0
  /** The beginning of a message that is too large, whose rest is thrown away; and its end so far. */
  let skipped: { readonly head: string; tail: string } | undefined

  function add(piece: Buffer): void {
    if (piece.length === 0) return
    if (skipped) {
      skipped.tail = (skipped.tail + piece.subarray(-ENDS).toString()).slice(-ENDS)
      return
    }
    pieces.push(piece)
    length += piece.length
    if (length <= bounds.bytes) return
    const whole = Buffer.concat(pieces)
    skipped = { head: whole.subarray(0, ENDS).toString(), tail: whole.subarray(-ENDS).toString() }
    pieces = []
    length = 0
  }

  function end(): void {
    if (skipped) {
      const { head, tail } = skipped
      skipped = undefined
      return onTooLarge(`is larger than ${Math.floor(bounds.bytes / 1_048_576)} MB`, answeredIn(head, tail))
    }
    const line = (pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)).toString()
    pieces = []
    length = 0
    read(line)
  }

  function read(line: string): void {
    const text = line.trim()
    if (text === '') return
    let message: unknown
    try {
      message = parseBounded(text, bounds.json)
    } catch (error) {
      if (error instanceof TooCostly) return onTooLarge(error.message, answeredIn(text.slice(0, ENDS), text.slice(-ENDS)))
      return onOther(text)
    }
    // A batch, which 2025-03-26 knew, is several messages.
    for (const one of Array.isArray(message) ? message : [message])
      if (isMessage(one)) onMessage(one)
      else onOther(text)
  }

  return {
    write(chunk: Buffer): void {
      let from = 0
      for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
        add(chunk.subarray(from, at))
        end()
        from = at + 1
      }
      add(chunk.subarray(from))
    },
  }
}

/** The rest of its form is checked by the SDK. */
function isMessage(value: unknown): value is JSONRPCMessage {
  return isObject(value) && value['jsonrpc'] === '2.0'
}

/** The id of the answer that begins and ends like this: one that stands before the result or behind it. */
function answeredIn(head: string, tail: string): number | undefined {
  const [, first] = /^\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,15})\s*,/.exec(head) ?? []
  const [, last] = /"id"\s*:\s*(\d{1,15})\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/.exec(tail) ?? []
  const id = first ?? last
  return id === undefined ? undefined : Number(id)
}
