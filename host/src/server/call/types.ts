import type { ToolResult } from '../../data/content.ts'
import type { SnapshotTool, SnapshotItem, Snapshot, WireResource } from '../catalog/snapshot.ts'
import type { ServerResponse, IncomingMessage } from 'node:http'
import type {
  ResourceContents,
  PromptMessage,
  Principal,
  Logger,
  InputResponses,
  InputRequest,
  CompletionInput,
} from '@mcp-patchbay/plugin-api'
import type { Redactor } from '../../observability/redact.ts'
import type { CallAccounts } from './account/types.ts'
import type { RateLimit } from './rate-limit.ts'
import type { SingleUse } from './approval/single-use.ts'
import type { HostMetrics } from '../../observability/metrics.ts'
import type { ClientLogLevel } from '../../plugin/run/running.ts'
import type { Cancellation } from './cancellation.ts'
import type { Caller } from '../catalog/caller.ts'
import type { Audit } from '../../observability/audit.ts'
import type { TraceContext } from '../../observability/tracing/trace-context.ts'
import type { Tracing } from '../../observability/tracing/types.ts'
import type { RefusalCode } from '../catalog/visibility.ts'

/**
 * The way of every call from authorise to answer, whatever transport and era it came by. The snapshot must be read in the same tick as
 * the method is called, so that the version the call enters cannot be drained in between.
 */
export interface Calls {
  /** Throws `TOOL_UNKNOWN` for a tool that does not exist and, alike, for one that the caller may not see; `CALL_CANCELLED`. */
  tool(snapshot: Snapshot, caller: Caller, name: string, args: unknown, io: CallIO): Promise<ToolAnswer>
  /** Whether the arguments of a tool may still have long texts that are bytes, of at most so many: nothing in the host looks at them. */
  takesLongTexts(item: SnapshotTool, longest: number): boolean
  /** Throws `RESOURCE_UNKNOWN`, `RATE_LIMITED`, `INTERNAL`, `CALL_TIMEOUT`, `CALL_CANCELLED`, and the plugin's `ServiceError`. */
  resource(snapshot: Snapshot, caller: Caller, uri: string, io: CallIO): Promise<ResourceAnswer>
  /**
   * One page of `resources/list`: what is fixed, and then what templates with a list stand for. What one plugin's list fails with is its
   * own: it goes to the log, and the next list follows. Throws `CURSOR_UNKNOWN`, `RATE_LIMITED`, `CALL_CANCELLED`.
   */
  resources(snapshot: Snapshot, caller: Caller, cursor: string | undefined, io: CallIO): Promise<ListedPage>
  /** Values for an argument of a prompt, or for a variable of a template. Throws what `prompt` and `resource` throw. */
  complete(
    snapshot: Snapshot,
    caller: Caller,
    ref: { readonly prompt: string } | { readonly template: string },
    input: CompletionInput,
    io: CallIO,
  ): Promise<readonly string[]>
  /** Throws `PROMPT_UNKNOWN`, `PROMPT_ARGUMENTS` and what `resource` throws. */
  prompt(
    snapshot: Snapshot,
    caller: Caller,
    name: string,
    args: Readonly<Record<string, string>>,
    io: CallIO,
  ): Promise<PromptAnswer>
}

export interface ListedPage {
  readonly resources: readonly WireResource[]
  readonly nextCursor?: string
}

/** What a transport offers a call. */
export interface CallIO {
  /** Happens when the client cancels or goes away. */
  readonly cancellation: Cancellation
  readonly requestId: string
  /** The trace that the request came in, where it came in one; the span of the call, once there is one. */
  trace?: TraceContext | undefined
  /** Absent where the transport has no sessions. */
  readonly session?: string | undefined
  /** Absent when the client did not ask for progress. */
  readonly progress?: (progress: number, options?: { total?: number; message?: string }) => void
  /** Absent where the client asked for no log. */
  readonly log?: (level: ClientLogLevel, data: unknown, logger: string) => void
  readonly closeStream?: () => void
  readonly inputResponses?: InputResponses
  readonly clientCapabilities?: Readonly<Record<string, unknown>>
  /** The code that passes it has verified it. */
  readonly requestState?: unknown
  /** Says that what a question by URL was about is done. Absent where the protocol's revision has no such message. */
  readonly elicitationComplete?: (elicitationId: string) => void
}

export type ToolAnswer = { readonly kind: 'result'; readonly result: ToolResult } | InputRequiredAnswer

export interface ResourceAnswer {
  readonly contents: readonly ResourceContents[]
}

