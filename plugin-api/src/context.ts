import type { ResponseFormatter } from './format.ts'
import type { InputResponses } from './interactive.ts'
import type { Logger, Metrics } from './telemetry.ts'

/** Who calls. The raw token is not here and goes nowhere near a plugin. */
export interface Principal {
  /** Opaque and stable: a hash for OAuth callers, `local` on stdio and on a loopback listener without authentication. */
  readonly id: string
  readonly tenant: string | undefined
  readonly permissions: readonly string[]
  readonly kind: 'local' | 'apiKey' | 'oauth'
}

/** What a client is made for. One client serves every call of the same tenant and credential. */
export interface ClientContext<Config = Readonly<Record<string, unknown>>> {
  readonly config: Readonly<Config>
  readonly http: HttpClient
  readonly log: Logger
  readonly tenant: string | undefined
  /** As in {@link PluginContext}; what a client keeps is kept for its tenant and credential alone. */
  readonly keep: Keep
  /** Aborts when this version of the plugin is disposed. */
  readonly signal: AbortSignal
}

/**
 * Gives the handle of that name, a port or a pool, which `make` makes if no version of the plugin has: a reload hands it to the next version,
 * and it is disposed when no version that asked for it is there any more. By `dispose`, or else by its own `Symbol.asyncDispose` or
 * `Symbol.dispose`. Put what it is made from into the name (`port 8080`), so that another config makes another. What `make` closes over
 * stays in memory with it. A plugin in its own process has one for each process.
 */
export type Keep = <Handle>(
  name: string,
  make: () => Handle | Promise<Handle>,
  options?: { readonly dispose?: (handle: Handle) => void | Promise<void> },
) => Promise<Handle>

/** What `start` gets: the life of one version of the plugin. */
export interface PluginContext<Config = Readonly<Record<string, unknown>>> {
  readonly config: Readonly<Config>
  readonly http: HttpClient
  readonly log: Logger
  readonly metrics: Metrics
  readonly cache: Cache
  /** What outlives this version: `await keep('port 8080', () => listen(8080))`. */
  readonly keep: Keep
  /**
   * Says that a resource is not what it was: clients that follow it hear of it and read it again, at most four times a second. `uri` is as
   * the plugin knows it: that of a resource, or one that fits a template of it.
   */
  readonly resourceChanged: (uri: string) => void
  /** Aborts when this version is disposed: stop timers and listeners then, or old versions stay in memory. */
  readonly signal: AbortSignal
}

/** What a tool, resource or prompt gets with each call. May be taken apart: `run(input, { client, progress })`. */
export interface CallContext<Client = unknown, Config = Readonly<Record<string, unknown>>> {
  readonly client: Client
  readonly config: Readonly<Config>
  readonly principal: Principal
  readonly log: Logger
  readonly metrics: Metrics
  /** Aborts when the client cancels or disconnects, the time is up, or the version is drained for too long. */
  readonly signal: AbortSignal
  readonly format: ResponseFormatter
  /** This plugin's own cache, never shared between tenants or principals. */
  readonly cache: Cache
  /** Answers to what {@link inputRequired} asked, on the second run. */
  readonly inputResponses: InputResponses | undefined
  /** What the client says it can do: `elicitation`, `sampling`, `roots`. Ask only for these. */
  readonly clientCapabilities: Readonly<Record<string, unknown>>
  /** The state given to `inputRequired`, verified by the host: bound to this principal, this tool and ten minutes. */
  readonly requestState: <State>() => State | undefined
  /** Tells the client how far the call is, if it asked. `progress` must grow. Never throws and never waits for the client. */
  readonly progress: (progress: number, options?: { total?: number; message?: string }) => void
  /**
   * Lets a 2025-11-25 client of a long call go: closes its response stream, so that it polls for the answer. Without effect elsewhere.
   */
  readonly closeStream: () => void
}

/**
 * The plugin's only way to its service: the host picks the credential, dials, pools, retries and redacts. `path` begins at `apiUrl`;
 * an absolute URL is accepted where its origin is one of `capabilities.hosts`, and carries no credential there.
 */
export interface HttpClient {
  /** The body parsed as JSON. Throws a `ServiceError` for any status of 400 or more, and for a body that is not JSON. */
  json<Body = unknown>(path: string, options?: HttpRequest): Promise<Body>
  /** The body as text. Throws a `ServiceError` for any status of 400 or more. */
  text(path: string, options?: HttpRequest): Promise<string>
  /** The whole answer, whatever its status. Throws only where there is no answer. */
  request(path: string, options?: HttpRequest): Promise<HttpResponse>
}

export interface HttpRequest {
  /** Default `GET`. A tool with `access: 'read'` may send only GET and HEAD, and POST to its own `safePaths`. */
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Undefined values are left out; arrays repeat the key. */
  readonly query?: Readonly<Record<string, QueryValue | readonly QueryValue[] | undefined>>
  /** Credentials, `Host`, `Cookie` and connection headers are the host's and are refused here. */
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON unless it is a string or bytes. */
  readonly body?: unknown
  /** Sends no credential, for what the service gives to everyone. */
  readonly withoutCredential?: boolean
  /** Overrides the service's time limit for headers and for the body. */
  readonly timeoutMs?: number
  /** Refuses a longer body with `UPSTREAM_FAILED`. */
  readonly maxBytes?: number
}

export type QueryValue = string | number | boolean

export interface HttpResponse {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Where the answer came from after same-origin redirects. */
  readonly url: string
  readonly body: Uint8Array
  text(): string
  json<Body = unknown>(): Body
}

/** A plugin's small cache: JSON values under names of its own, gone after `ttlMs`. A store that is down costs misses, never errors. */
export interface Cache {
  get<Value = unknown>(key: string): Promise<Value | undefined>
  set(key: string, value: unknown, options: { ttlMs: number }): Promise<void>
  delete(key: string): Promise<void>
  /** The cached value, or `load`'s, which runs once however many ask at the same time. */
  wrap<Value>(key: string, options: { ttlMs: number }, load: () => Promise<Value>): Promise<Value>
}
