import type { CompletionInput, InputResponses, Principal } from '@mcp-patchbay/plugin-api'
import type { CallAccount, CallerCredentials } from '../../network/http-call-scope.ts'
import type { TraceContext } from '../../observability/tracing/trace-context.ts'
import type { PluginSurface } from '../source/describe-surface.ts'

/**
 * One running version of one plugin, in this process or in its own: the seam between the isolation modes. What goes in and out can be
 * written as JSON, but for the two functions of a request, which are messages where there is a boundary.
 */
export interface RunningPlugin extends AsyncDisposable {
  readonly surface: PluginSurface
  /** It was listed before it was imported, and cannot be what was listed: no version to hold on to when the next one fails. */
  readonly isBroken?: boolean
  /** There while it is listed and not imported: imports it. What its answers come from is not known before. Never rejects. */
  readonly activate?: (() => Promise<void>) | undefined
  /** It serves no calls any more, and why: its process died too often. */
  readonly failure?: Error | undefined
  /** It was idle for long, and its process was ended: the next call starts one. */
  readonly isIdle?: boolean | undefined
  /** It may be ended while it is idle, and listed without being started. */
  readonly mayIdle?: boolean | undefined
  /** Its tools take arguments whose long texts still are bytes, see `longTextsOf`. */
  readonly takesLongTexts?: boolean | undefined
  /** It was disposed, and later versions use a handle that it made. */
  readonly isHeld?: boolean
  /** Runs a tool by its own name on input that was validated. Gives what `run` returned, unchecked; rejects with what it threw. */
  callTool(name: string, input: unknown, request: CallRequest): Promise<unknown>
  readResource(name: string, uri: string, params: Readonly<Record<string, string>>, request: CallRequest): Promise<unknown>
  /** A page of the resources that the template of one stands for. */
  listResources?(name: string, cursor: string | undefined, request: CallRequest): Promise<unknown>
  getPrompt(name: string, args: unknown, request: CallRequest): Promise<unknown>
  /** Asks a prompt or a resource for values of one of its arguments. */
  complete?(of: 'prompt' | 'resource', name: string, input: CompletionInput, request: CallRequest): Promise<unknown>
  /** A client wants to hear when a resource of it, by its own URI, changes. */
  follow?(uri: string): void
  /** Waits until no call of it waits for its caller, who is to answer something, or for so long, in milliseconds. */
  settled?(ms: number): Promise<void>
}

/** What the host tells a plugin about one call. */
export interface CallRequest {
  readonly requestId: string
  /** Goes on to services; never to the plugin. */
  readonly trace?: TraceContext | undefined
  readonly principal: Principal
  /** Tells the sessions of one principal apart, where its transport has sessions. */
  readonly session?: string | undefined
  /** For the scope of its requests to services; never for the plugin. */
  readonly credentials: CallerCredentials | undefined
  /** What the caller has linked for the service of this plugin. */
  readonly account?: CallAccount | undefined
  readonly signal: AbortSignal
  /** Calls `listener`, the last one set, when the signal aborts: for who needs no signal, which costs more than all else of a short call. */
  readonly onCancel?: (listener: ((reason: unknown) => void) | undefined) => void
  /** When its time is up, on the clock of `performance.now()`. */
  readonly dueAt?: number
  readonly inputResponses: InputResponses | undefined
  readonly clientCapabilities: Readonly<Record<string, unknown>>
  readonly requestState: unknown
  /** False: its client does not want to hear of progress. */
  readonly wantsProgress?: boolean
  readonly progress: (progress: number, options?: { total?: number; message?: string }) => void
  /** A line for the client, where its revision has logging and it asked for some. */
  readonly log: (level: ClientLogLevel, data: unknown) => void
  readonly closeStream: () => void
}

export type ClientLogLevel = 'debug' | 'info' | 'warning' | 'error'
