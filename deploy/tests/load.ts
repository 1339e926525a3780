import type { TestContext } from 'node:test'
import { inspect } from 'node:util'
import { rawClient } from '../../tests/fixtures/http/raw-client.ts'

export type Era = '2026-07-28' | '2025 in sessions' | '2025 without sessions'

/** What became of the calls of one era. */
export interface Tally {
  readonly era: Era
  answered: number
  /** A session whose host had gone was begun again, as the protocol has it for a 404, and the call sent once more. */
  sessionsBegunAgain: number
  readonly failed: Failure[]
  /** The versions of the plugin that answered, in order. */
  readonly versions: string[]
}

export interface Failure {
  readonly startedAt: number
  readonly what: string
}

export interface Load {
  /** Resolves when there were so many calls more, answered or failed. */
  more(count: number): Promise<void>
  /** Resolves when every call that had begun has ended. */
  stop(): Promise<Tally>
}

/** Calls `text_say` from so many clients of an era at once, one call after the other, until it is stopped or the test ends. */
export function load(t: TestContext, url: URL, era: Era, clients = 4): Load {
  const tally: Tally = { era, answered: 0, sessionsBegunAgain: 0, failed: [], versions: [] }
  const waiting = new Set<() => unknown>()
  const done = () => tally.answered + tally.failed.length
  const end = new AbortController()
  t.after(() => end.abort())
  const running = Array.from({ length: clients }, async (_, client) => {
    const call = CALLERS[era](url, tally)
    for (let number = 0; !end.signal.aborted; number += 1) {
      const text = `${era} ${client} ${number}`
      const startedAt = performance.now()
      try {
        const answer = await call(text)
        const [, version = ''] = answer.includes(`:${text}"`) ? (/"(\d+):/.exec(answer) ?? []) : []
        if (!version) throw new Error(answer)
        tally.answered += 1
        if (tally.versions.at(-1) !== version) tally.versions.push(version)
      } catch (error) {
        tally.failed.push({
          startedAt,
          what: inspect(error),
        })
      }
      for (const look of waiting) look()
    }
  })
  return {
    async more(count) {
      const wanted = done() + count
      const { promise, resolve } = Promise.withResolvers<void>()
      const look = () => done() >= wanted && resolve()
      waiting.add(look)
      await promise
      waiting.delete(look)
    },
    async stop() {
      end.abort()
      await Promise.all(running)
      return tally
    },
  }
}

/** The body of the answer; rejects for one that is no 200. */
type Call = (text: string) => Promise<string>

const CALLERS: Readonly<Record<Era, (url: URL, tally: Tally) => Call>> = {
  '2026-07-28': (url) => {
    const client = rawClient(url)
    return async (text) => {
      const answer = await client.call('echo_text_say', { text })
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
      return answer.text
    }
  },
  '2025 without sessions': (url) => async (text) => {
    const { status, body } = await older(url, callOf(text))
    if (status !== 200) throw new Error(`${status} ${body}`)
    return body
  },
  '2025 in sessions': (url, tally) => {
    let session: string | undefined
    return async (text) => {
      session ??= await begin(url)
      let answer = await older(url, callOf(text), session)
      if (answer.status === 404) {
        tally.sessionsBegunAgain += 1
        session = await begin(url)
        answer = await older(url, callOf(text), session)
      }
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`)
      return answer.body
    }
  },
}

function callOf(text: string): object {
  return { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo_text_say', arguments: { text } } }
}

async function begin(url: URL): Promise<string> {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'load', version: '1' } }
  const { status, body, session } = await older(url, { jsonrpc: '2.0', id: 0, method: 'initialize', params })
  if (status !== 200 || !session) throw new Error(`initialize: ${status} ${body}`)
  await older(url, { jsonrpc: '2.0', method: 'notifications/initialized' }, session)
  return session
}

async function older(
  url: URL,
  message: object,
  session?: string,
): Promise<{ status: number; body: string; session: string | null }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2025-11-25',
      ...(session && { 'mcp-session-id': session }),
    },
    body: JSON.stringify(message),
  })
  return { status: response.status, body: await response.text(), session: response.headers.get('mcp-session-id') }
}
