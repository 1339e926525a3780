import type { EventEmitter } from 'eventemitter3'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { Accounts } from './auth/accounts/accounts.ts'
import type { CacheStats } from './cache/cache.ts'
import type { ResolvedConfig } from './config/schema/schema.ts'
import type { HostListing } from './server/catalog/operator/listing.ts'
import type { Redactor } from './observability/redact.ts'
import type { Sources } from './plugin/reload/sources.ts'
import type { CallIO, Middleware, PromptAnswer, ResourceAnswer, ToolAnswer } from './server/call/types.ts'
import type { Caller } from './server/catalog/caller.ts'
import type { ReachedExplanation } from './server/catalog/reach.ts'
import type { HostEvents } from './server/host-events.ts'
import type { Snapshot } from './server/catalog/snapshot.ts'
import type { View } from './server/catalog/view.ts'
import type { AdminAccess } from './transport/admin/types.ts'
import type { Listening, ListenOptions } from './transport/listen.ts'

/** What a host runs with besides its config. Everything that time, place and output depend on is passed in. */
export interface HostContext {
  /** The config's file, for messages and for paths that are relative to it. Default: `mcp.config.ts` in the working directory. */
  readonly file?: string
  /** Default: `process.env`. */
  readonly env?: HostEnvironment
  /** Default: none. */
  readonly log?: Logger
  /** Knows every live secret. The log's, if it has one, so that a secret is gone from both. */
  readonly redact?: Redactor
  /**
   * How long a generation waits for the slowest of its plugins, which is published by itself when it is done. Default: five seconds
   * for the first, as clients list once they are connected, and a second for those after it. Infinity waits for all of them, each of
   * which has `limits.loadTimeoutMs`.
   */
  readonly patienceMs?: number
  /**
   * Plugins of which nothing changed since a start before are listed from the cache, and imported when they are called, or that long
   * after the start. Default: a quarter of a second. With an infinite `patienceMs` all of them are imported at the start.
   */
  readonly importAfterMs?: number
  /** Around requests and calls, inside of those that the config names. */
  readonly middleware?: readonly Middleware[]
  /** Milliseconds from whenever, never going back. Default: `performance.now`. */
  readonly now?: () => number
  /** Descriptors of plugins are kept beside the config, where the config's cache keeps nothing over a restart. Default: false. */
  readonly keepRegistry?: boolean
  /** Plugins will be reloaded while calls run: does at the start what the first reload would stop them for. Default: false. */
  readonly expectReloads?: boolean
  /** How many lines the log had to drop, for /metrics. */
  readonly logLinesDropped?: () => number
}

/** A running host. Dispose it to close its listeners, drain its plugins and free everything. */
export interface Host extends AsyncDisposable {
  /** What is served now. */
  readonly snapshot: Snapshot
  readonly on: EventEmitter<HostEvents>['on']
  readonly off: EventEmitter<HostEvents>['off']
  /** Resolves when the host is closed, for whatever reason. */
  readonly closed: Promise<void>
  /**
   * Opens listeners; gives their addresses once they accept. With `admin` the management listener has `/admin`, whatever the config says of
   * it. Throws `LISTEN_…` for an address that must not or cannot be bound.
   */
  listen(options?: ListenOptions, more?: { admin?: AdminAccess }): Promise<Listening>
  /** Calls a tool in process, as the operator or as `caller`. Throws what `Calls.tool` throws. */
  call(name: string, input?: unknown, options?: { caller?: Caller; io?: Partial<CallIO> }): Promise<ToolAnswer>
  /** Gets a prompt in process. Throws what `Calls.prompt` throws. */
  prompt(
    name: string,
    args?: Readonly<Record<string, string>>,
    options?: { caller?: Caller; io?: Partial<CallIO> },
  ): Promise<PromptAnswer>
  /** Reads a resource in process. Throws what `Calls.resource` throws. */
  read(uri: string, options?: { caller?: Caller; io?: Partial<CallIO> }): Promise<ResourceAnswer>
  /** Prompts, resources and templates as they are listed to the caller. */
  offers(caller?: Caller): Pick<View, 'prompts' | 'resources' | 'templates'>
  explain(name: string, caller?: Caller): ReachedExplanation
  list(caller?: Caller): HostListing
  /** Settings that select nothing there is, one line each; see `unusedRules`. */
  unusedRules(): readonly string[]
  /** Tokens that callers linked, where the config has `auth.accounts`: who embeds a host links and unlinks them here. */
  readonly accounts: Accounts | undefined
  /** What became of the looks into the cache so far. */
  readonly cacheStats: CacheStats
  /** Takes over a new config or environment without a restart, and builds what `changed` files touch. Resolves when it is published. */
  apply(change: HostChange): Promise<void>
  /** The files and folders that plugins were built from. */
  watched(): Sources
  /** Says not ready for `leaveMs` while it serves on, then stops taking work, waits for calls at most `graceMs`, then cancels them. */
  close(options?: { graceMs?: number; leaveMs?: number }): Promise<void>
}

export interface HostChange {
  readonly config?: ResolvedConfig
  readonly env?: HostEnvironment
  readonly changed?: ReadonlySet<string>
  /** Names of plugins that are built again although nothing of them differs. */
  readonly rebuild?: ReadonlySet<string>
  /** Nothing came to the folders of `pluginDirs` or went from them: they need not be read. Default: false. */
  readonly samePlugins?: boolean
}

export type HostEnvironment = Readonly<Record<string, string | undefined>>
