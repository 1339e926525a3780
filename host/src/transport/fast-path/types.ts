import type { IncomingHttpHeaders } from 'node:http'
import type { OpenRequests } from '../../data/open-requests.ts'
import type { InFlight } from '../../server/call/in-flight.ts'
import type { Calls } from '../../server/call/types.ts'
import type { Caller } from '../../server/catalog/caller.ts'
import type { Registry } from '../../server/catalog/registry.ts'
import type { BegunCall } from '../../server/mcp/deferred-call.ts'
import type { Revision } from '../../server/mcp/revisions.ts'
import type { Exchange } from '../http/http-exchange.ts'

export interface FastPathDeps {
  readonly registry: Registry
  readonly calls: Calls
  readonly inFlight: InFlight
}

/**
 * Answers the hot methods without the SDK. It answers a request when every guard holds; what is not quite ordinary goes on to the SDK, with
 * nothing written or run, and the SDK's words for what is wrong stay the only ones. A call that turns out to need a stream goes on to
 * the SDK while it runs.
 */
export interface FastPath {
  /** A POST of 2026-07-28. Gives what is left for the SDK to serve: the exchange, or nothing. */
  modern(exchange: Exchange, message: unknown): HandedOff
  /** A POST of a 2025 revision, in a session, where `begun` knows its calls, or without one. */
  legacy(exchange: Exchange, message: unknown, session?: FastPathSession): HandedOff
  /** The SDK answered this message of 2026-07-28 with `answer`: what it says of its client need not be checked again. */
  learn(caller: Caller, message: unknown, answer: string): void
  /** One message of a connection that is of one revision, as on stdio: its answer as a line, or undefined when it is the SDK's. */
  line(request: LineRequest): Promise<string | undefined> | string | undefined
}

export type HandedOff = Exchange | undefined | Promise<Exchange | undefined>

/** What a 2025 session and its direct calls know of each other. */
export interface FastPathSession {
  readonly id: string
  readonly begun: OpenRequests<BegunCall>
  /** What its client agreed on, and what it said that it can do. */
  readonly revision: Revision
  readonly capabilities: Capabilities
}

type Capabilities = Readonly<Record<string, unknown>> | undefined

/** What a client said of itself before this request. */
export interface ClientSaid {
  readonly revision: Revision
  readonly capabilities: Capabilities
  /** Of the request, where it came over HTTP. */
  readonly headers?: IncomingHttpHeaders
}

export interface LineRequest {
  readonly caller: Caller
  readonly message: unknown
  readonly revision: Revision
  /** What the client said when it connected; 2026-07-28 says it with each request. */
  readonly capabilities: Capabilities
  readonly begun: OpenRequests<BegunCall>
  /** Takes a call that the SDK must go on with, or begin when there is none: no answer comes from here then. */
  readonly handOff: (call: BegunCall | undefined) => void
}
