import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AuthInfo } from '@modelcontextprotocol/server'
import type { Caller } from '../../server/catalog/caller.ts'
import type { OpenAnswer } from './open-responses.ts'

/** One admitted and authenticated HTTP request. */
export interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** Where it was sent, without a query: `/mcp/x/triage`. */
  readonly path: string
  readonly caller: Caller
  /** The caller, for the SDK. */
  readonly authInfo: AuthInfo
  /** When the credential ends, in milliseconds since the epoch; streams that only wait end with it, calls do not. */
  readonly expiresAt: number | undefined
  /** Aborts when the credential is taken back. */
  readonly revoked: AbortSignal | undefined
  /** What the listener knows of the answer while it is not sent. */
  readonly answer: OpenAnswer
}

export interface OpenConnections {
  readonly sessions: number
  /** Those that wait for notifications, not those that carry one answer. */
  readonly streams: number
}

/** Makes the answer a stream that waits, and ends with the credential that opened it. */
export function waitForChanges({ res, expiresAt, revoked, answer }: Exchange, now: () => number): void {
  answer.waits()
  if (revoked) {
    const end = () => void res.destroy()
    if (revoked.aborted) end()
    revoked.addEventListener('abort', end, { once: true })
    res.once('close', () => revoked.removeEventListener('abort', end))
  }
  if (expiresAt === undefined) return
  const timer = setTimeout(() => res.destroy(), Math.min(Math.max(expiresAt - now(), 0), MAX_DELAY_MS))
  timer.unref()
  res.once('close', () => clearTimeout(timer))
}

/** Longer ones fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1
