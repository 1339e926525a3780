import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { defineTool, Type } from '@mcp-patchbay/plugin-api'
import { demoPlugin } from '../fixtures/plugins/demo-plugin.ts'
import { httpClients, type Heard, type TestClient } from '../fixtures/http/mcp-clients.ts'
import { bearers, serveHttp, type Served } from '../fixtures/http/serving.ts'

const extraTool = (name: string, permissions: readonly string[] = []) =>
  defineTool({ name, description: 'New.', access: 'read', permissions, input: Type.Object({}), run: () => 'new' })

/** Waits until each client heard of the last change, and gives all that it heard: on one stream nothing overtakes. */
async function heardUntil(what: string, heard: readonly Heard[]): Promise<string[][]> {
  await Promise.all(heard.map((one) => one.until(what)))
  return heard.map(({ all }) => all)
}

test('tells every client of a changed list exactly once, in every era', async (t) => {
  const served = await serveHttp(t, [demoPlugin().plugin])
  const { clients, heard } = await connectAll(t, served)
  const plugin = demoPlugin({ extra: [extraTool('extra')] }).plugin
  await served.publish([plugin])
  await served.publish([{ ...plugin, prompts: [] }])
  for (const all of await heardUntil('prompts', heard)) assert.deepEqual(all, ['tools', 'prompts'])
  for (const client of clients) assert.equal(await client.call('demo_extra'), 'new')
})

test('tells nobody anything when only code changed', async (t) => {
  const served = await serveHttp(t, [demoPlugin().plugin])
  const { heard } = await connectAll(t, served)
  await served.publish([demoPlugin().plugin])
  await served.publish([{ ...demoPlugin().plugin, prompts: [] }])
  for (const all of await heardUntil('prompts', heard)) assert.deepEqual(all, ['prompts'])
})

test('tells only those whose own list changed, in every era', async (t) => {
  const authenticate = bearers({ admin: { permissions: ['admin'] }, user: { permissions: [] } })
  const served = await serveHttp(t, [demoPlugin().plugin], { deps: { authenticate } })
  const admins = await connectAll(t, served, { who: 'admin' })
  const users = await connectAll(t, served, { who: 'user', before: admins.clients.length })
  const plugin = demoPlugin({ extra: [extraTool('extra', ['admin'])] }).plugin
  await served.publish([plugin])
  await served.publish([{ ...plugin, resources: [] }])
  for (const all of await heardUntil('resources', admins.heard)) assert.deepEqual(all, ['tools', 'resources'])
  for (const all of await heardUntil('resources', users.heard)) assert.deepEqual(all, ['resources'])
})

test('tells who follows a resource that another version of its plugin answers for it now', async (t) => {
  const served = await serveHttp(t, [demoPlugin().plugin])
  const { heard } = await connectAll(t, served, { uris: ['demo://readme'] })
  await served.publish([demoPlugin().plugin])
  await served.publish([{ ...demoPlugin().plugin, prompts: [] }])
  for (const all of await heardUntil('prompts', heard)) assert.deepEqual(all.slice(0, 2), ['updated demo://readme', 'prompts'])
})

test('refuses to follow a resource that is not there', async (t) => {
  const { url } = await serveHttp(t, [demoPlugin().plugin])
  const client = await httpClients['the v1 SDK over Streamable HTTP']?.(t, url)
  await assert.rejects(client?.changes(['demo://nothing']) ?? Promise.resolve(), { code: -32602, message: /Resource not found/ })
})

/** One client of each kind, every one of which listens. */
async function connectAll(
  t: TestContext,
  { url, http }: Served,
  { who, before = 0, uris = [] }: { who?: string; before?: number; uris?: readonly string[] } = {},
): Promise<{ clients: TestClient[]; heard: Heard[] }> {
  const options = who ? { headers: { authorization: `Bearer ${who}` } } : {}
  const clients = await Promise.all(Object.values(httpClients).map((connect) => connect(t, url, options)))
  const heard = await Promise.all(clients.map((client) => client.changes(uris)))
  // Sessions open their stream in the background.
  while (http.open.streams < before + clients.length) await setImmediate()
  return { clients, heard }
}
