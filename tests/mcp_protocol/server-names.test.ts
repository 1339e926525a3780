import assert from 'node:assert/strict'
import { test } from 'node:test'
import packageJson from '../../host/package.json' with { type: 'json' }
import { demoPlugin } from '../fixtures/plugins/demo-plugin.ts'
import { httpClients, v1 } from '../fixtures/http/mcp-clients.ts'
import { rawClient } from '../fixtures/http/raw-client.ts'
import { RawSession } from '../fixtures/http/raw-session.ts'
import { serveBoth, serveHttp } from '../fixtures/http/serving.ts'

const server = { name: 'acme-tools', title: 'Acme', instructions: 'Ask before you delete.' }
const info = { name: 'acme-tools', title: 'Acme', version: packageJson.version }

test('every client is shown the name, the title and the instructions of the config', async (t) => {
  const served = await serveHttp(t, [demoPlugin().plugin], { config: { server } })
  for (const connect of Object.values(httpClients)) {
    const { instructions = '' } = await connect(t, served.url)
    assert.match(instructions, /^Ask before you delete\.\n\nThis server offers several services\./)
  }
  const opened = await new RawSession(served.url, undefined).initialize()
  assert.match(await opened.text(), new RegExp(JSON.stringify(info)))
  await served.publish([demoPlugin().plugin], { server: { name: 'other' } })
  assert.match((await v1(t, served.url)).instructions ?? '', /^This server/)
})

test('both paths say the same of the server with each result of 2026-07-28', async (t) => {
  const { direct, sdk } = await serveBoth(t, [demoPlugin().plugin], { config: { server } })
  for (const method of ['server/discover', 'tools/list', 'tools/call']) {
    const params = method === 'tools/call' ? { name: 'demo_whoami', arguments: {} } : {}
    for (const url of [direct, sdk]) {
      const { result } = JSON.parse((await rawClient(url).post(method, params)).text) as { result: { _meta: object } }
      assert.deepEqual(Reflect.get(result, '_meta'), { 'io.modelcontextprotocol/serverInfo': info }, method)
    }
  }
})
