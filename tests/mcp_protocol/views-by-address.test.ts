import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { definePrompt } from '@mcp-patchbay/plugin-api'
import { startJwksServer } from '../fixtures/auth/jwks-server.ts'
import { guardedHost } from '../fixtures/http/guarded-host.ts'
import { httpClients } from '../fixtures/http/mcp-clients.ts'
import { rawClient } from '../fixtures/http/raw-client.ts'
import { RawSession } from '../fixtures/http/raw-session.ts'
import { serveHttp, type Served } from '../fixtures/http/serving.ts'
import { emptyPlugin, emptyTool } from '../fixtures/projects/snapshots.ts'

const desk = (more: readonly string[] = [], prompts = [definePrompt({ name: 'greeting', run: () => 'Hello' })]) =>
  emptyPlugin(
    'desk',
    [
      emptyTool('tickets_get', 'read', { tags: ['triage'] }),
      emptyTool('tickets_close', 'write', { tags: ['triage'] }),
      emptyTool('rooms_list'),
      ...more.map((name) => emptyTool(name, 'write')),
    ],
    { prompts },
  )
const config = { tools: { toolsets: { rooms: ['desk_rooms_*'], 'a.b-c': ['desk_rooms_*'] } } }
const all = ['desk_tickets_get', 'desk_tickets_close', 'desk_rooms_list']

/** What each address shows, and the headers that show the same. */
const views: readonly (readonly [path: string, headers: Record<string, string>, tools: readonly string[]])[] = [
  ['/mcp', {}, all],
  ['/mcp/readonly', { 'x-patchbay-read-only': 'true' }, ['desk_tickets_get', 'desk_rooms_list']],
  ['/mcp/x/triage', { 'x-patchbay-toolsets': 'triage' }, ['desk_tickets_get', 'desk_tickets_close']],
  ['/mcp/x/triage/readonly', { 'x-patchbay-toolsets': 'triage', 'x-patchbay-read-only': 'true' }, ['desk_tickets_get']],
  ['/mcp/x/triage,rooms', { 'x-patchbay-toolsets': 'triage,rooms' }, all],
  ['/mcp/x/triage%2Ca.b-c', { 'x-patchbay-toolsets': 'triage, a.b-c' }, all],
  ['/mcp/x/nothing', { 'x-patchbay-toolsets': 'nothing' }, []],
]

const at = ({ url }: Served, path: string) => new URL(path, url)

test('an address shows and calls what its headers would, to every client', async (t) => {
  const served = await serveHttp(t, [desk()], { config })
  for (const [path, headers, tools] of views) {
    assert.deepEqual(await rawClient(served.url).tools(headers), tools, `by headers of ${path}`)
    for (const [name, connect] of Object.entries(httpClients)) {
      const client = await connect(t, at(served, path))
      assert.deepEqual(await client.tools(), tools, `${name} at ${path}`)
      for (const tool of all) {
        const called = client.call(tool)
        if (tools.includes(tool)) assert.equal(await called, tool.slice('desk_'.length))
        else await assert.rejects(called, /Unknown tool/, `${name} at ${path}`)
      }
      await client.close()
    }
  }
})

test('headers narrow an address further, and never widen it', async (t) => {
  const served = await serveHttp(t, [desk()], { config })
  const tools = (path: string, headers: Record<string, string>) => rawClient(at(served, path)).tools(headers)
  assert.deepEqual(await tools('/mcp/x/triage', { 'x-patchbay-read-only': 'true' }), ['desk_tickets_get'])
  assert.deepEqual(await tools('/mcp/x/triage', { 'x-patchbay-toolsets': 'rooms' }), [])
  assert.deepEqual(await tools('/mcp/readonly', { 'x-patchbay-read-only': 'false' }), ['desk_tickets_get', 'desk_rooms_list'])
})

test('an address that asks for less in a wrong way is refused as such headers are', async (t) => {
  const served = await serveHttp(t, [desk()], { config })
  const status = async (path: string) => (await rawClient(at(served, path)).post('tools/list')).status
  for (const path of ['/mcp/x/', '/mcp/x/a,', '/mcp/x/a%00', '/mcp/x/%zz', '/mcp/x/a%2Fb', `/mcp/x/${'a,'.repeat(40)}a`])
    assert.equal(await status(path), 400, path)
  for (const path of ['/mcp/x', '/mcp/', '/mcp/readonly/', '/mcp/readonly/x/a', '/mcp/x/a/b', '/mcp/X/a', '/mcp/write'])
    assert.equal(await status(path), 404, path)
})

