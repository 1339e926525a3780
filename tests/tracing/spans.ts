import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { observedHost } from '../fixtures/http/observed-host.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = `00-${TRACE}-00f067aa0ba902b7-01`
const packages = join(import.meta.dirname, 'node_modules')

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly status: { readonly code?: number }
  readonly attributes: readonly { readonly key: string; readonly value: { stringValue?: string; intValue?: number } }[]
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: Pick<Span, 'attributes'>
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[]
  }[]
}

/** A collector that takes OTLP over HTTP as JSON, at the path of traces. */
async function startCollector(t: TestContext) {
  const spans: Span[] = []
  const services = new Set<string | undefined>()
  const heard = new EventTarget()
  const take = async (req: IncomingMessage, res: ServerResponse) => {
    assert.equal(req.url, '/v1/traces')
    const { resourceSpans } = JSON.parse(await text(req)) as Export
    for (const { resource, scopeSpans } of resourceSpans) {
      services.add(attributesOf(resource)['service.name'] as string)
      spans.push(...scopeSpans.flatMap((scope) => scope.spans))
    }
    res.setHeader('content-type', 'application/json').end('{}')
    heard.dispatchEvent(new Event('spans'))
  }
  const server = createServer((req, res) => void take(req, res)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_BSP_SCHEDULE_DELAY: '50' }
  /** Resolves with the spans, once one of this name is there. */
  const until = async (name: string, count = 1): Promise<readonly Span[]> => {
    while (spans.filter((span) => span.name === name).length < count) await once(heard, 'spans')
    return spans
  }
  /** Resolves with the spans of one trace, once one of this name is among them. */
  const untilOf = async (trace: string, name: string): Promise<readonly Span[]> => {
    for (;;) {
      const ofTrace = spans.filter(({ traceId }) => traceId === trace)
      if (ofTrace.some((span) => span.name === name)) return ofTrace
      await once(heard, 'spans')
    }
  }
  return { env, spans, services, until, untilOf }
}

function attributesOf({ attributes }: Pick<Span, 'attributes'>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]))
}

const SERVER = 2
const CLIENT = 3
const ERROR = 2

for (const plugin of ['near', 'apart'])
  test(`a call of ${plugin} is a span below its HTTP request, which is below its client, with one of the plugin and one of its request below it`, async (t) => {
    const { env, services, untilOf } = await startCollector(t)
    const host = await observedHost(t, (response) => response.end('ok'), { env, packages })
    await host.client.call(`${plugin}_get`, {}, { traceparent: PARENT, tracestate: 'vendor=1' })
    const { headers } = await host.upstream.received(1)
    const ofTrace = await untilOf(TRACE, 'POST /mcp')
    const find = (name: string) => ofTrace.find((span) => span.name === name) ?? assert.fail(`no span ${name}`)
    const received = find('POST /mcp')
    const call = find(`tools/call ${plugin}_get`)
    const ofPlugin = find(`plugin ${plugin}`)
    const request = find('GET')
    assert.deepEqual(
      [received.parentSpanId, call.parentSpanId, ofPlugin.parentSpanId, request.parentSpanId],
      ['00f067aa0ba902b7', received.spanId, call.spanId, ofPlugin.spanId],
    )
    assert.deepEqual([received.kind, call.kind, request.kind], [SERVER, SERVER, CLIENT])
    assert.deepEqual(attributesOf(received), {
      'http.request.method': 'POST',
      'http.route': '/mcp',
      'url.path': '/mcp',
      'url.scheme': 'http',
      'network.protocol.version': '1.1',
      'http.response.status_code': 200,
    })
    assert.partialDeepStrictEqual(attributesOf(call), {
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': `${plugin}_get`,
      'patchbay.plugin': plugin,
    })
    assert.partialDeepStrictEqual(attributesOf(request), { 'http.request.method': 'GET', 'http.response.status_code': 200 })
    assert.equal(headers['traceparent'], `00-${TRACE}-${request.spanId}-01`, 'the service hears of the request that asks it')
    assert.equal(headers['tracestate'], 'vendor=1')
    const audit = host.log.find(({ event, name }) => event === 'audit' && name === `${plugin}_get`)
    assert.equal(audit?.['trace'], TRACE)
    assert.deepEqual([...services], ['patchbay'])
  })

test('a call without a trace begins one, and a failure is marked in it', async (t) => {
  const { env, until, untilOf } = await startCollector(t)
  const host = await observedHost(t, (response) => response.writeHead(403).end(), { env, packages })
  await host.client.call('near_get')
  const spans = await until('tools/call near_get')
  const call = spans.find(({ name }) => name === 'tools/call near_get')
  const request = spans.find(({ name }) => name === 'GET')
  assert.equal(call?.traceId, request?.traceId)
  const received = (await untilOf(call?.traceId ?? '', 'POST /mcp')).find(({ name }) => name === 'POST /mcp')
  assert.deepEqual([received?.parentSpanId ?? '', call?.parentSpanId], ['', received?.spanId])
  assert.equal(received?.status.code ?? 0, 0, 'a tool that fails is no error of HTTP')
  assert.deepEqual([call?.status.code, request?.status.code], [ERROR, ERROR])
  assert.equal(request && attributesOf(request)['error.type'], '403')
  assert.equal(call && attributesOf(call)['error.type'], 'tool_error')
  const audit = host.log.find(({ event, name }) => event === 'audit' && name === 'near_get')
  assert.equal(audit?.['trace'], call?.traceId, 'the line of the log leads to the trace')
})

