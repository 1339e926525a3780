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
  return { env, spans, services, until }
}

function attributesOf({ attributes }: Pick<Span, 'attributes'>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]))
}

const SERVER = 2
const CLIENT = 3
const ERROR = 2

for (const plugin of ['near', 'apart'])
  test(`a call of ${plugin} is a span below that of its client, with one of the plugin and one of its request below it`, async (t) => {
    const { env, services, until } = await startCollector(t)
    const host = await observedHost(t, (response) => response.end('ok'), { env, packages })
    await host.client.call(`${plugin}_get`, {}, { traceparent: PARENT, tracestate: 'vendor=1' })
    const { headers } = await host.upstream.received(1)
    const spans = await until(`tools/call ${plugin}_get`)
    const ofTrace = spans.filter(({ traceId }) => traceId === TRACE)
    const find = (name: string) => ofTrace.find((span) => span.name === name) ?? assert.fail(`no span ${name}`)
    const call = find(`tools/call ${plugin}_get`)
    const ofPlugin = find(`plugin ${plugin}`)
    const request = find('GET')
    assert.deepEqual(
      [call.parentSpanId, ofPlugin.parentSpanId, request.parentSpanId],
      ['00f067aa0ba902b7', call.spanId, ofPlugin.spanId],
    )
    assert.deepEqual([call.kind, request.kind], [SERVER, CLIENT])
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
  const { env, until } = await startCollector(t)
  const host = await observedHost(t, (response) => response.writeHead(403).end(), { env, packages })
  await host.client.call('near_get')
  const spans = await until('tools/call near_get')
  const call = spans.find(({ name }) => name === 'tools/call near_get')
  const request = spans.find(({ name }) => name === 'GET')
  assert.equal(call?.traceId, request?.traceId)
  assert.equal(call?.parentSpanId ?? '', '')
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
  assert.match(String(headers['traceparent']), new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`))
  await host.client.call('apart_get')
  await until('tools/call apart_get')
  assert.deepEqual(
    spans.filter(({ name }) => name === 'tools/call near_get'),
    [],
  )
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
