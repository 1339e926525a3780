// Another version of a server while clients of three kinds call it, and a host that is killed.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { EntryConfig } from '../../host/src/config/schema/schema.ts'
import { httpClients } from '../fixtures/http/mcp-clients.ts'
import { processesOf } from '../fixtures/plugins/plugin-processes.ts'
import { npmRegistry } from '../fixtures/projects/npm-registry.ts'
import { startPatchbay } from '../fixtures/projects/patchbay-process.ts'
import { pinnedProject } from '../fixtures/projects/pinned-project.ts'
import { authoredServer } from '../fixtures/servers/authored-server.ts'

const VERSIONS = ['2.3.0', '2.4.0'] as const
const registry = await npmRegistry()
const files = authoredServer('mcp-files')
for (const version of VERSIONS)
  registry.publish({ name: 'mcp-files', version, tarball: files.release(version), publishedAt: undefined })
after(async () => {
  files[Symbol.dispose]()
  await registry[Symbol.asyncDispose]()
})

/** Seconds each on a busy machine: `--long` has 200. */
const UPDATES = Number(process.env['UPDATES'] ?? 12)
const entry = (version: string, as = 'files'): EntryConfig => ({ use: 'mcp:npm:mcp-files', version, as })
const config = (plugins: readonly EntryConfig[]) => JSON.stringify({ plugins })

const linux = { skip: process.platform !== 'linux' && 'there is no /proc' }

test('another version of a server loses no call of any client, and a killed host leaves no server behind', linux, async (t) => {
  // Both are installed, as an update does before it changes the config.
  using project = pinnedProject(
    { '.npmrc': registry.npmrc },
    { plugins: VERSIONS.map((version) => entry(version, `v${version[2]}`)) },
  )
  assert.equal((await project.patchbay(['install'])).code, 0)
  project.write('mcp.config.json', config([entry(VERSIONS[0])]))
  await using host = await startPatchbay(['--watch'], { cwd: project.root })
  const kinds = ['the v1 SDK over Streamable HTTP', 'the v2 SDK at 2026-07-28', 'the v1 SDK over HTTP+SSE']
  const clients = await Promise.all(kinds.map((kind) => (httpClients[kind] ?? assert.fail(kind))(t, host.url)))

  const over = new AbortController()
  const seen = new Map<string, number>()
  const calling = clients.map(async (client) => {
    while (!over.signal.aborted) {
      const text = await client.call('files_version_get')
      seen.set(text, (seen.get(text) ?? 0) + 1)
    }
  })
  for (let update = 1; update <= UPDATES; update++) {
    const version = VERSIONS[update % 2] ?? ''
    project.write('mcp.config.json', config([entry(version)]))
    while ((await clients[0]?.call('files_version_get')) !== version) await pause(20)
  }
  over.abort()
  await Promise.all(calling)
  t.diagnostic(`${UPDATES} updates, ${[...seen.values()].reduce((sum, one) => sum + one, 0)} calls by ${kinds.length} clients`)
  assert.deepEqual([...seen.keys()].toSorted(), VERSIONS, 'every answer is a version, and none an error')

  const servers = () => processesOf(project.path('.patchbay/servers'))
  while (servers().length > 1) await pause(20)
  assert.equal(servers().length, 1, 'the versions before have ended')
  host.kill('SIGKILL')
  await host.exited
  for (let waited = 0; servers().length > 0 && waited < 1_000; waited += 50) await pause(50)
  assert.deepEqual(servers(), [])
})