test('a caller that does not sample is not sampled, and what it says goes on to the service', async (t) => {
  const { env, spans, until } = await startCollector(t)
  const host = await observedHost(t, (response) => response.end('ok'), { env, packages })
  await host.client.call('near_get', {}, { traceparent: PARENT.replace(/01$/, '00') })
  const { headers } = await host.upstream.received(1)
  assert.equal(headers['traceparent'], PARENT.replace(/01$/, '00'))
  await host.client.call('apart_get')
  await until('tools/call apart_get')
  assert.deepEqual(
    spans.filter(({ name }) => name === 'tools/call near_get'),
    [],
  )
})

test('a message with a trace of its own is below its sender, and says which request brought it', async (t) => {
  const { env, until, untilOf } = await startCollector(t)
  const { client, session } = await observedHost(t, (response) => response.end('ok'), { env, packages })
  for (const [era, send] of [
    ['2026-07-28', (params: Readonly<Record<string, unknown>>) => client.post('tools/call', params)],
    ['2025-11-25', (params: Readonly<Record<string, unknown>>) => session.post('tools/call', params)],
  ] as const) {
    const trace = era === '2026-07-28' ? TRACE : TRACE.replace(/^4/, '5')
    const traceparent = PARENT.replace(TRACE, trace)
    await send({ name: 'near_get', arguments: {}, _meta: { traceparent } })
    const call = (await untilOf(trace, 'tools/call near_get')).find(({ name }) => name === 'tools/call near_get')
    assert.equal(call?.parentSpanId, '00f067aa0ba902b7', era)
    const [link] = call?.links ?? []
    const requests = await until('POST /mcp', 3)
    const brought = (await untilOf(link?.traceId ?? '', 'POST /mcp')).find(({ spanId }) => spanId === link?.spanId)
    assert.equal(brought?.name, 'POST /mcp', `${era}: ${requests.length}`)
  }
})

test('a call in a session is below its HTTP request', async (t) => {
  const { env, untilOf } = await startCollector(t)
  const { url, session } = await observedHost(t, (response) => response.end('ok'), { env, packages })
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-session-id': session.id ?? '',
      traceparent: PARENT,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'near_get', arguments: {} } }),
  })
  await response.text()
  const spans = await untilOf(TRACE, 'POST /mcp')
  const find = (name: string) => spans.find((span) => span.name === name)
  assert.equal(find('tools/call near_get')?.parentSpanId, find('POST /mcp')?.spanId)
  assert.equal(find('POST /mcp')?.parentSpanId, '00f067aa0ba902b7')
})

test('a refused request is a span with its status, and no name has what the client wrote into its address', async (t) => {
  const { env, until } = await startCollector(t)
  const { url } = await observedHost(t, (response) => response.end('ok'), { env, packages })
  const refused = await fetch(new URL('/mcp/x/swordfish/readonly?key=swordfish', url), { method: 'POST', body: '{' })
  const spans = await until('POST /mcp/x/{tags}/readonly')
  const span = spans.find(({ name }) => name === 'POST /mcp/x/{tags}/readonly')
  assert.equal(refused.status, 415)
  assert.equal(span && attributesOf(span)['http.response.status_code'], 415)
  assert.deepEqual([span?.status.code ?? 0, span && attributesOf(span)['error.type']], [0, undefined])
  assert.doesNotMatch(JSON.stringify(spans), /swordfish/)
})

test('always_on records what its caller does not', async (t) => {
  const { env, untilOf } = await startCollector(t)
  const host = await observedHost(t, (response) => response.end('ok'), {
    env: { ...env, OTEL_TRACES_SAMPLER: 'always_on' },
    packages,
  })
  await host.client.call('near_get', {}, { traceparent: PARENT.replace(/01$/, '00') })
  assert.deepEqual((await untilOf(TRACE, 'POST /mcp')).map(({ name }) => name).toSorted(), [
    'GET',
    'POST /mcp',
    'plugin near',
    'tools/call near_get',
  ])
})

test('of requests without a trace the share is recorded that the sampler says, each with all of its spans or none', async (t) => {
  const { env, until } = await startCollector(t)
  const sampled = { ...env, OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5' }
  const { client, upstream, log } = await observedHost(t, (response) => response.end('ok'), { env: sampled, packages })
  for (let call = 0; call < 64; call++) await client.call('near_get')
  await upstream.received(64)
  const flags = upstream.requests.map(({ headers }) => String(headers['traceparent']).slice(-2))
  const recorded = flags.filter((flag) => flag === '01').length
  // Beyond these bounds once in ten million runs.
  assert.ok(recorded > 10 && recorded < 54, `${recorded} of 64`)
  const spans = await until('POST /mcp', recorded)
  for (const name of ['tools/call near_get', 'plugin near', 'GET'])
    assert.equal(spans.filter((span) => span.name === name).length, recorded, name)
  const traces = log.filter(({ event, name }) => event === 'audit' && name === 'near_get').map((line) => line['trace'])
  assert.equal(new Set(traces).size, 64, 'also what is not recorded has a trace of its own')
})

test('where a package is missing or a setting wrong, the log says so and everything else goes on', async (t) => {
  const { env } = await startCollector(t)
  const bare = await observedHost(t, (response) => response.end('ok'), { env })
  assert.match(String(bare.log.find(({ event }) => event === 'tracing_off')?.['fix']), /npm install .*@opentelemetry\/sdk-trace/)
  assert.match((await bare.client.call('near_get')).text, /ok/)
  const wrong = await observedHost(t, (response) => response.end('ok'), {
    env: { ...env, OTEL_TRACES_SAMPLER: 'some' },
    packages,
  })
  assert.match(String(wrong.log.find(({ event }) => event === 'tracing_off')?.['reason']), /OTEL_TRACES_SAMPLER is "some"/)
})
