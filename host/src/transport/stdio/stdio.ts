import type { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { LOCAL_PRINCIPAL } from '../../auth/principal.ts'
import { hostError } from '../../errors.ts'
import type { ChangeNotifier } from '../../server/catalog/change-notifier.ts'
import { authInfoOf } from '../../server/mcp/auth-info.ts'
import { createCaller } from '../../server/catalog/caller.ts'
import type { InFlight } from '../../server/call/in-flight.ts'
import type { HostServerFactory } from '../../server/mcp/mcp-server.ts'
import { atMost } from '../../data/async.ts'
import type { FastPath } from '../fast-path/types.ts'
import type { ReadAhead } from '../../modules/reading/read-ahead.ts'
import { FastLines } from './fast-lines.ts'
import { lazily } from '../../data/lazily.ts'
import { LineTransport } from './line-transport.ts'
import { guardStdout, protocolStdout, type ProtocolStdout } from './stdout-guard.ts'

export interface StdioOptions {
  /** Asked for when the fast path hands something off. */
  readonly factory: () => Promise<HostServerFactory>
  readonly notifier: ChangeNotifier
  readonly inFlight: InFlight
  readonly fastPath?: FastPath | undefined
  /** Reads the SDK before a request needs it. Left out: the first that does waits for it. */
  readonly readAhead?: ReadAhead
  readonly log: Logger
  readonly bodyBytes: number
  /** How large a result may be. */
  readonly resultBytes: number
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
  const { notifier, inFlight, log, bodyBytes, resultBytes, input = process.stdin, output = protocolStdout() } = options
  const guard = options.output ? undefined : guardStdout()
  const authInfo = authInfoOf(createCaller(LOCAL_PRINCIPAL))
  const closed = Promise.withResolvers<void>()
  const fastPath = options.fastPath && new FastLines(options.fastPath, authInfo)
  const bySdk = lazily(async () => {
    const factory = await options.factory()
    const { serveBySdk } = await import('./sdk-stdio.ts')
    return serveBySdk({ transport, factory, notifier, log })
  })
  const prepare = async () => {
    try {
      await bySdk.get()
    } catch (error) {
      // No file may be opened just now, say. Who waits for it waits on.
      log.warn('prepare_failed', { error })
      if (transport.isWaiting && !ending) preparing = setTimeout(() => void prepare(), RETRY_MS)
    }
  }
  let preparing: NodeJS.Timeout | undefined
  const transport = new LineTransport({
    input,
    output,
    authInfo,
    maxBytes: bodyBytes,
    maxAtOnce: Math.min(Math.max(Math.floor(ANSWER_BYTES / resultBytes), FEWEST_AT_ONCE), MOST_AT_ONCE),
    fastPath,
    onNeeded: () => void prepare(),
  })

  const end = async (graceMs: number, cancel?: () => void): Promise<void> => {
    transport.isDraining = true
    await atMost(graceMs, transport.answered())
    if (cancel) {
      transport.refuseQueued()
      cancel()
      await atMost(LAST_WORDS_MS, transport.answered())
    }
    clearTimeout(preparing)
    // What a call left for the moment after its answer has its turn, as it would on a connection that goes on.
    await setImmediate()
    await (bySdk.made ?? transport).close()
    guard?.[Symbol.dispose]()
    closed.resolve()
  }
  let ending: Promise<void> | undefined
  transport.oninputend = () => void (ending ??= end(EOF_GRACE_MS))
  // The client does not read any more.
  transport.onoutputend = () => void (ending ??= end(0))
  void transport.start()
  if (fastPath) options.readAhead?.add(async () => (ending ? undefined : prepare()))
  else void prepare()

  return {
    closed: closed.promise,
    close: ({ graceMs }) => (ending ??= end(graceMs, () => inFlight.cancelAll(hostError('HOST_CLOSING', {})))),
  }
}

const RETRY_MS = 1_000
/** A client that closed its end waits for nothing but the exit, which is due within two seconds. */
const EOF_GRACE_MS = 1_000
const LAST_WORDS_MS = 500
/** Memory for the answers of requests that are served at a time; a client that does not read has that much held. */
const ANSWER_BYTES = 67_108_864
const FEWEST_AT_ONCE = 8
const MOST_AT_ONCE = 64
