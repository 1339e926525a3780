import type { Cache, CallContext, InputResponses, Logger, LogFields, Metrics, Principal } from '@mcp-patchbay/plugin-api'
import { markdown } from '@mcp-patchbay/plugin-api/host'
import type { CallAccount, CallerCredentials, CallScope } from '../../network/http-call-scope.ts'
import type { TraceContext } from '../../observability/tracing/trace-context.ts'
import type { CallRequest, ClientLogLevel } from './running.ts'

/**
 * The context of one call. A class with getters on the prototype: an object literal with getters, made per call, cost a quarter of
 * the throughput when it was measured.
 */
export class InlineCall implements CallContext {
  readonly client: unknown
  readonly #request: CallRequest
  readonly #shared: SharedContext

  constructor(client: unknown, request: CallRequest, shared: SharedContext) {
    this.client = client
    this.#request = request
    this.#shared = shared
  }

  get config(): Readonly<Record<string, unknown>> {
    return this.#shared.configOf(this.#request.principal.tenant)
  }
  get principal(): Principal {
    return this.#request.principal
  }
  get metrics(): Metrics {
    return this.#shared.metrics
  }
  get signal(): AbortSignal {
    return this.#request.signal
  }
  get format() {
    return markdown
  }
  get cache(): Cache {
    return this.#shared.cache(this.#request.principal)
  }
  get inputResponses(): InputResponses | undefined {
    return this.#request.inputResponses
  }
  get clientCapabilities(): Readonly<Record<string, unknown>> {
    return this.#request.clientCapabilities
  }
  get log(): Logger {
    return callLogger(this.#shared.log(this.#request.requestId, this.#request.trace), this.#request)
  }

  // These getters return functions, so that a plugin may destructure the context: `run(input, { progress })`.
  get requestState(): <State>() => State | undefined {
    const state = this.#request.requestState
    return <State>() => state as State | undefined
  }
  get progress(): CallContext['progress'] {
    return this.#request.progress
  }
  get closeStream(): () => void {
    return this.#request.closeStream
  }
}

/** What the calls of one version share. */
export interface SharedContext {
  readonly configOf: (tenant: string | undefined) => Readonly<Record<string, unknown>>
  readonly log: (call: string, trace: TraceContext | undefined) => Logger
  readonly metrics: Metrics
  readonly cache: (principal: Principal) => Cache
}

/** The scope of one call. Getters, like {@link InlineCall}: a call that sends no request needs no signal. */
export class InlineScope implements CallScope {
  readonly access: 'read' | 'write'
  readonly safePaths: readonly string[]
  readonly #request: CallRequest

  constructor(request: CallRequest, access: 'read' | 'write', safePaths: readonly string[]) {
    this.#request = request
    this.access = access
    this.safePaths = safePaths
  }

  get signal(): AbortSignal {
    return this.#request.signal
  }
  get timeLeftMs(): () => number {
    const { dueAt = Infinity } = this.#request
    return () => dueAt - performance.now()
  }
  get requestId(): string {
    return this.#request.requestId
  }
  get trace(): TraceContext | undefined {
    return this.#request.trace
  }
  get principal(): Principal {
    return this.#request.principal
  }
  get credentials(): CallerCredentials | undefined {
    return this.#request.credentials
  }
  get account(): CallAccount | undefined {
    return this.#request.account
  }
}

/** The scope of the call that a client is made for, with the life of the client. */
export function clientScope(call: CallScope | undefined, signal: AbortSignal): CallScope {
  if (!call) throw new Error('A client is made for a call')
  const { access, safePaths, requestId, principal, credentials, account } = call
  return { access, safePaths, signal, requestId, principal, credentials, account }
}

/** Writes to the host's log and, where the client asked for them, sends the same lines to the client. */
function callLogger(log: Logger, request: CallRequest): Logger {
  const both =
    (level: 'debug' | 'info' | 'warn' | 'error', clientLevel: ClientLogLevel) => (event: string, fields?: LogFields) => {
      log[level](event, fields)
      try {
        request.log(clientLevel, fields ? { event, ...fields } : event)
      } catch {
        // What JSON cannot hold is no reason for the call to fail.
        request.log(clientLevel, event)
      }
    }
  return {
    debug: both('debug', 'debug'),
    info: both('info', 'info'),
    warn: both('warn', 'warning'),
    error: both('error', 'error'),
    child: (fields) => callLogger(log.child(fields), request),
  }
}
