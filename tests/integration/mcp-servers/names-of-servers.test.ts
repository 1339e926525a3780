import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { pinnedProject } from '../../fixtures/projects/pinned-project.ts'

interface Far {
  readonly url: string
  /** What it calls itself from now on. */
  name: string
}

/** A server elsewhere with one tool, which stays the same. */
async function startFar(t: TestContext): Promise<Far> {
  const far = { url: '', name: 'acme-wiki' }
  const results: Readonly<Record<string, (params: { protocolVersion?: string }) => object>> = {
    initialize: ({ protocolVersion }) => ({
      protocolVersion,
      capabilities: { tools: { listChanged: true } },
      serverInfo: { name: far.name, version: '1.0.0' },
    }),
    'tools/list': () => ({ tools: [{ name: 'read', description: 'Reads.', inputSchema: { type: 'object' } }] }),
    'tools/call': () => ({ content: [{ type: 'text', text: `of ${far.name}` }] }),
    ping: () => ({}),
  }
  const server = createServer((req, res) => {
    const serve = async () => {
      if (req.method !== 'POST') return res.writeHead(405).end()
      const { id, method, params } = (await json(req)) as { id?: number; method: string; params: object }
      if (id === undefined) return res.writeHead(202).end()
      const result = results[method]?.(params)
      const answer = result ? { result } : { error: { code: -32_601, message: 'Method not found' } }
      return res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }))
    }
    serve().catch((error: unknown) => res.destroy(error as Error))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close().closeAllConnections())
  far.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  return far
}

test('a server elsewhere is locked by what it calls itself: another one at its address is refused, or hidden', async (t) => {
  const far = await startFar(t)
  const config = { plugins: [{ use: `mcp:${far.url}`, as: 'wiki' }] }
  using project = pinnedProject({}, config)
  await project.lock()
  const lock = await project.patchbay(['diff'])
  assert.equal(lock.code, 0, lock.stdout)
  {
    await using same = await project.start({ ...config, frozen: true })
    assert.deepEqual([same.plugin().state, same.plugin().pinned], ['active', 'pinned'])
  }
  far.name = 'acme-wiki-2'
  {
    await using frozen = await project.start({ ...config, frozen: true })
    assert.equal(frozen.plugin().state, 'failed')
    assert.match(frozen.plugin().reason?.message ?? '', /its name is "acme-wiki-2", the lock says "acme-wiki"/)
    assert.deepEqual(frozen.tools(), [])
  }
  {
    await using open = await project.start({ ...config, frozen: false })
    assert.deepEqual([...(open.plugin().quarantined ?? [])], ['read'])
    assert.match(open.plugin().reason?.message ?? '', /its name is "acme-wiki-2"/)
  }
  const diff = await project.patchbay(['diff'])
  assert.match(diff.stdout, /acme-wiki-2/)
  const approved = await project.patchbay(['approve', 'wiki'])
  assert.equal(approved.code, 0, approved.stderr)
  await using again = await project.start({ ...config, frozen: true })
  assert.equal(again.plugin().pinned, 'pinned')
})
