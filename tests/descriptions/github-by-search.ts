import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, describe, test } from 'node:test'
import type { EmbeddedConfig } from 'mcp-patchbay'
import { createHost } from '../../host/src/host.ts'
import type { Host } from '../../host/src/types.ts'
import { httpClients } from '../fixtures/http/mcp-clients.ts'
import { startUpstream, type Upstream } from '../fixtures/http/upstream.ts'
import { memoryHolds } from '../fixtures/plugins/process-memory.ts'
import { pluginPids } from '../fixtures/plugins/plugin-processes.ts'
import { describedProject } from '../fixtures/projects/described-project.ts'

const CANARY = 'canary-7be21f04c9d3'
const description = readFileSync(createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json'), 'utf8')

interface Hit {
  readonly name: string
  readonly inputSchema?: { readonly required?: readonly string[] }
}

describe("GitHub's API behind a search, as its description says it", { concurrency: 1 }, () => {
  const resources = new AsyncDisposableStack()
  let upstream: Upstream
  let host: Host
  let url: URL

  before(async () => {
    upstream = resources.use(
      await startUpstream((response, { headers }) =>
        response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify({ title: 'It hangs', seen: headers['authorization'] })),
      ),
    )
    const config: EmbeddedConfig = {
      plugins: [
        {
          use: 'openapi:./github.yaml',
          as: 'github',
          operations: { allow: ['GET *'] },
          config: { apiUrl: upstream.url },
        },
      ],
      tools: { search: true },
      limits: { loadTimeoutMs: 120_000 },
    }
    const project = resources.use(describedProject({ 'github.yaml': description }, {}))
    const file = project.path('mcp.config.json')
    host = resources.use(await createHost(config, { file, env: { GITHUB_PERSONAL_TOKEN: CANARY }, patienceMs: Infinity }))
    const listening = await host.listen({ http: { port: 0 }, management: false })
    url = new URL(listening.url ?? '')
  })
  after(() => resources.disposeAsync())

  test('has a tool for each operation that reads, and none for another', () => {
    const [plugin] = host.list().plugins
    assert.equal(plugin?.state, 'active', plugin?.reason?.message ?? 'it is not served')
    assert.ok(plugin.tools.length > 600)
    assert.deepEqual([...new Set(plugin.tools.map(({ access }) => access))], ['read'])
  })

  for (const [name, connect] of Object.entries(httpClients))
    test(`${name} finds the operation by its own words and calls it, in two rounds`, async (t) => {
      const client = await connect(t, url)
      assert.deepEqual(await client.tools(), ['tools_search', 'tools_describe', 'tools_call'])
      const { structuredContent } = await client.callWhole('tools_search', { query: 'get an issue by its number' })
      const { tools } = structuredContent as { readonly tools: readonly Hit[] }
      const hit = tools.find(({ name: found }) => found === 'github_issues_get')
      assert.deepEqual(hit?.inputSchema?.required, ['owner', 'repo', 'issue_number'], tools.map((one) => one.name).join(' '))
      const args = { owner: 'octo', repo: 'cat', issue_number: 7 }
      const answer = await client.callWhole('tools_call', { name: hit.name, arguments: args })
      assert.match(JSON.stringify(answer), /It hangs/)
      const request = upstream.requests.at(-1)
      assert.equal(`${request?.method} ${request?.path}`, 'GET /repos/octo/cat/issues/7')
      assert.equal(request?.headers['authorization'], `Bearer ${CANARY}`)
      assert.doesNotMatch(JSON.stringify(answer), new RegExp(CANARY), 'the service said it again')
      const deleted = await client.callWhole('tools_call', { name: 'github_repos_delete', arguments: { owner: 'a', repo: 'b' } })
      assert.equal(deleted.isError, true)
    })

  test('the process that makes the requests never had the credential', { skip: process.platform !== 'linux' }, () => {
    const [pid] = pluginPids()
    assert.ok(pid !== undefined)
    assert.ok(memoryHolds(pid, '/repos/octo/cat/issues/7'), 'what it did is found')
    assert.ok(!memoryHolds(pid, CANARY))
  })
})
