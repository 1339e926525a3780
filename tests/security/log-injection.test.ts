import assert from 'node:assert/strict'
import { request } from 'node:http'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { definePlugin, defineTool, ServiceError, Type, type ServicePlugin } from '@mcp-patchbay/plugin-api'
import { createLogger } from '../../host/src/observability/logger.ts'
import { hostUnderTest } from '../fixtures/projects/host-under-test.ts'
import { RawSession } from '../fixtures/http/raw-session.ts'

/** What somebody would write to make a line of their own, or to make one disappear. */
const FORGED = 'a\n{"level":"error","event":"forged"}\r\u001b[2K\u001b[1A\u0007\u009b31m\u2028b\u202ec'

test('whatever a client calls itself or asks for, no line of the log is its own', async (t) => {
  const host = await hostUnderTest(t, [saying()])
  await host.client.call(FORGED)
  await host.client.post('prompts/get', { name: FORGED })
  await host.client.post('resources/read', { uri: FORGED })
  await host.client.post(FORGED, {}, { 'mcp-method': 'forged' })
  await host.session.post('tools/call', { name: FORGED, arguments: { [FORGED]: FORGED } })
  await host.session.post('logging/setLevel', { level: FORGED })
  const stranger = new RawSession(host.url, undefined)
  await stranger.send({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: FORGED, capabilities: {}, clientInfo: { name: FORGED, version: FORGED, title: FORGED } },
  })
  await stranger.request('POST', { 'mcp-session-id': 'no-such-session' }, { jsonrpc: '2.0', id: 1, method: 'ping' })
  for (const name of ['user-agent', 'x-patchbay-toolsets', 'origin', 'last-event-id', 'mcp-session-id', 'mcp-name'])
    await sendRaw(host.url, name)
  assert.ok(host.log.length > 0)
  assert.ok(host.log.every(({ event }) => event !== 'forged'))
})

test('what a plugin logs, throws and tells is one line of the log each, and whole again when it is parsed', async (t) => {
  const host = await hostUnderTest(t, [saying()])
  for (const name of ['log', 'throw', 'tell']) await host.callInBothEras(`saying_${name}_do`)
  const said = host.log.filter(({ plugin }) => plugin === 'saying')
  assert.deepEqual(
    said.filter(({ event }) => event === `plugin.${FORGED}`).map(({ fields }) => (fields as Record<string, unknown>)[FORGED]),
    [FORGED, FORGED],
  )
  const errors = said.filter(({ event }) => event === 'call_failed').map(({ error }) => (error as { message?: string })?.message)
  assert.deepEqual(errors, [FORGED, FORGED, undefined, undefined])
})

test('the log for people shows control characters instead of obeying them, and drops colours', () => {
  const written: string[] = []
  const log = createLogger({ level: 'debug', format: 'pretty', destination: { write: (line) => void written.push(line) } })
  log.info(FORGED, { [FORGED]: FORGED, list: [FORGED], object: { [FORGED]: FORGED } })
  log.child({ plugin: FORGED }).error('failed', { error: Object.assign(new Error(FORGED), { name: FORGED }) })
  log.warn('thrown', { error: FORGED })
  assert.equal(written.length, 3)
  assert.match(written[0] ?? '', /a\\n\{"level":"error","event":"forged"\}\\r\\u0007/)
  for (const lines of written) {
    // An error has lines of its own, its stack: each begins with what no line of the log begins with.
    const [, ...others] = lines.trimEnd().split('\n')
    for (const line of others) assert.match(line, /^ {2}/)
    assert.doesNotMatch(lines.replaceAll('\n', ''), /[\p{Cc}\u2028\u202e]/u)
  }
  assert.equal(written[0]?.trimEnd().split('\n').length, 1)
})

/** A plugin that says it in each way it can. */
function saying(): ServicePlugin {
  const tool = { description: FORGED, access: 'read' as const, input: Type.Object({}) }
  return definePlugin({
    name: 'saying',
    config: Type.Object({}),
    isAuthConfigured: () => true,
    createClient: () => undefined,
    tools: [
      defineTool({
        ...tool,
        name: 'log_do',
        run(_, { log }) {
          log.warn(FORGED, { [FORGED]: FORGED })
          return FORGED
        },
      }),
      defineTool({
        ...tool,
        name: 'throw_do',
        run() {
          throw new Error(FORGED)
        },
      }),
      defineTool({
        ...tool,
        name: 'tell_do',
        run() {
          throw new ServiceError('UPSTREAM_FAILED', FORGED)
        },
      }),
    ],
  }) as ServicePlugin
}

/** fetch refuses such headers; what Node's client lets through must do no harm. */
async function sendRaw(url: URL, name: string): Promise<void> {
  const sent = request(url, { method: 'POST', headers: { [name]: 'a{"level":"error","event":"forged"}\t\u009b31mb' } })
  sent.end('{}')
  const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream]
  await text(response)
}
