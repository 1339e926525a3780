import { randomUUID } from 'node:crypto'
import { CLIENT_CAPABILITIES_META_KEY, LOG_LEVEL_META_KEY, type ServerContext } from '@modelcontextprotocol/server'
import type { InputResponses, Logger } from '@mcp-patchbay/plugin-api'
import { isObject } from '../../data/json.ts'
import { traceOf } from '../../observability/tracing/trace-context.ts'
import type { CallIO } from '../call/types.ts'
import { Cancellation, follow } from '../call/cancellation.ts'
import type { InFlight } from '../call/in-flight.ts'
import { LOG_LEVELS, type LogLevel } from './params.ts'
import { knows, type Era, type Revision } from './revisions.ts'

export interface CallIoOptions {
  readonly era: Era
  readonly revision: Revision
  readonly inFlight: InFlight
  readonly log: Logger
  /** The verified state that came with the request. */
  readonly requestState: unknown
  /** What the client said when it connected, and its `logging/setLevel`; 2026-07-28 says both with every request instead. */
  readonly clientCapabilities: Readonly<Record<string, unknown>> | undefined
  readonly logLevel: LogLevel | undefined
}

/**
 * What a call may say to its client while it runs, out of what the SDK gives a handler. After `end` it says nothing more: progress
 * behind the answer is against the protocol.
 */
export function openCallIo(ctx: ServerContext, options: CallIoOptions): { readonly io: CallIO; readonly end: () => void } {
  const { mcpReq, http } = ctx
  const { era, inFlight, log, requestState } = options
  const cancellation = new Cancellation()
  const following = follow(mcpReq.signal, cancellation)
  const place = inFlight.begin(cancellation)
  let open = true
  const notify = (method: string, params: Record<string, unknown>) => {
    // Never thrown at the plugin: a client that is gone has aborted the signal already.
    if (open) mcpReq.notify({ method, params }).catch((error: unknown) => log.debug('notification_failed', { method, error }))
  }

  // oxlint-disable-next-line no-underscore-dangle -- the protocol's name
  const progressToken = mcpReq._meta?.progressToken
  const threshold = logThreshold(era === 'modern' ? envelope(ctx, LOG_LEVEL_META_KEY) : (options.logLevel ?? 'debug'))
  // A client that takes no stream has none to come back to.
  const closeStream = http?.req?.headers.has(NO_STREAM_HEADER) ? undefined : http?.closeSSE
  const trace = traceOf(mcpReq._meta, http?.req?.headers) // oxlint-disable-line no-underscore-dangle -- the protocol's name
  const capabilities = era === 'modern' ? envelope(ctx, CLIENT_CAPABILITIES_META_KEY) : options.clientCapabilities
  const io: CallIO = {
    cancellation,
    requestId: randomUUID(),
    ...(trace && { trace }),
    ...(ctx.sessionId !== undefined && { session: ctx.sessionId }),
    ...(progressToken !== undefined && {
      progress: (progress, { total, message } = {}) =>
        notify('notifications/progress', {
          progressToken,
          progress,
          ...(total !== undefined && { total }),
          ...(message !== undefined && knows(options.revision, 'progressMessage') && { message }),
        }),
    }),
    ...(threshold !== undefined && {
      log: (level, data, logger) => {
        if (LOG_LEVELS.indexOf(level) >= threshold) notify('notifications/message', { level, logger, data })
      },
    }),
    ...(closeStream && { closeStream }),
    ...(mcpReq.inputResponses && { inputResponses: objectsOf(mcpReq.inputResponses) }),
    ...(isObject(capabilities) && { clientCapabilities: capabilities }),
    ...(requestState !== undefined && { requestState }),
    ...(era === 'legacy' &&
      knows(options.revision, 'urlElicitation') && {
        elicitationComplete: (elicitationId) => notify('notifications/elicitation/complete', { elicitationId }),
      }),
  }
  const end = () => {
    open = false
    following[Symbol.dispose]()
    place.release()
  }
  return { io, end }
}

/** Marks a request whose client takes no event stream. */
export const NO_STREAM_HEADER = 'x-no-stream'

/** The least severe level the client wants, as an index; undefined for none. */
function logThreshold(wanted: unknown): number | undefined {
  const index = LOG_LEVELS.findIndex((level) => level === wanted)
  return index === -1 ? undefined : index
}

/** The SDK's type of the envelope is empty; the keys are there. */
function envelope({ mcpReq }: ServerContext, key: string): unknown {
  const fields: unknown = mcpReq.envelope
  return isObject(fields) ? fields[key] : undefined
}

/** The SDK has dropped what is no object already, but its type does not say so. */
function objectsOf(responses: Readonly<Record<string, unknown>>): InputResponses {
  return Object.fromEntries(
    Object.entries(responses).filter((entry): entry is [string, Record<string, unknown>] => isObject(entry[1])),
  )
}
