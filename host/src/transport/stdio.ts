import type { Readable } from 'node:stream'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { LOCAL_PRINCIPAL } from '../auth/principal.ts'
import { hostError } from '../errors.ts'
import type { Announcer } from '../server/announcer.ts'
import { authInfoOf } from '../server/auth-info.ts'
import { createCaller } from '../server/caller.ts'
import type { InFlight } from '../server/in-flight.ts'
import type { HostServerFactory } from '../server/mcp-server.ts'
import { atMost } from './at-most.ts'
import type { Direct } from './direct.ts'
import { DirectLines } from './direct-lines.ts'
import { LineTransport } from './line-transport.ts'
import { guardStdout, protocolStdout, type ProtocolStdout } from './stdout-guard.ts'

export interface StdioOptions {
  readonly factory: HostServerFactory
  readonly announcer: Announcer
  readonly inFlight: InFlight
  readonly direct?: Direct | undefined
  readonly log: Logger
  readonly bodyBytes: number
  /** Default: this process's own. */
  readonly input?: Readable
  readonly output?: ProtocolStdout
}

/** The client on stdin and stdout. */
export interface StdioTransport {
  /** Resolves when the connection is over: the client closed its end, or {@link close}. */
  readonly closed: Promise<void>
  /** Refuses new requests, waits at most `graceMs` for those in flight, ends the rest with an error of their own. */
  readonly close: (options: { readonly graceMs: number }) => Promise<void>
}

/**
 * Serves one client, of whatever era, as the operator: who starts the process may call everything. When the input ends, requests that
 * came before it are answered, for a second at most. Nothing but messages reaches stdout meanwhile.
 */
export function createStdioTransport(options: StdioOptions): StdioTransport {
  const { factory, announcer, inFlight, log, bodyBytes, input = process.stdin, output = protocolStdout() } = options
  const guard = options.output ? undefined : guardStdout()
  const operator = authInfoOf(createCaller(LOCAL_PRINCIPAL))
  const closed = Promise.withResolvers<void>()
  const direct = options.direct && new DirectLines(options.direct, operator)
  const transport = new LineTransport({ input, output, maxBytes: bodyBytes, direct })

  const handle = serveStdio(
    (request) => {
      const mcp = factory({ ...request, authInfo: operator })
      mcp.onClosed(announcer.add(mcp))
      return mcp
    },
    { transport, onerror: (error) => log.debug('mcp_error', { transport: 'stdio', error }) },
  )

  const end = async (graceMs: number, cancel?: () => void): Promise<void> => {
    transport.isDraining = true
    await atMost(graceMs, transport.answered())
    if (cancel) {
      cancel()
      await atMost(LAST_WORDS_MS, transport.answered())
    }
    await handle.close()
    guard?.[Symbol.dispose]()
    closed.resolve()
  }
  let ending: Promise<void> | undefined
  transport.oninputend = () => void (ending ??= end(EOF_GRACE_MS))
  // The client does not read any more.
  transport.onoutputend = () => void (ending ??= end(0))

  return {
    closed: closed.promise,
    close: ({ graceMs }) => (ending ??= end(graceMs, () => inFlight.cancelAll(hostError('HOST_CLOSING', {})))),
  }
}

/** A client that closed its end waits for nothing but the exit, which is due within two seconds. */
const EOF_GRACE_MS = 1_000
const LAST_WORDS_MS = 500