test('a session and its messages belong to the address that it was opened at', async (t) => {
  const served = await serveHttp(t, [desk()], { config })
  const session = await RawSession.open(at(served, '/mcp/readonly'))
  assert.equal((await session.post('tools/list')).status, 200)
  for (const path of ['/mcp', '/mcp/x/triage', '/mcp/x/triage/readonly'])
    assert.equal((await new RawSession(at(served, path), session.id).post('tools/list')).status, 404, path)
  const stream = await fetch(at(served, '/sse/x/triage/readonly'))
  const [, endpoint = ''] = /data: (.*)\n/.exec(new TextDecoder().decode((await stream.body?.getReader().read())?.value)) ?? []
  assert.match(endpoint, /^\/messages\/x\/triage\/readonly\?sessionId=/)
  const send = async (path: string) => {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(at(served, path), { method: 'POST', headers, body: '{"jsonrpc":"2.0","method":"ping","id":1}' })
    return response.status
  }
  assert.equal(await send(endpoint), 202)
  assert.equal(await send(endpoint.replace('/x/triage/readonly', '')), 404)
})

test('each address hears of changes of its own list alone, in every era', async (t) => {
  const served = await serveHttp(t, [desk()], { config })
  const changesAt = (path: string) =>
    Promise.all(Object.values(httpClients).map(async (connect) => (await connect(t, at(served, path))).changes()))
  const [whole, readOnly] = [await changesAt('/mcp'), await changesAt('/mcp/readonly')]
  // Sessions open their stream in the background.
  while (served.http.open.streams < whole.length + readOnly.length) await setImmediate()
  await served.publish([desk(['rooms_close'])])
  await served.publish([desk(['rooms_close'], [])])
  await Promise.all([...whole, ...readOnly].map((heard) => heard.until('prompts')))
  for (const heard of whole) assert.deepEqual(heard.all, ['tools', 'prompts'])
  for (const heard of readOnly) assert.deepEqual(heard.all, ['prompts'])
})

test('each address is an OAuth resource of its own, and a token for the whole is good at all of them', async (t) => {
  const issuer = await startJwksServer(t)
  const guarded = await guardedHost(t, {
    auth: { inbound: { mode: 'oauth', oauth: { issuers: [{ issuer: issuer.issuer }] } } },
    config: { listen: { http: { publicUrl: 'https://example.com/tools' } } },
    http: { publicUrl: 'https://example.com/tools' },
  })
  const whole = 'https://example.com/tools'
  const places = ['/mcp', '/mcp/readonly', '/mcp/x/b,a', '/mcp/x/a/readonly', '/sse', '/sse/x/a']
  /** One for each audience: what is remembered of a token at one address must not let it in at another. */
  const tokens = new Map<string, Promise<string>>()
  const tokenFor = (aud: string) => tokens.getOrInsertComputed(aud, () => issuer.sign({ aud }))
  const statusAt = async (place: string, aud: string) => {
    const authorization = `Bearer ${await tokenFor(aud)}`
    const url = new URL(place, guarded.url)
    if (!place.startsWith('/sse')) return (await rawClient(url).post('tools/list', {}, { authorization })).status
    const gone = new AbortController()
    const { status } = await fetch(url, { headers: { authorization }, signal: gone.signal })
    gone.abort()
    return status
  }
  for (const place of places) {
    const refused = await fetch(new URL(place, guarded.url), { method: place.startsWith('/sse') ? 'GET' : 'POST' })
    assert.equal(refused.status, 401)
    const [, address = ''] = /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '') ?? []
    assert.equal(address, `https://example.com/.well-known/oauth-protected-resource/tools${place}`)
    for (const path of [new URL(address).pathname, `/.well-known/oauth-protected-resource${place}`]) {
      const document = (await (await fetch(new URL(path, guarded.url))).json()) as { resource: string }
      assert.equal(document.resource, `${whole}${place}`)
    }
    assert.equal(await statusAt(place, `${whole}${place}`), 200, `its own token at ${place}`)
    assert.equal(await statusAt(place, `${whole}/mcp`), 200, `the token of the whole at ${place}`)
    for (const other of places.filter((one) => one !== place && place !== '/mcp' && one !== '/mcp'))
      assert.equal(await statusAt(place, `${whole}${other}`), 401, `a token of ${other} at ${place}`)
    if (place !== '/mcp') assert.equal(await statusAt('/mcp', `${whole}${place}`), 401, `a token of ${place} at the whole`)
  }
})
