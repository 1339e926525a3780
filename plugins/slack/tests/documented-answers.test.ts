import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callTool, fakeHttp } from '@mcp-patchbay/plugin-api/testing'
import plugin from '../index.ts'
import { workspace } from './workspace.ts'

const calls: readonly { tool: string; input: Record<string, unknown>; method: string; query?: object; body?: object }[] = [
  {
    tool: 'channels_list',
    input: { types: ['public_channel', 'im'], include_archived: true },
    method: 'conversations.list',
    query: { types: 'public_channel,im', exclude_archived: 'false', limit: '50' },
  },
  {
    tool: 'channels_history',
    input: { channel: 'C012AB3CD', since: '2017-11-30T00:00:00Z', until: '2017-12-02T00:00:00.5Z', cursor: 'abc', limit: 200 },
    method: 'conversations.history',
    query: { channel: 'C012AB3CD', oldest: '1512000000.000000', latest: '1512172800.500000', cursor: 'abc', limit: '200' },
  },
  {
    tool: 'messages_replies',
    input: { channel: 'C012AB3CD', ts: '1482960137.003543' },
    method: 'conversations.replies',
    query: { channel: 'C012AB3CD', ts: '1482960137.003543', limit: '50' },
  },
  {
    tool: 'messages_search',
    input: { query: 'life universe', sort: 'timestamp' },
    method: 'search.messages',
    query: { query: 'life universe', sort: 'timestamp', page: '1', count: '20' },
  },
  { tool: 'users_list', input: { limit: 3 }, method: 'users.list', query: { limit: '3' } },
  { tool: 'users_get', input: { user: 'U012AB3CD' }, method: 'users.info', query: { user: 'U012AB3CD' } },
  {
    tool: 'messages_post',
    input: { channel: 'C012AB3CD', text: 'Hello' },
    method: 'chat.postMessage',
    body: { channel: 'C012AB3CD', text: 'Hello' },
  },
  {
    tool: 'messages_post',
    input: { channel: 'C012AB3CD', text: 'Hello', thread_ts: '1482960137.003543', reply_broadcast: true },
    method: 'chat.postMessage',
    body: { channel: 'C012AB3CD', text: 'Hello', thread_ts: '1482960137.003543', reply_broadcast: true },
  },
]

for (const { tool, input, method, query = {}, body } of calls)
  test(`${tool} ${JSON.stringify(input)} calls ${method} and shows its answer`, async (t) => {
    const http = fakeHttp(workspace)
    const answer = await callTool(plugin, tool, input, { http })
    assert.equal(http.requests[0]?.path, `/${method}`)
    assert.deepEqual(http.requests[0]?.query, query)
    assert.deepEqual(http.requests[0]?.body, body)
    t.assert.snapshot(answer, { serializers: [String] })
  })

test('says nothing of a cursor on the last page', async () => {
  const http = fakeHttp(workspace)
  assert.equal(await callTool(plugin, 'channels_list', { cursor: 'dGVhbTpDMDYxRkE1UEI=' }, { http }), 'No channels found.')
})

test('refuses an id that is none, before anything is sent', async () => {
  const http = fakeHttp(workspace)
  for (const channel of ['#general', 'C012AB3CD&x=1', '', 'u012'])
    await assert.rejects(callTool(plugin, 'channels_history', { channel }, { http }), { code: 'INVALID_INPUT' })
  assert.deepEqual(http.requests, [])
})