export type PromptAnswer =
  | { readonly kind: 'result'; readonly result: { readonly description?: string; readonly messages: readonly PromptMessage[] } }
  | InputRequiredAnswer

export interface InputRequiredAnswer {
  readonly kind: 'inputRequired'
  readonly requests: Readonly<Record<string, InputRequest>>
  readonly state: unknown
}

/** What became of a call. `unknown`: its tool was not there after all. */
export type Outcome = 'ok' | 'error' | 'timeout' | 'cancelled' | 'refused' | 'limited' | 'unknown'

/** What became of one call, for whatever watches the host: no argument and no answer. */
export interface EndedCall {
  readonly kind: 'tool' | 'resource' | 'prompt'
  /** As the caller said it, at most 256 characters of it. */
  readonly name: string
  /** The instance that answered. Absent for a call that was denied: the name may be of no plugin. */
  readonly plugin?: string
  readonly caller: Pick<Principal, 'id' | 'kind' | 'tenant'>
  /** `asking`: it asked the caller something, whose answer is another call. */
  readonly outcome: Outcome | 'asking' | 'denied'
  /** Of a denied call: the rule that refused. */
  readonly reason?: RefusalCode
  readonly ms: number
  /** Names the call in the log. */
  readonly call: string
}

/** A call that the caller may make, on its way. */
export interface PendingCall<Item extends SnapshotItem = SnapshotItem> {
  readonly kind: 'tool' | 'resource' | 'prompt'
  /** As the client said it. */
  readonly name: string
  readonly item: Item
  caller: Caller
  readonly args: unknown
  io: CallIO
  /** Whoever ends it otherwise than well says so here. */
  outcome: Outcome
  /** What middleware sees of it, once one looks. */
  passing?: PassingCall
}

/** One layer of an onion: does something before and after `next`, or something else instead. */
export type Layer<Context, Answer> = (context: Context, next: () => Promise<Answer>) => Promise<Answer>

/**
 * What a config adds to the way of requests and calls. A call comes to it when the caller may make it, its rate allows it and its
 * arguments are valid, and before the cache is asked: what a layer lets through may be answered from there. An error that a layer throws
 * is answered as one of the plugin would be.
 */
export interface Middleware {
  /** For messages. */
  readonly name: string
  /** Around every request of an MCP client over HTTP, once it is known who asks. Without `next` it answers itself, on `res`. */
  readonly http?: Layer<PassingRequest, void>
  readonly tool?: Layer<PassingCall, ToolAnswer>
  readonly resource?: Layer<PassingCall, ResourceAnswer>
  readonly prompt?: Layer<PassingCall, PromptAnswer>
}

/** A request as middleware sees it. Its body is not read yet, and not for middleware to read. */
export interface PassingRequest {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly principal: Principal
}

/** A call as middleware sees it. */
export interface PassingCall {
  readonly kind: 'tool' | 'resource' | 'prompt'
  /** As clients see it: the name of a tool or prompt, the URI of a resource. */
  readonly name: string
  /** The instance it is of. */
  readonly plugin: string
  readonly access: 'read' | 'write'
  /** Not to be changed: the plugin gets the same object. */
  readonly args: unknown
  readonly principal: Principal
  /** Names the call in the log. */
  readonly requestId: string
}

export interface CallDeps {
  readonly log: Logger
  readonly metrics: HostMetrics
  readonly now: () => number
  /** Read at each call: limits change without a restart. */
  readonly limits: () => { readonly callTimeoutMs: number; readonly resultBytes: number }
  /** Takes every known secret out of a text that leaves the host. */
  readonly redact: Redactor
  /** Without it every call runs. */
  readonly results?: ResultCache
  /** Undefined: no limit. */
  readonly rate?: RateLimit
  /** Makes a yes count once, also among hosts that share a store. */
  readonly tickets?: SingleUse
  readonly audit?: Audit
  /** Without it no span is made. */
  readonly tracing?: Tracing | undefined
  /** What callers have linked. Without it nothing is. */
  readonly accounts?: CallAccounts | undefined
  /** Told of every call that ended. What it is told is made only where something watches; it never throws. */
  readonly onEnded?: (made: () => EndedCall) => void
  /** What a config adds to the way of a call, in order. */
  readonly middleware?: readonly Middleware[]
}

/**
 * Answers calls of tools that opted in with what the same caller was answered before, all others with what comes next. A tool that
 * writes makes what its plugin's tools answered stale, also when it fails: the service may have done it all the same. Rejects as `next`
 * does, and with `CALL_CANCELLED` or the drain's reason for one who waits for another's call.
 */
export type ResultCache = Layer<PendingCall<SnapshotTool>, ToolAnswer>
