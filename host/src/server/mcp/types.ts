import type { ServerContext } from '@modelcontextprotocol/server'
import type { Registry } from '../catalog/registry.ts'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { InFlight } from '../call/in-flight.ts'
import type { Calls } from '../call/types.ts'
import type { Caller } from '../catalog/caller.ts'
import type { Era, Revision } from './revisions.ts'

export interface McpServerOptions {
  readonly registry: Registry
  readonly calls: Calls
  readonly inFlight: InFlight
  readonly log: Logger
  /** Signs the state of interactive calls; at least 32 bytes, the same in every replica. */
  readonly requestStateKey: Uint8Array | string
}

/** What the requests of one connection share. */
export interface Connection {
  readonly era: Era
  readonly followed: Set<string> | undefined
  /** What the client said of itself, in the era that says it once. */
  readonly capabilities: () => Readonly<Record<string, unknown>> | undefined
  /** The revision of the protocol that this request is of. */
  readonly revision: (ctx: ServerContext) => Revision
  /** Who makes this request. */
  readonly callerOf: (ctx: ServerContext) => Caller
}
