import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startOpenapiUpstream } from '../../../plugins/github/tests/openapi-upstream.ts'
import { blocksOf } from '../../fixtures/markdown-blocks.ts'
import { runPatchbay, startPatchbay } from '../../fixtures/projects/patchbay-process.ts'

const root = join(import.meta.dirname, '../../..')
const blocks = blocksOf(join(root, 'docs/setup.md'))

test('the API keys of docs/setup.md open what the page says, and the call reaches GitHub', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'docs-keys-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const part of ['node_modules', 'plugins']) symlinkSync(join(root, part), join(folder, part))
  const config = blocks.find(({ text }) => text.startsWith('// with-keys/mcp.config.ts')) ?? assert.fail('the config is gone')
  writeFileSync(join(folder, 'mcp.config.ts'), config.text)
  const commands =
    blocks.find(({ text }) => text.startsWith('npx mcp-patchbay keys create')) ?? assert.fail('the commands are gone')
  const [create = [], list = [], revoke = []] = commands.text
    .trim()
    .split('\n')
    .map((line) => line.replace(/#.*$/, '').trim().split(' ').slice(2))

  const { stdout } = await runPatchbay(create, { cwd: folder })
  const [key = ''] = /pbk_laptop_[\w-]+/.exec(stdout) ?? assert.fail(stdout)
  assert.match((await runPatchbay(list, { cwd: folder })).stdout, /^laptop +active /m)

  await using upstream = await startOpenapiUpstream()
  await using host = await startPatchbay([], { cwd: folder, env: { GITHUB_PERSONAL_TOKEN: 'x', GITHUB_API_URL: upstream.url } })
  const post = (method: string, params: object) =>
    fetch(host.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${key}`,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
  const initialize = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'docs', version: '1' } }
  const session = (await post('initialize', initialize)).headers.get('mcp-session-id') ?? ''
  const call = await fetch(host.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'x-api-key': key,
      'mcp-session-id': session,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 2,
      method: 'tools/call',
      params: { name: 'github_issues_get', arguments: { owner: 'octocat', repo: 'Hello-World', issue_number: 42 } },
    }),
  })
  assert.match(await call.text(), /Found a bug/)
  assert.equal(upstream.requests[0]?.headers['authorization'], 'Bearer x')
  assert.equal((await runPatchbay(revoke, { cwd: folder })).code, 0)
  assert.equal(await host.stop(), 0)
})
