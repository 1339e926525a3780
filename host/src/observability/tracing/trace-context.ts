/** Where a call stands in a trace that may have begun elsewhere: W3C Trace Context. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** As it goes on to services. */
  readonly traceparent: string
  /** What those before us keep in the trace. */
  readonly tracestate?: string | undefined
  /** The header of the request that brought a message with a trace of its own, unread. */
  readonly carrier?: string | undefined
}

/** The headers of a request, as Node or `fetch` has them. */
export type TraceHeaders = Readonly<Record<string, string | string[] | undefined>> | Pick<Headers, 'get'>

/**
 * The trace that a request belongs to: as its message says it, `_meta.traceparent` (MCP, SEP-414), else its HTTP header. The message
 * wins, since a header may be of a proxy on the way. Undefined where there is none, and for one that is not as W3C Trace Context has it.
 */
export function traceOf(meta: unknown, headers?: TraceHeaders): TraceContext | undefined {
  const { traceparent, tracestate } = (typeof meta === 'object' && meta !== null ? meta : NONE) as Readonly<
    Record<string, unknown>
  >
  const known = headers && (headers as Known)[OWN]
  if (known && traceparent === undefined) return known
  const parent = headers && headerOf(headers, 'traceparent')
  if (traceparent !== undefined) {
    const trace = readTrace(traceparent, tracestate)
    return trace && parent !== undefined ? { ...trace, carrier: parent } : trace
  }
  return parent === undefined ? undefined : readTrace(parent, headers && headerOf(headers, 'tracestate'))
}

/** Has the headers of a request say that it is part of this trace from now on; code that reads them again need not parse it. */
export function setTrace(headers: Record<string, string | string[] | undefined> & Known, trace: TraceContext): void {
  headers['traceparent'] = trace.traceparent
  if (trace.tracestate === undefined) delete headers['tracestate']
  else headers['tracestate'] = trace.tracestate
  headers[OWN] = trace
}

const OWN = Symbol('trace')
interface Known {
  [OWN]?: TraceContext
}

/** Reads the two fields. A `tracestate` that cannot be one is left out; the trace goes on without it. */
export function readTrace(traceparent: unknown, tracestate?: unknown): TraceContext | undefined {
  if (typeof traceparent !== 'string' || traceparent.length > MOST) return undefined
  const [, version = '', traceId = '', spanId = '', more = ''] = TRACEPARENT.exec(traceparent) ?? []
  if (traceId === '' || version === 'ff' || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  // Version 00 has four fields; a later one may have more behind them.
  if (version === '00' && more !== '') return undefined
  const state = typeof tracestate === 'string' && isTraceState(tracestate) ? { tracestate } : {}
  return { traceId, traceparent, ...state }
}

/** For a request to a service, or the `_meta` of a message to an MCP server. */
export function traceFields(trace: TraceContext | undefined): Readonly<Record<string, string>> {
  if (!trace) return NONE
  const { traceparent, tracestate } = trace
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate }
}

/** How a line of the log names a call: its id, and its trace where it has one. */
export function callFields(
  requestId: string,
  trace: TraceContext | undefined,
): { readonly call: string; readonly trace?: string } {
  return trace ? { call: requestId, trace: trace.traceId } : { call: requestId }
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-[\u0020-\u007e]*)?$/
const MOST = 512
const NONE: Readonly<Record<string, string>> = Object.freeze({})

function isTraceState(text: string): boolean {
  return text.length <= MOST && /^[\u0020-\u007e]+$/.test(text) && text.includes('=')
}

function headerOf(headers: TraceHeaders, name: string): string | undefined {
  const value = typeof headers['get'] === 'function' ? (headers as Pick<Headers, 'get'>).get(name) : (headers as Plain)[name]
  return typeof value === 'string' ? value : undefined
}

type Plain = Readonly<Record<string, string | string[] | undefined>>
