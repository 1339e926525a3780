import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { createReusedMemory } from '../../data/memory/reused-memory.ts'
import { isObject } from '../../data/json.ts'
import { makeWhole, readWithoutLongTexts } from '../../data/long-text/long-texts.ts'
import { findJsonFault } from './json-guard.ts'
import { PARSE_ERROR, refusal, type Refusal } from './respond.ts'

/** A message read off the wire, or why there is none. */
export type Read = { readonly message: unknown; readonly refused?: undefined } | { readonly refused: Refusal }

export interface ReadOptions {
  /** Leaves the long texts of a call's arguments as bytes: the caller makes them whole, or passes them on. Default: false. */
  readonly keepsTexts?: boolean
}

/**
 * Reads the JSON of a POST, at most `maxBytes` of it. Rejects when the client goes away first. What is sent beyond the limit is
 * thrown away as it comes, so that the connection stays in step, for as long as the listener's request timeout allows.
 */
export function readMessage(req: IncomingMessage, maxBytes: number, { keepsTexts = false }: ReadOptions = {}): Promise<Read> {
  const refused = unreadable(req) ?? (Number(req.headers['content-length']) > maxBytes ? tooLong(maxBytes) : undefined)
  if (refused) {
    req.resume()
    return Promise.resolve({ refused })
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    req.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= maxBytes) {
        chunks.push(chunk)
        return
      }
      chunks.length = 0
      resolve({ refused: tooLong(maxBytes) })
    })
    req.on('end', () => {
      if (length <= maxBytes) resolve(parseChunks(chunks, length, keepsTexts))
    })
    req.on('error', reject)
    // A request that breaks off closes without an end; its error, if any, tells the same. Every request closes: an error made
    // for nothing cost a tenth of a call.
    req.on('close', () => {
      if (!req.readableEnded) reject(new Error('The client went away before its request was whole'))
    })
  })
}

/** A large message is put together in memory that is used again: what is parsed is text of its own, and what is not holds on to it. */
function parseChunks(chunks: readonly Buffer[], length: number, keepsTexts: boolean): Read {
  const [first = NOTHING] = chunks
  if (chunks.length <= 1 && length < CUT_BYTES) return parseMessage(first)
  const memory = length <= MOST_BYTES ? bodies : largeBodies
  const whole = memory.take(length)
  let at = 0
  for (const chunk of chunks) at += chunk.copy(whole, at)
  const bytes = whole.subarray(0, at)
  if (!keepsTexts) {
    const read = parseMessage(bytes)
    memory.giveBack(whole)
    return read
  }
  const { isKept, ...read } = parseBytes(bytes, () => memory.giveBack(whole))
  if (!isKept) memory.giveBack(whole)
  return read
}

/** Each holds what most messages have; those of calls that wait hold on to one. */
const MOST_BYTES = 262_144
const bodies = createReusedMemory({ pieceBytes: MOST_BYTES, most: 16 })
const largeBodies = createReusedMemory({ pieceBytes: 1_048_576, most: 1 })
const NOTHING = Buffer.alloc(0)

/** Parses one message, HTTP body or stdio line: UTF-8, JSON, and within {@link JSON_LIMITS}. */
export function parseMessage(bytes: Buffer): Read {
  return parseBytes(bytes)
}

/** With `giveBack` the long texts of a call's arguments may be left in the bytes: it is called once they are needed no more. */
function parseBytes(bytes: Buffer, giveBack?: () => void): Read & { readonly isKept?: boolean } {
  if (!isUtf8(bytes)) return { refused: refusal(400, 'Parse error: the message is not valid UTF-8', { code: PARSE_ERROR }) }
  const cut =
    bytes.length < CUT_BYTES
      ? undefined
      : readWithoutLongTexts(bytes, { problem: findJsonFault, keepIn: giveBack && argumentsIn, giveBack })
  if (!cut) return parseText(bytes.toString('utf8'))
  if ('problem' in cut) return { refused: refusal(400, cut.problem) }
  return { ...withinMethods(cut.value), isKept: cut.isKept }
}

/** Parses one message that was valid UTF-8. */
export function parseText(text: string): Read {
  const fault = findJsonFault(text)
  if (fault !== undefined) return { refused: refusal(400, fault) }
  try {
    const message: unknown = JSON.parse(text)
    return text.length > LONGEST_METHOD ? withinMethods(message) : { message }
  } catch {
    return { refused: refusal(400, 'Parse error: the message is not valid JSON', { code: PARSE_ERROR }) }
  }
}

/** What a shorter message costs to parse is not worth a search. */
const CUT_BYTES = 16_384

/** Makes whole what was read with `keepsTexts`. Throws when a call that began took the texts. */
export function makeMessageWhole(message: unknown): void {
  if (!makeWhole(argumentsIn(message))) throw new Error('A call that began cannot begin again')
}

/** The arguments of a call of a tool. */
function argumentsIn(message: unknown): object | undefined {
  if (!isObject(message) || message['method'] !== 'tools/call' || !isObject(message['params'])) return undefined
  const { arguments: args } = message['params']
  return isObject(args) ? args : undefined
}

function withinMethods(message: unknown): Read {
  return (Array.isArray(message) ? message : [message]).some(hasLongMethod)
    ? { refused: refusal(400, `A method has at most ${LONGEST_METHOD} characters`) }
    : { message }
}

/** Errors name the method that is not known, and must not be as long as what was sent. */
const LONGEST_METHOD = 256

function hasLongMethod(message: unknown): boolean {
  if (typeof message !== 'object' || message === null || !('method' in message)) return false
  return typeof message.method === 'string' && message.method.length > LONGEST_METHOD
}

function unreadable(req: IncomingMessage): Refusal | undefined {
  const type = req.headers['content-type']
  if (type !== 'application/json' && !isUtf8Json(type)) {
    return refusal(
      415,
      `Content-Type must be application/json in UTF-8, not ${type === undefined ? 'missing' : JSON.stringify(type)}`,
    )
  }
  const encoding = req.headers['content-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    return refusal(415, `Content-Encoding ${JSON.stringify(encoding)} is not accepted; send the body as it is`, {
      headers: { 'accept-encoding': 'identity' },
    })
  }
  return undefined
}

function isUtf8Json(type: string | undefined): boolean {
  if (type === undefined) return false
  const [essence = '', ...parameters] = type.toLowerCase().split(';')
  if (essence.trim() !== 'application/json') return false
  const charset = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith('charset='))
  return charset === undefined || /^charset="?utf-?8"?$/.test(charset)
}

function tooLong(maxBytes: number): Refusal {
  return refusal(413, `The body is longer than ${maxBytes} bytes (limits.bodyBytes)`)
}
