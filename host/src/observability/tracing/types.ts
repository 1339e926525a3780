import type { Logger } from '@mcp-patchbay/plugin-api'
import type { TraceContext } from './trace-context.ts'

/** Tells a collector of OpenTelemetry what became of calls, of the plugins in them and of their requests to services. */
export interface Tracing extends AsyncDisposable {
  /** Begins a span below `parent`, or a trace of its own where there is none. */
  begin(name: string, options: SpanOptions): OpenSpan
}

export type Attributes = Readonly<Record<string, string | number | undefined>>

export interface SpanOptions {
  readonly kind: 'server' | 'internal' | 'client'
  readonly parent: TraceContext | undefined
  /** Where else it stands, `traceparent` of W3C Trace Context: the request that brought a message with a trace of its own. */
  readonly link?: string | undefined
  /** Made for a span that is sampled. Never a value that a caller or a service sent. */
  readonly attributes: () => Attributes
}

/** A span that is not over. */
export interface OpenSpan {
  /** What goes on to services and into the log. */
  readonly trace: TraceContext
  /** Whether a collector will hear of it. */
  readonly isRecorded: boolean
  /** With `error`, a word that says of what kind, it failed. */
  end(more?: { readonly error?: string | undefined; readonly attributes?: Attributes }): void
}

export interface TracingOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The packages are looked up from here: they are the operator's to install. */
  readonly configDir: string
  readonly log: Logger
}
