import type { TraceContext } from './trace-context.ts'
import type { Attributes, OpenSpan, SpanOptions } from './types.ts'

/** Seconds since 1970, and nanoseconds. */
type Time = readonly [number, number]

export interface SpanContext {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
  readonly isRemote?: boolean
  readonly traceState?: { serialize(): string } | undefined
}

/** A span that is over, as processors of OpenTelemetry take it: `ReadableSpan` of its SDK. */
export interface ReadableSpan {
  readonly name: string
  readonly kind: number
  readonly spanContext: () => SpanContext
  readonly parentSpanContext: SpanContext | undefined
  readonly startTime: Time
  readonly endTime: Time
  readonly status: { readonly code: number }
  readonly attributes: Readonly<Record<string, string | number>>
  readonly links: readonly { readonly context: SpanContext }[]
  readonly events: readonly never[]
  readonly duration: Time
  readonly ended: boolean
  readonly resource: unknown
  readonly instrumentationScope: { readonly name: string; readonly version: string }
  readonly droppedAttributesCount: number
  readonly droppedEventsCount: number
  readonly droppedLinksCount: number
}

/** Where every span of a host goes, and what is the same in all of them. */
export interface Recorder {
  readonly onEnd: (span: ReadableSpan) => void
  readonly resource: unknown
  readonly scope: ReadableSpan['instrumentationScope']
}

/** Where a span of this host stands in its trace: told from one that came with a request. */
export class OwnTrace implements TraceContext {
  readonly traceId: string
  readonly traceparent: string
  readonly tracestate: string | undefined

  constructor(traceId: string, spanId: string, isSampled: boolean, tracestate?: string) {
    this.traceId = traceId
    this.traceparent = `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`
    this.tracestate = tracestate
  }
}

/**
 * A span that is sampled. OpenTelemetry's own class costs several times as much, for what no span here has: limits, events, exceptions,
 * attributes of any type.
 */
export class RecordedSpan implements OpenSpan, ReadableSpan {
  readonly trace: OwnTrace
  readonly isRecorded = true
  readonly name: string
  readonly kind: number
  readonly parentSpanContext: SpanContext | undefined
  readonly links: ReadableSpan['links']
  readonly attributes: Record<string, string | number> = {}
  readonly events: readonly never[] = NONE
  readonly droppedAttributesCount = 0
  readonly droppedEventsCount = 0
  readonly droppedLinksCount = 0
  status = UNSET
  duration: Time = NO_TIME
  ended = false
  readonly #recorder: Recorder
  readonly #spanId: string
  readonly #startedAt = Date.now()
  readonly #started = performance.now()

  constructor(
    recorder: Recorder,
    { name, kind, traceId, spanId, parent, link, attributes }: SpanParts & Pick<SpanOptions, 'parent' | 'attributes'>,
  ) {
    this.#recorder = recorder
    this.#spanId = spanId
    this.name = name
    this.kind = KINDS[kind]
    this.trace = new OwnTrace(traceId, spanId, true, parent?.tracestate)
    this.parentSpanContext = parent && { ...spanContextOf(parent), isRemote: !(parent instanceof OwnTrace) }
    this.links = link ? [{ context: { ...spanContextOf(link), isRemote: false } }] : NONE
    this.#add(attributes())
  }

  get resource(): unknown {
    return this.#recorder.resource
  }

  get instrumentationScope(): ReadableSpan['instrumentationScope'] {
    return this.#recorder.scope
  }

  get startTime(): Time {
    return timeOf(this.#startedAt)
  }

  get endTime(): Time {
    return timeOf(this.#startedAt + this.duration[0] * 1_000 + this.duration[1] / 1e6)
  }

  spanContext(): SpanContext {
    const { traceId, tracestate } = this.trace
    const traceState = tracestate === undefined ? undefined : { serialize: () => tracestate }
    return { traceId, spanId: this.#spanId, traceFlags: 1, traceState }
  }

  end({ error, attributes }: Parameters<OpenSpan['end']>[0] = {}): void {
    if (this.ended) return
    this.ended = true
    this.duration = timeOf(performance.now() - this.#started)
    if (attributes) this.#add(attributes)
    if (error !== undefined) {
      this.attributes['error.type'] = error
      this.status = ERROR
    }
    this.#recorder.onEnd(this)
  }

  #add(attributes: Attributes): void {
    for (const key in attributes) {
      const value = attributes[key]
      if (value !== undefined) this.attributes[key] = value
    }
  }
}

interface SpanParts {
  readonly name: string
  readonly kind: SpanOptions['kind']
  readonly traceId: string
  readonly spanId: string
  readonly link: TraceContext | undefined
}

/** As OpenTelemetry numbers them. */
const KINDS = { internal: 0, server: 1, client: 2 } as const
const UNSET: ReadableSpan['status'] = { code: 0 }
const ERROR: ReadableSpan['status'] = { code: 2 }
const NONE = Object.freeze([])
const NO_TIME: Time = [0, 0]

function timeOf(ms: number): Time {
  const seconds = Math.floor(ms / 1_000)
  return [seconds, Math.floor((ms - seconds * 1_000) * 1e6)]
}

function spanContextOf({ traceparent }: TraceContext): SpanContext {
  const spanId = traceparent.slice(36, 52)
  return { traceId: traceparent.slice(3, 35), spanId, traceFlags: isSampled({ traceparent }) ? 1 : 0 }
}

/** Whether those before us say that this trace is recorded. */
export function isSampled({ traceparent }: Pick<TraceContext, 'traceparent'>): boolean {
  return (Number.parseInt(traceparent.slice(53, 55), 16) & 1) === 1
}
