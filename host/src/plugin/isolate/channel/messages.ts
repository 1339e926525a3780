import type { InputResponses, Principal } from '@mcp-patchbay/plugin-api'
import type { PluginSurface } from '../../source/describe-surface.ts'
import type { WireConfig } from './config-codec.ts'
import type { WireError } from './error-codec.ts'

/** The requests of the host to a plugin's process, by name. */
export interface HostRequests {
  /** Imports the plugin; the answer is a `LoadOutcome`. Its body is the description of what is exported, then the digests of its files. */
  load: LoadOrder
  /** Whether a credential is configured; the answer is true or false. */
  configure: { readonly config: WireConfig }
  /** Has the plugin discover what it serves besides; the body of the answer is its description. */
  discover: { readonly instance: string; readonly config: WireConfig }
  start: StartOrder
  /** A call that is more than a tool and its arguments. The answer is what became of it, see `ResultKind`. */
  call: CallOrder
  /** Answered at once by a process that is not stuck. */
  ping: undefined
  dispose: undefined
}

export interface LoadOrder {
  readonly file: string
  readonly root: string
  readonly label: string
  readonly timeoutMs: number
  /** The most that the body of an answer may hold, in bytes. */
  readonly maxAnswerBytes: number
  /** In a frozen deployment the digests of the files that may run, by path. */
  readonly approved?: readonly (readonly [string, string])[]
  /** Whether the host wants to know what else the plugin reads, to watch it. */
  readonly isWatching: boolean
}

export interface StartOrder {
  readonly instance: string
  readonly surface: PluginSurface
  readonly config: WireConfig
  readonly tenants: readonly (readonly [tenant: string, config: WireConfig])[]
  /** Whether anything runs besides calls, see `InlineOptions`. */
  readonly hasBackground: boolean
}

export interface CallOrder {
  readonly kind: 'tool' | 'resource' | 'listing' | 'prompt' | 'completion'
  readonly name: string
  readonly input?: unknown
  /** Of a completion: of which of the two. */
  readonly of?: 'resource' | 'prompt'
  readonly uri?: string
  readonly params?: Readonly<Record<string, string>>
  readonly request: WireRequest
}

export interface WireRequest extends CallerFacts {
  readonly inputResponses?: InputResponses
  readonly requestState?: unknown
}

/** What is the same for many calls of a caller. */
export interface CallerFacts {
  readonly principal: Principal
  readonly clientCapabilities: Readonly<Record<string, unknown>>
  /** Tells callers' own credentials apart, and nothing more of them. */
  readonly credentialKey: string
}

/** The notifications of the host to a plugin's process, by name. */
export interface HostNotifications {
  cancel: { readonly call: number; readonly reason: WireError }
  /** From now on the number in a call stands for these. */
  facts: CallerFacts & { readonly number: number }
}

/** The notifications of a plugin's process to the host, by name. The host may drop each of them. `call` is the id of the call, 0 for none. */
export interface PluginNotifications {
  log: {
    readonly call: number
    readonly level: string
    readonly event: string
    readonly fields?: Readonly<Record<string, unknown>>
  }
  clientLog: { readonly call: number; readonly level: string; readonly data: unknown }
  progress: { readonly call: number; readonly progress: number; readonly total?: number; readonly message?: string }
  closeStream: { readonly call: number }
  resourceChanged: { readonly uri: string }
  /** What the permission model refused. */
  denied: { readonly call: number; readonly permission: string; readonly resource: string }
  /** A file that it read after it was loaded, and what was in it: a module imported late, or what it read to start. */
  read: { readonly file: string; readonly digest: string }
  /** A folder of its own that it listed. */
  listed: { readonly folder: string }
  /** The number of notifications that were not sent because of the limit. */
  dropped: { readonly times: number }
  metric: {
    readonly kind: string
    readonly name: string
    readonly value: number
    readonly labels?: Readonly<Record<string, string>>
  }
}

/** Notifications per second that the host takes. */
export const NOTIFICATIONS_PER_SECOND = 2_000
/** Bytes of notifications per second that the host takes. */
export const NOTIFICATION_BYTES_PER_SECOND = 4 * 1_048_576

/** What it asks the host to send. The body of the request is that of the message. */
export interface HttpOrder {
  readonly call: number
  readonly how: 'json' | 'text' | 'request'
  readonly path: string
  readonly options: Readonly<Record<string, unknown>>
  readonly bodyAs?: 'text' | 'bytes' | 'json'
}

/** Larger than any value that a cache keeps. */
export const MAX_CACHE_VALUE_BYTES = 2 * 1_048_576

/** A value to be set is the body of the message, as JSON. */
export interface CacheOrder {
  readonly call: number
  readonly what: 'get' | 'set' | 'delete'
  readonly key: string
  readonly ttlMs?: number
}
