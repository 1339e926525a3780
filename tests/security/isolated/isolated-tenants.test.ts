import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakePrincipal } from '@mcp-patchbay/plugin-api/testing'
import { createHost } from 'mcp-patchbay'
import type { Caller } from '../../../host/src/server/catalog/caller.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'
import { callerWith } from '../../fixtures/plugins/tracker.ts'
import { startUpstream, heard, told } from '../../fixtures/http/upstream.ts'

const acme = callerWith(fakePrincipal({ id: 'ann', tenant: 'acme' }))
const umbrella = callerWith(fakePrincipal({ id: 'ann', tenant: 'umbrella' }))

/** Keeps the client of whoever called first, and asks with it when it is told to. */
const PLUGIN = `
import { definePlugin, defineTool, hasCredential, Secret, Type } from '@mcp-patchbay/plugin-api'
let kept
const input = Type.Object({ as: Type.Optional(Type.String()) })
export default definePlugin({
  name: 'desk',
  config: Type.Object({ apiUrl: Type.String(), label: Type.String({ default: 'none' }), personalToken: Type.Optional(Secret()) }),
  isAuthConfigured: hasCredential,
  createClient: ({ http, tenant, config }) => ({ http, tenant, label: config.label }),
  tools: [
    defineTool({
      name: 'tickets_get',
      description: 'Asks the service',
      access: 'read',
      input,
      async run({ as }, { client, config }) {
        kept ??= client
        const { http, tenant, label } = as === 'first' ? kept : client
        return [tenant, label, config.label, await http.text('/tickets')].join(' ')
      },
    }),
    defineTool({ name: 'tickets_kept', description: 'Asks once', access: 'read', input, cache: { ttlMs: 60_000, scope: 'shared' },
      run: (_, { client }) => client.http.text('/tickets') }),
  ],
})
`

test('a process serves several tenants, each with the address, the credential, the config and the client of its own', async (t) => {
  await using first = await startUpstream((response, { headers }) => response.end(`first ${told(headers['authorization'])}`))
  await using second = await startUpstream((response, { headers }) => response.end(`second ${told(headers['authorization'])}`))
  using tree = sourceTree({ 'desk/index.js': PLUGIN, 'mcp.config.ts': '' })
  const host = await createHost(
    {
      plugins: [{ use: './desk', isolation: 'process', serverCredentials: 'allow' }],
      tenants: {
        acme: { plugins: { desk: { config: { apiUrl: first.url, personalToken: 'acmes', label: 'a' } } } },
        umbrella: { plugins: { desk: { config: { apiUrl: second.url, label: 'u' } } } },
      },
    },
    { file: tree.path('mcp.config.ts'), env: { UMBRELLA_DESK_PERSONAL_TOKEN: 'umbrellas' }, patienceMs: Infinity },
  )
  t.after(() => host.close({ graceMs: 0 }))
  const call = async (caller: Caller, { tool = 'tickets_get', ...input }: { tool?: string; as?: string } = {}) => {
    const answer = await host.call(`desk_${tool}`, input, { caller })
    return answer.kind === 'result' && answer.result.content[0]?.type === 'text' ? heard(answer.result.content[0].text) : ''
  }
  const acmes = 'acme a a first Bearer acmes'
  const umbrellas = 'umbrella u u second Bearer umbrellas'
  assert.equal(await call(acme), acmes)
  const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => call(index % 2 ? acme : umbrella)))
  assert.deepEqual(
    answers,
    answers.map((_, index) => (index % 2 ? acmes : umbrellas)),
  )
  // The client of the first call, acme's: what it asks is asked as the caller, whoever it was made for.
  assert.equal(await call(umbrella, { as: 'first' }), 'acme a u second Bearer umbrellas')
  for (const caller of [acme, umbrella])
    assert.equal(await call(caller, { tool: 'tickets_kept' }), caller === acme ? 'first Bearer acmes' : 'second Bearer umbrellas')
})
