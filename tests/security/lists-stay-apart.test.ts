import assert from 'node:assert/strict'
import { test } from 'node:test'
import { demoPlugin } from '../fixtures/plugins/demo-plugin.ts'
import { httpClients } from '../fixtures/http/mcp-clients.ts'
import { bearers, serveHttp } from '../fixtures/http/serving.ts'

const people = {
  admin: { permissions: ['admin'], tenant: 'acme' },
  reader: { permissions: [], tenant: 'acme' },
  // Differs from the one before in the tenant alone, which may see one tool.
  'reader of another tenant': { permissions: [], tenant: 'umbrella' },
}
const config = { tenants: { acme: {}, umbrella: { tools: { allow: ['demo_whoami'] } } } }

for (const [kind, connect] of Object.entries(httpClients))
  test(`what an administrator listed is never given to a reader, over ${kind}`, async (t) => {
    const { url } = await serveHttp(t, [demoPlugin().plugin], { config, deps: { authenticate: bearers(people) } })
    const clients = await Promise.all(
      Object.keys(people).map(async (who) => ({
        who,
        client: await connect(t, url, { headers: { authorization: `Bearer ${who}` } }),
      })),
    )
    const lists = await Promise.all(
      Array.from({ length: 30 }, (_, index) => clients[index % clients.length]).map(async (asking) => {
        assert.ok(asking)
        return { who: asking.who, tools: await asking.client.tools() }
      }),
    )
    assert.equal(lists.length, 30)
    for (const { who, tools } of lists) {
      assert.equal(tools.includes('demo_admin'), who === 'admin', who)
      assert.equal(tools.length === 1, who === 'reader of another tenant', `${who} sees ${tools.join()}`)
    }
  })
