import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callTool, fakeCache, fakeHttp, type FakeHttp } from '@mcp-patchbay/plugin-api/testing'
import plugin from '../index.ts'
import { workspace } from './workspace.ts'

const thread = { channel: 'C012AB3CD', ts: '1482960137.003543' }

test('asks for each name once, however many messages and calls show it', async () => {
  const http = fakeHttp(workspace)
  const cache = fakeCache()
  const first = await callTool(plugin, 'messages_replies', thread, { http, cache })
  assert.match(first, /spengler, 2016[^]*Glinda Southgood, 2016[^]*@spengler one island/)
  assert.equal(lookUps(http), 2)
  await callTool(plugin, 'messages_replies', thread, { http, cache })
  await callTool(plugin, 'channels_history', { channel: 'C012AB3CD' }, { http, cache })
  assert.equal(lookUps(http), 2)
})

test('shows ids where the token may not read users, and asks no more', async () => {
  const missing = { path: '/users.info', json: { ok: false, error: 'missing_scope', needed: 'users:read' } }
  const http = fakeHttp([missing, ...workspace])
  const cache = fakeCache()
  assert.match(await callTool(plugin, 'messages_replies', thread, { http, cache }), /U012AB3CD, 2016[^]*@U012AB3CD one island/)
  await callTool(plugin, 'messages_replies', thread, { http, cache })
  assert.equal(lookUps(http), 2)
})

test('shows ids while Slack asks to wait, and asks again later', async () => {
  const busy = { path: '/users.info', status: 429, headers: { 'Retry-After': '30' }, json: { ok: false, error: 'ratelimited' } }
  const cache = fakeCache()
  const limited = await callTool(plugin, 'messages_replies', thread, { http: fakeHttp([busy, ...workspace]), cache })
  assert.match(limited, /U012AB3CD, 2016/)
  assert.match(await callTool(plugin, 'messages_replies', thread, { http: fakeHttp(workspace), cache }), /spengler, 2016/)
})

test('asks for fifty names at most in one call', async () => {
  const messages = Array.from({ length: 80 }, (_, index) => ({ ts: `${index}.000000`, user: `U0000000${index}`, text: 'x' }))
  const http = fakeHttp([{ path: '/conversations.history', json: { ok: true, messages } }, ...workspace])
  await callTool(plugin, 'channels_history', { channel: 'C012AB3CD', limit: 80 }, { http })
  assert.equal(lookUps(http), 50)
})

function lookUps(http: FakeHttp): number {
  return http.requests.filter(({ path }) => path === '/users.info').length
}
