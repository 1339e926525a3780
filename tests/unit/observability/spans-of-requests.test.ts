import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import type { ReadableSpan } from '../../../host/src/observability/tracing/recorded-span.ts'
import { spanOfRequest } from '../../../host/src/observability/tracing/request-span.ts'
import { startSpans } from '../../../host/src/observability/tracing/spans.ts'
import { traceOf } from '../../../host/src/observability/tracing/trace-context.ts'
import type { Tracing } from '../../../host/src/observability/tracing/types.ts'

const SENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const UNSENT = SENT.replace(/01$/, '00')

/** Tracing whose sampler decides in place of OpenTelemetry's, and the spans that are over. */
function tracingWith(
  name: string,
  isSampled: () => boolean,
): { readonly tracing: Tracing; readonly ended: readonly ReadableSpan[] } {
  const ended: ReadableSpan[] = []
  const telemetry = {
    BatchSpanProcessor: class {
      readonly onEnd = (span: ReadableSpan) => void ended.push(span)
      readonly shutdown = () => Promise.resolve()
    },
    OTLPTraceExporter: class {
      readonly sends = 'nothing'
    },
    TraceIdRatioBasedSampler: class {
      readonly shouldSample = () => ({ decision: isSampled() ? 2 : 0 })
    },
    resourceFromAttributes: () => ({ merge: () => ({}) }),
    detectResources: () => undefined,
    envDetector: undefined,
  }
  return { tracing: startSpans(telemetry, { OTEL_TRACES_SAMPLER: name }), ended }
}

/** A request with one call in it, which is answered with `status`; without one its client goes away. */
function serve(tracing: Tracing, path: string, traceparent: string | undefined, status?: number): void {
  const req = new IncomingMessage(new Socket())
  req.method = 'POST'
  if (traceparent !== undefined) req.headers['traceparent'] = traceparent
  const res = new ServerResponse(req)
  spanOfRequest(tracing, req, res, path)
  tracing.begin('call', { kind: 'server', parent: traceOf({}, req.headers), attributes: () => ({}) }).end()
  if (status !== undefined) res.writeHead(status)
  res.emit('close')
}

for (const [sampler, its, came, isRecorded] of [
  ['parentbased_traceidratio', true, undefined, true],
  ['parentbased_traceidratio', false, undefined, false],
  ['parentbased_traceidratio', true, UNSENT, false],
  ['parentbased_traceidratio', false, SENT, true],
  ['traceidratio', true, UNSENT, true],
  ['traceidratio', false, SENT, false],
] as const)
  test(`with ${sampler} that takes ${its ? 'all' : 'none'}, a request with ${came ? `flags ${came.slice(-2)}` : 'no trace'} is ${isRecorded ? '' : 'not '}recorded, nor its call apart from it`, () => {
    const { tracing, ended } = tracingWith(sampler, () => its)
    serve(tracing, '/mcp', came, 200)
    assert.deepEqual(
      ended.map(({ name }) => name),
      isRecorded ? ['call', 'POST /mcp'] : [],
    )
    if (!isRecorded) return
    const [call, request] = ended
    assert.equal(call?.parentSpanContext?.spanId, request?.spanContext().spanId)
    assert.equal(call?.parentSpanContext?.isRemote, false)
    assert.equal(request?.parentSpanContext?.isRemote, came === undefined ? undefined : true)
  })

test('the sampler is asked once a request, so that no part of it is left out', () => {
  let asked = 0
  const { tracing, ended } = tracingWith('traceidratio', () => asked++ === 0)
  serve(tracing, '/mcp', undefined, 200)
  assert.equal(ended.length, 2)
})

for (const [path, status, name, code, error] of [
  ['/mcp', 200, 'POST /mcp', 0, undefined],
  ['/mcp', 401, 'POST /mcp', 0, undefined],
  ['/mcp', 503, 'POST /mcp', 2, '503'],
  ['/mcp', undefined, 'POST /mcp', 2, 'client_gone'],
  ['/mcp/x/swordfish', 200, 'POST /mcp/x/{tags}', 0, undefined],
  ['/mcp/x/swordfish/readonly', 200, 'POST /mcp/x/{tags}/readonly', 0, undefined],
] as const)
  test(`a request of ${path} that ends with ${status ?? 'no answer'} is the span ${name} with ${error ?? 'no error'}`, () => {
    const { tracing, ended } = tracingWith('always_on', () => true)
    serve(tracing, path, undefined, status)
    const span = ended.at(-1)
    assert.equal(span?.name, name)
    assert.deepEqual([span?.status.code, span?.attributes['error.type']], [code, error])
    assert.equal(span?.attributes['http.response.status_code'], status)
    assert.doesNotMatch(JSON.stringify(span?.attributes), /swordfish/)
  })
