import type { StepUp } from './step-up.ts'
import type { OpenConnections, Exchange } from '../http/http-exchange.ts'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { HostServerFactory } from '../../server/mcp/mcp-server.ts'
import type { ReadStep } from '../../modules/reading/read-ahead.ts'
import type { FastPath } from '../fast-path/types.ts'
import type { ChangeNotifier } from '../../server/catalog/change-notifier.ts'

/** Streamable HTTP at one path. */
export interface Streamable {
  readonly handle: (exchange: Exchange) => Promise<void>
  readonly open: () => OpenConnections
  /** Read what only some requests need, before one does. */
  readonly prepare: readonly ReadStep[]
  /** Closes sessions that were idle for too long. */
  readonly sweep: () => void
  /** Ends every stream and session; streams of 2026-07-28 end as the protocol requires. */
  readonly close: () => Promise<void>
}

export interface StreamableOptions {
  /** Asked for when the fast path hands something off. */
  readonly factory: () => Promise<HostServerFactory>
  readonly notifier: ChangeNotifier
  readonly fastPath?: FastPath | undefined
  readonly stepUp?: StepUp | undefined
  readonly log: Logger
  readonly bodyBytes: number
  readonly sessions: { readonly mode: 'stateful' | 'stateless'; readonly max: number; readonly idleMs: number }
  /** How many of `sessions.max` one caller may have. */
  readonly maxSessionsPerOwner: number
  /** True once no new request is to be begun. */
  readonly isDraining: () => boolean
  readonly now: () => number
  /** Never goes back or leaps, as the clock of a machine does. */
  readonly elapsed: () => number
}
