import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { callTool, fakeLog, type FakeReply } from '@mcp-patchbay/plugin-api/testing'
import { createServiceHttp } from '../../../host/src/network/http-client.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import plugin from '../index.ts'
import { workspace } from './workspace.ts'

const TOKEN = 'xoxb-test-token'

test('reads by GET and posts JSON below the API address, with the token', async () => {
  await using slack = await connect()
  assert.match(await slack.call('channels_list'), /\| general \|/)
  assert.match(await slack.call('messages_post', { channel: 'C012AB3CD', text: 'Grüße & <!here>' }), /1503435956\.000247/)
  const [list, , post] = slack.requests
  assert.equal(list?.url, '/api/conversations.list?types=public_channel&exclude_archived=true&limit=50')
  assert.equal(list?.headers.authorization, `Bearer ${TOKEN}`)
  assert.equal(`${post?.method} ${post?.url}`, 'POST /api/chat.postMessage')
  assert.match(post?.headers['content-type'] ?? '', /^application\/json/)
  assert.deepEqual(JSON.parse(post?.body ?? ''), { channel: 'C012AB3CD', text: 'Grüße & <!here>' })
})

test('tells how long Slack asks to wait', async () => {
  await using slack = await connect({ status: 429, headers: { 'Retry-After': '60' }, json: { ok: false, error: 'ratelimited' } })
  await assert.rejects(slack.call('users_list'), { code: 'RATE_LIMITED', retryAfterMs: 60_000 })
})

test('shows the token in no error, wherever Slack repeats it', async () => {
  const bodies = [
    { status: 400, json: { ok: false, error: `bad token ${TOKEN}` } },
    { status: 500, json: { ok: false, error: TOKEN } },
  ]
  for (const body of bodies) {
    await using slack = await connect(body)
    await assert.rejects(slack.call('users_list'), (error: Error) => !`${error.message} ${String(error)}`.includes(TOKEN))
  }
})

interface Sent {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** The workspace on a local port behind the host's own HTTP client, or one answer to everything. */
async function connect(always?: FakeReply) {
  const requests: Sent[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { method, url = '', headers } = request
    requests.push({ method, url, headers, body: await text(request) })
    const { pathname, searchParams } = new URL(url, 'http://slack.test')
    const reply =
      always ??
      workspace.find(
        ({ path, query = {} }) =>
          `/api${String(path)}` === pathname && Object.entries(query).every(([key, value]) => searchParams.get(key) === value),
      )
    response.writeHead(reply?.status ?? (reply ? 200 : 404), { 'Content-Type': 'application/json', ...reply?.headers })
    response.end(JSON.stringify(reply?.json))
  }
  const server = createServer((request, response) => void answer(request, response))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const http = createServiceHttp({
    instance: plugin.name,
    baseUrl: `http://127.0.0.1:${address.port}/api`,
    credential: async () => ({
      kind: 'personalToken' as const,
      source: { kind: 'server', variables: [] } as const,
      fingerprint: 'test',
      secrets: [TOKEN],
      apply: (headers) => void (headers['authorization'] = `Bearer ${TOKEN}`),
    }),
    hints: { credentialVariables: ['SLACK_PERSONAL_TOKEN'], baseUrlVariable: 'SLACK_API_URL' },
    redactor: createRedactor([TOKEN]),
    log: fakeLog(),
    currentCall: () => undefined,
    // Retries without a pause: the server is not tired.
    random: () => 0,
  })
  return {
    requests,
    call: (tool: string, input = {}) => callTool(plugin, tool, input, { http }),
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
