import type { OpenRequests } from '../../data/open-requests.ts'
import type { BegunCall } from '../../server/mcp/deferred-call.ts'
import type { HostServer } from '../../server/mcp/mcp-server.ts'
import { capabilitiesAt, revisionOf, type Revision } from '../../server/mcp/revisions.ts'
import type { SessionTransport } from './session-transport.ts'
import type { Session } from './sessions.ts'

/** One session of a 2025 revision: its transport, its server, and what its client negotiated. */
export class StreamableSession implements Session {
  readonly id: string
  readonly owner: string
  readonly view: string
  readonly transport: SessionTransport
  /** Its calls on the fast path. */
  readonly begun: OpenRequests<BegunCall>
  /** How many streams wait for notifications. */
  streams = 0
  readonly #mcp: HostServer
  #revision: Revision | undefined
  #capabilities: Readonly<Record<string, unknown>> | undefined

  constructor({ id, owner, view, transport, mcp, begun }: StreamableSessionParts) {
    this.id = id
    this.owner = owner
    this.view = view
    this.transport = transport
    this.begun = begun
    this.#mcp = mcp
  }

  get revision(): Revision {
    return (this.#revision ??= this.#mcp.negotiated ?? revisionOf(undefined))
  }

  get capabilities(): Readonly<Record<string, unknown>> | undefined {
    return (this.#capabilities ??= capabilitiesAt(this.#mcp.clientCapabilities, this.revision))
  }

  get isBusy(): boolean {
    return this.streams > 0 || this.transport.isBusy
  }

  close(): Promise<void> {
    return this.#mcp.close()
  }
}

interface StreamableSessionParts {
  readonly id: string
  readonly owner: string
  readonly view: string
  readonly transport: SessionTransport
  readonly mcp: HostServer
  readonly begun: OpenRequests<BegunCall>
}
