import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { resolveConfig } from '../../host/src/config/file/resolve-config.ts'
import { createHost } from '../../host/src/host.ts'
import { httpClients } from '../fixtures/http/mcp-clients.ts'
import { isRunning, until } from '../fixtures/plugins/plugin-processes.ts'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'
import { startPatchbay } from '../fixtures/projects/patchbay-process.ts'

const root = join(import.meta.dirname, '../..')
const server = join(root, 'tests/fixtures/servers/raw-server.mjs')
const SWAPS = 8

test('other arguments are another process beside the one that serves, and no call is lost', async (t) => {
  const configAt = (version: number) =>
    resolveConfig({ plugins: [{ use: 'mcp:exec', as: 'raw', command: [process.execPath, server, 'well', `v${version}`] }] })
  const host = await createHost(configAt(0), {
    file: join(root, 'mcp.config.ts'),
    env: process.env,
    log: fakeLog(),
    patienceMs: Infinity,
  })
  t.after(() => host.close({ graceMs: 0 }))
  const url = new URL((await host.listen({ http: { port: 0 } })).url ?? '')
  const clients = await Promise.all(Object.values(httpClients).map((connect) => connect(t, url)))
  const over = new AbortController()
  const seen = new Set<string>()
  const calling = clients.map(async (client) => {
    let calls = 0
    for (; !over.signal.aborted; calls++) {
      const text = await client.call('raw_echo')
      assert.match(text, /^echo v\d+$/)
      seen.add(text)
    }
    return calls
  })
  for (let version = 1; version <= SWAPS; version++) {
    await host.apply({ config: configAt(version) })
    // Every client has an answer of the new one.
    assert.deepEqual(new Set(await Promise.all(clients.map((client) => client.call('raw_echo')))), new Set([`echo v${version}`]))
  }
  over.abort()
  for (const calls of await Promise.all(calling)) assert.ok(calls > SWAPS)
  assert.equal(host.list().plugins[0]?.state, 'active')
})

test(
  'a host that is killed leaves no server behind, however little it wants to end',
  { skip: process.platform !== 'linux' && 'there is no /proc' },
  async () => {
    using tree = sourceTree()
    const command = [process.execPath, server, 'stubborn', tree.root]
    tree.write('mcp.config.json', JSON.stringify({ plugins: [{ use: 'mcp:exec', as: 'raw', command }] }))
    const host = await startPatchbay(['--config', tree.path('mcp.config.json')], { cwd: tree.root })
    const servers = () => processesWith('stubborn').filter((pid) => commandOf(pid).includes(tree.root))
    await until(() => servers().length === 1)
    const [pid = 0] = processesWith('patchbay.mjs').filter((one) => commandOf(one).includes(tree.root))
    process.kill(pid, 'SIGKILL')
    await until(() => servers().length === 0)
    await host.stop().catch(() => {}) // it is gone
  },
)

function processesWith(text: string): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && commandOf(pid).includes(text) && isRunning(pid))
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
