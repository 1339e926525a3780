import type { Principal } from '@mcp-patchbay/plugin-api'

/** The rights and the life of the call that sends a request. */
export interface CallScope {
  readonly access: 'read' | 'write'
  /** Paths that a read call may POST to, `*` for one segment. */
  readonly safePaths: readonly string[]
  readonly signal: AbortSignal
  readonly requestId: string
  readonly principal: Principal
}
