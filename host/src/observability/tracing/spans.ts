import { setTimeout } from 'node:timers/promises'
import packageJson from '../../../package.json' with { type: 'json' }
import { isSampled, OwnTrace, RecordedSpan, type ReadableSpan } from './recorded-span.ts'
import { readTrace, type TraceContext } from './trace-context.ts'
import { createTraceIds } from './trace-ids.ts'
import type { OpenSpan, Tracing, TracingOptions } from './types.ts'

/** What is used of the packages of OpenTelemetry, 3.x: they are not installed with the host, nor are their types. */
export interface OpenTelemetry {
  readonly BatchSpanProcessor: new (options: object) => {
    onEnd(span: ReadableSpan): void
    shutdown(): Promise<void>
  }
  readonly OTLPTraceExporter: new (options: object) => object
  readonly TraceIdRatioBasedSampler: new (ratio: number) => Sampler
  readonly resourceFromAttributes: (attributes: object) => { merge(other: unknown): object }
  readonly detectResources: (options: { readonly detectors: readonly unknown[] }) => unknown
  readonly envDetector: unknown
}

/** It looks at nothing but the id of the trace, so that all services that sample the same share sample the same traces. */
interface Sampler {
  shouldSample(context: unknown, traceId: string): { readonly decision: number }
}

/** The decision of a sampler to record and to send. */
const SAMPLED = 2
/** For the last spans, when the host ends. OpenTelemetry would try for ten seconds to reach a collector that is gone. */
const LAST_MS = 1_000

/**
 * Sends spans to the collector of the environment, in batches; what is left goes with the end of the host. Throws for settings that cannot
 * be.
 */
export function startSpans(telemetry: OpenTelemetry, env: TracingOptions['env']): Tracing {
  const { BatchSpanProcessor, OTLPTraceExporter, resourceFromAttributes, detectResources, envDetector } = telemetry
  const { root, followsParent } = samplingOf(telemetry, env)
  const delayMs = Number(env['OTEL_BSP_SCHEDULE_DELAY'])
  const exporter = new OTLPTraceExporter({ url: addressOf(env) })
  const processor = new BatchSpanProcessor({ exporter, ...(delayMs > 0 && { scheduledDelayMillis: delayMs }) })
  const recorder = {
    onEnd: (span: ReadableSpan) => processor.onEnd(span),
    resource: resourceFromAttributes({ 'service.name': 'patchbay', 'service.version': packageJson.version }).merge(
      detectResources({ detectors: [envDetector] }),
    ),
    scope: { name: 'mcp-patchbay', version: packageJson.version },
  }
  const ids = createTraceIds()
  /** Whether a span is recorded that is begun below `parent`, in this trace. */
  const isRecorded = (traceId: string, parent: TraceContext | undefined): boolean => {
    if (parent && (followsParent || parent instanceof OwnTrace)) return isSampled(parent)
    return root.shouldSample(undefined, traceId).decision === SAMPLED
  }
  return {
    begin(name, { kind, parent, link, attributes }) {
      const traceId = parent?.traceId ?? ids.traceId()
      if (!isRecorded(traceId, parent)) return new UnrecordedSpan(parent ?? new OwnTrace(traceId, ids.spanId(), false))
      const linked = link === undefined ? undefined : readTrace(link)
      return new RecordedSpan(recorder, { name, kind, traceId, spanId: ids.spanId(), parent, link: linked, attributes })
    },
    // A collector that is gone is no reason for the host to stay.
    [Symbol.asyncDispose]: () =>
      Promise.race([processor.shutdown().catch(() => {}), setTimeout(LAST_MS, undefined, { ref: false })]),
  }
}

/** Not exported to a collector. Its trace is passed on unchanged. */
class UnrecordedSpan implements OpenSpan {
  readonly trace: TraceContext
  readonly isRecorded = false

  constructor(trace: TraceContext) {
    this.trace = trace
  }

  end(): void {}
}

/** As OpenTelemetry has it: the address for traces as it is, the common one with the path of traces behind it. */
function addressOf(env: TracingOptions['env']): string {
  const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own, OTEL_EXPORTER_OTLP_ENDPOINT: common = '' } = env
  return own ?? `${common.replace(/\/+$/, '')}/v1/traces`
}

/** `OTEL_TRACES_SAMPLER` with `OTEL_TRACES_SAMPLER_ARG`, by the names of OpenTelemetry; its default is `parentbased_always_on`. */
function samplingOf({ TraceIdRatioBasedSampler }: OpenTelemetry, env: TracingOptions['env']): Sampling {
  const { OTEL_TRACES_SAMPLER: name = 'parentbased_always_on', OTEL_TRACES_SAMPLER_ARG: given = '1' } = env
  const ratio = Number(given)
  const shares: Readonly<Record<string, number>> = { always_on: 1, always_off: 0, traceidratio: ratio }
  const share = shares[name.replace(/^parentbased_/, '')]
  if (share === undefined) throw new Error(`OTEL_TRACES_SAMPLER is "${name}", which is no sampler of OpenTelemetry`)
  if (!(ratio >= 0 && ratio <= 1)) throw new Error(`OTEL_TRACES_SAMPLER_ARG is "${given}", and not a number from 0 to 1`)
  return { root: new TraceIdRatioBasedSampler(share), followsParent: name.startsWith('parentbased_') }
}

interface Sampling {
  readonly root: Sampler
  /** What came with a trace is recorded where those before us record it. */
  readonly followsParent: boolean
}
