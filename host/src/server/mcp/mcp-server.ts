import type { McpServerOptions, Connection } from './types.ts'
import { McpServer, type McpRequestContext } from '@modelcontextprotocol/server'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { Subscriber } from '../catalog/change-notifier.ts'
import { callerOf } from './auth-info.ts'
import { checkRequests } from './checked-requests.ts'
import { withoutCredentials, type Caller } from '../catalog/caller.ts'
import { refusal } from '../catalog/visibility.ts'
import { LIST_HINT } from './info.ts'
import { instructionsFor } from '../catalog/instructions.ts'
import { registerHandlers } from './mcp-handlers.ts'
import type { Registry } from '../catalog/registry.ts'
import { createRequestStates, type RequestStates } from './request-state.ts'
import { MODERN, revisionOf, type Revision } from './revisions.ts'
import { viewOf, type ListKind } from '../catalog/view.ts'

/**
 * Makes the SDK's server for one request (2026-07-28, stateless 2025) or one connection (2025 sessions, HTTP+SSE, stdio). Nothing is
 * registered per tool, so making one costs the same with ten tools as with ten thousand; every handler reads the registry when it runs.
 * The request's identity must come from `authInfoOf`.
 */
export function createMcpServerFactory(options: McpServerOptions): HostServerFactory {
  const states = createRequestStates(options.requestStateKey)
  return (request) => new HostServer(options, states, request)
}

/** What the SDK's entries take, but known to make our servers. */
export type HostServerFactory = (request: McpRequestContext) => HostServer

/**
 * A McpServer because the SDK asks only that for a tool's schema: with the low-level Server it skips the Mcp-Param-* header checks.
 * One that serves a connection is a {@link Subscriber} of it.
 */
export class HostServer extends McpServer implements Subscriber {
  readonly #registry: Registry
  readonly #log: Logger
  readonly #followed: Set<string> | undefined
  #caller: Caller
  #onClosed: (() => void) | undefined

  constructor(options: McpServerOptions, states: RequestStates, request: McpRequestContext) {
    const caller = withoutCredentials(callerOf(request.authInfo))
    const view = viewOf(options.registry.current, caller)
    const instructions = instructionsFor(view)
    super(
      { ...view.server },
      {
        cacheHints,
        requestState: { verify: states.verify },
        ...(instructions !== undefined && { instructions }),
      },
    )
    this.#registry = options.registry
    this.#log = options.log
    this.#caller = caller
    this.#followed = request.era === 'legacy' ? new Set() : undefined
    this.server.registerCapabilities(capabilities)
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK has one of each
    this.server.onerror = (error) => options.log.debug('mcp_error', { era: request.era, error })
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the same
    this.server.onclose = () => this.#onClosed?.()
    const connection: Connection = {
      era: request.era,
      followed: this.#followed,
      capabilities: () => this.clientCapabilities,
      revision: (ctx) =>
        request.era === 'modern' ? MODERN : (this.negotiated ?? revisionOf(ctx.http?.req?.headers.get('mcp-protocol-version'))),
      // On stdio requests carry no identity: the connection's is theirs.
      callerOf: (ctx) => {
        const asking = callerOf(ctx.http?.authInfo ?? request.authInfo)
        this.#caller = withoutCredentials(asking)
        return asking
      },
    }
    registerHandlers(this.server, connection, options, states)
    checkRequests(this.server)
  }

  /** Sets what is to be done when its connection is over. */
  onClosed(run: () => void): void {
    this.#onClosed = run
  }

  /** What a connection agreed on; undefined before, and where every request says its own. */
  get negotiated(): Revision | undefined {
    const version = this.server.getNegotiatedProtocolVersion()
    return version === undefined ? undefined : revisionOf(version)
  }

  /** What the client of a connection said that it can do. */
  get clientCapabilities(): Readonly<Record<string, unknown>> | undefined {
    return this.server.getClientCapabilities()
  }

  get caller(): Caller {
    return this.#caller
  }

  /** From `resources/subscribe`; on 2026-07-28 the SDK's entries keep what a stream listens to. */
  get resourceUris(): ReadonlySet<string> | undefined {
    return this.#followed
  }

  listChanged(kind: ListKind): void {
    this.#send(`notifications/${kind}/list_changed`)
  }

  resourceUpdated(uri: string): void {
    this.#send('notifications/resources/updated', { uri })
  }

  #send(method: string, params?: Record<string, unknown>): void {
    this.server
      .notification({ method, ...(params && { params }) })
      .catch((error: unknown) => this.#log.debug('notification_failed', { method, error }))
  }

  /** Marked internal in the SDK, hence its exact version in package.json and a test. A hidden tool has no schema here either. */
  override toolInputSchemaJson(name: string): Record<string, unknown> | undefined {
    const { tools, policy } = this.#registry.current
    const tool = tools.get(name)
    return tool && refusal(tool, this.#caller, policy) === undefined ? tool.wire.inputSchema : undefined
  }
}

const capabilities = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  logging: {},
  completions: {},
}

const cacheHints = {
  'tools/list': LIST_HINT,
  'prompts/list': LIST_HINT,
  'resources/list': LIST_HINT,
  'resources/templates/list': LIST_HINT,
  'server/discover': LIST_HINT,
}
