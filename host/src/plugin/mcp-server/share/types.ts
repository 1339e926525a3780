import type { ClientCapabilities, PriorDiscovery } from '@modelcontextprotocol/client'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { HostError } from '../../../errors.ts'
import type { OpenedTransport, Sdk, ServerConnection, Until } from '../connect/types.ts'
import type { ServerOffer } from '../connect/server-offer.ts'
import type { OpenCalls } from './open-calls.ts'

/** One connection of a pool while it is used. */
export interface Lease {
  readonly connection: ServerConnection
  /** What the server offers on this connection; undefined when the host did not ask the server. */
  readonly offer: ServerOffer | undefined
  readonly calls: OpenCalls
  /** To be called once. */
  release(): void
}

/** Who asks for a connection: equal keys share one, and no other. */
export interface Asking {
  readonly key: string
  /** What the server is told that its clients can do. */
  readonly capabilities: ClientCapabilities
}

/** The connections to one server as one entry describes it, for all versions that describe it alike. */
export interface ServerPool extends AsyncDisposable {
  /** It serves no call any more, and why: it ended too often. */
  readonly failure: HostError | undefined
  /** Processes or connections that are open. */
  readonly size: number
  /** What the server offers as far as is known now. */
  readonly known: ServerOffer | undefined
  /** What the server offers; connects to it unless that is known. Rejects with `SERVER_CONNECT`. */
  offer(signal: AbortSignal): Promise<ServerOffer>
  /** A connection for `asking`. Rejects with `SERVER_BUSY`, `SERVER_CONNECT`, `PLUGIN_CRASHED`, and the reason of the signal of `until`. */
  lease(asking: Asking, until: Pick<Until, 'signal'>): Promise<Lease>
  /** Has the server tell when a resource changes, as long as it can. */
  follow(uri: string): void
  /** Ends a connection that is not what it should be; the next call opens another. */
  drop(lease: Lease, why: string): void
}

export interface PoolOptions {
  readonly instance: string
  /** One connection serves all callers. */
  readonly isShared: boolean
  /** It runs elsewhere: that it cannot be reached is not a fault that repeating makes worse. */
  readonly isRemote: boolean
  /** Rejects when what would be started is not what may be. */
  readonly verify: () => Promise<void>
  readonly open: (asking: Asking, sdk: Sdk) => OpenedTransport
  readonly openOlder?: (asking: Asking, sdk: Sdk) => OpenedTransport
  /** For reading what it offers: a server may offer more to a client that can do more. */
  readonly listingAs: Asking
  /** Told to a server that asks for roots; undefined leaves that to the caller. */
  readonly roots: readonly { readonly uri: string; readonly name: string }[] | undefined
  /** Connections for callers, besides the one that what it offers is read by. */
  readonly max: number
  /** A connection that nothing uses for so long is closed; 0 never. */
  readonly idleMs: () => number
  readonly timeoutMs: number
  readonly log: Logger
  readonly now: () => number
  readonly random: () => number
  /** From an earlier start, to be taken without connecting. */
  readonly kept: KeptOffer | undefined
  readonly onKnown: (known: KeptOffer) => void
  /** What it offers is not what it offered. */
  readonly onChanged: () => void
  readonly onResourceChanged: (uri: string) => void
  readonly onRestarted: () => void
  readonly onFailed: () => void
}

/** What is known of a server without connecting to it. */
export interface KeptOffer {
  readonly offer: ServerOffer
  readonly prior: PriorDiscovery
}
