import { setTimeout } from 'node:timers/promises'
import packageJson from '../../../package.json' with { type: 'json' }
import type { TraceContext } from './trace-context.ts'
import type { SpanOptions, Tracing, TracingOptions } from './types.ts'

/** What is used of the packages of OpenTelemetry, 3.x: they are not installed with the host, nor are their types. */
export interface OpenTelemetry {
  readonly trace: { setSpanContext(context: unknown, span: SpanContext): unknown }
  readonly ROOT_CONTEXT: unknown
  readonly createTraceState: (state: string) => TraceState
  readonly TracerProvider: new (options: object) => {
    getTracer(name: string, version: string): Tracer
    shutdown(): Promise<void>
  }
  readonly BatchSpanProcessor: new (options: object) => object
  readonly OTLPTraceExporter: new (options: object) => object
  readonly AlwaysOnSampler: new () => object
  readonly AlwaysOffSampler: new () => object
  readonly TraceIdRatioBasedSampler: new (ratio: number) => object
  readonly ParentBasedSampler: new (options: { readonly root: object }) => object
  readonly resourceFromAttributes: (attributes: object) => { merge(other: unknown): object }
  readonly detectResources: (options: { readonly detectors: readonly unknown[] }) => unknown
  readonly envDetector: unknown
}

interface TraceState {
  serialize(): string
}

interface SpanContext {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
  readonly isRemote?: boolean
  readonly traceState?: TraceState
}

interface Tracer {
  startSpan(name: string, options: object, context: unknown): Span
}

interface Span {
  spanContext(): SpanContext
  isRecording(): boolean
  setAttributes(attributes: object): void
  setStatus(status: { readonly code: number }): void
  end(): void
}

/** As OpenTelemetry numbers them. */
const KINDS = { internal: 0, server: 1, client: 2 }
const ERROR = 2
/** For the last spans, when the host ends. OpenTelemetry would try for ten seconds to reach a collector that is gone. */
const LAST_MS = 1_000

/** Sends spans to the collector of the environment, in batches; what is left goes with the end of the host. Throws for settings that cannot be. */
export function startSpans(telemetry: OpenTelemetry, env: TracingOptions['env']): Tracing {
  const { trace, ROOT_CONTEXT, TracerProvider, BatchSpanProcessor, OTLPTraceExporter } = telemetry
  const delayMs = Number(env['OTEL_BSP_SCHEDULE_DELAY'])
  const exporter = new OTLPTraceExporter({ url: addressOf(env) })
  const provider = new TracerProvider({
    resource: telemetry
      .resourceFromAttributes({ 'service.name': 'patchbay', 'service.version': packageJson.version })
      .merge(telemetry.detectResources({ detectors: [telemetry.envDetector] })),
    sampler: samplerOf(telemetry, env),
    spanProcessors: [new BatchSpanProcessor({ exporter, ...(delayMs > 0 && { scheduledDelayMillis: delayMs }) })],
  })
  const tracer = provider.getTracer('mcp-patchbay', packageJson.version)
  return {
    begin(name, { kind, parent, attributes }) {
      // Below a call that is not sampled nothing is.
      if (kind !== 'server' && parent && !isSampled(parent)) return { trace: parent, end() {} }
      const span = tracer.startSpan(name, { kind: KINDS[kind] }, contextOf(parent))
      const trace = traceOfSpan(span.spanContext())
      if (!span.isRecording()) return { trace, end() {} }
      span.setAttributes(attributes())
      return {
        trace,
        end({ error, attributes: more } = {}) {
          if (more) span.setAttributes(more)
          if (error !== undefined) {
            span.setAttributes({ 'error.type': error })
            span.setStatus({ code: ERROR })
          }
          span.end()
        },
      }
    },
    // A collector that is gone is no reason for the host to stay.
    [Symbol.asyncDispose]: () =>
      Promise.race([provider.shutdown().catch(() => {}), setTimeout(LAST_MS, undefined, { ref: false })]),
  }

  function contextOf(parent: SpanOptions['parent']): unknown {
    if (!parent) return ROOT_CONTEXT
    const [, traceId = '', spanId = '', flags = '00'] = parent.traceparent.split('-')
    const { tracestate } = parent
    const traceState = tracestate === undefined ? {} : { traceState: telemetry.createTraceState(tracestate) }
    return trace.setSpanContext(ROOT_CONTEXT, {
      traceId,
      spanId,
      traceFlags: Number.parseInt(flags, 16) & 1,
      isRemote: true,
      ...traceState,
    })
  }
}

function traceOfSpan({ traceId, spanId, traceFlags, traceState }: SpanContext): TraceContext {
  const flags = (traceFlags & 1) === 1 ? '01' : '00'
  const tracestate = traceState?.serialize()
  // Not read again: OpenTelemetry made it.
  return { traceId, traceparent: `00-${traceId}-${spanId}-${flags}`, ...(tracestate && { tracestate }) }
}

function isSampled({ traceparent }: TraceContext): boolean {
  return (Number.parseInt(traceparent.slice(53, 55), 16) & 1) === 1
}

/** As OpenTelemetry has it: the address for traces as it is, the common one with the path of traces behind it. */
function addressOf(env: TracingOptions['env']): string {
  const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own, OTEL_EXPORTER_OTLP_ENDPOINT: common = '' } = env
  return own ?? `${common.replace(/\/+$/, '')}/v1/traces`
}

/** `OTEL_TRACES_SAMPLER` with `OTEL_TRACES_SAMPLER_ARG`, by the names of OpenTelemetry; its default is `parentbased_always_on`. */
function samplerOf(telemetry: OpenTelemetry, env: TracingOptions['env']): object {
  const { OTEL_TRACES_SAMPLER: name = 'parentbased_always_on', OTEL_TRACES_SAMPLER_ARG: given = '1' } = env
  const ratio = Number(given)
  const roots: Readonly<Record<string, () => object>> = {
    always_on: () => new telemetry.AlwaysOnSampler(),
    always_off: () => new telemetry.AlwaysOffSampler(),
    traceidratio: () => new telemetry.TraceIdRatioBasedSampler(ratio),
  }
  const root = roots[name.replace(/^parentbased_/, '')]
  if (!root) throw new Error(`OTEL_TRACES_SAMPLER is "${name}", which is no sampler of OpenTelemetry`)
  if (!(ratio >= 0 && ratio <= 1)) throw new Error(`OTEL_TRACES_SAMPLER_ARG is "${given}", and not a number from 0 to 1`)
  return name.startsWith('parentbased_') ? new telemetry.ParentBasedSampler({ root: root() }) : root()
}
