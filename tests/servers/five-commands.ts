// The commands of docs/mcp-servers.md, as the page has them, for a client's file with a server of a registry on this machine.
import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { v1, v2 } from '../fixtures/http/mcp-clients.ts'
import { npmRegistry } from '../fixtures/projects/npm-registry.ts'
import { runPatchbay, startPatchbay } from '../fixtures/projects/patchbay-process.ts'
import { blocksOf } from '../fixtures/markdown-blocks.ts'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'
import { authoredServer } from '../fixtures/servers/authored-server.ts'

const page = join(import.meta.dirname, '../../docs/mcp-servers.md')
const registry = await npmRegistry()
using files = authoredServer('mcp-files')
registry.publish({ name: 'mcp-files', version: '1.2.3', tarball: files.release('1.2.3'), publishedAt: undefined })
after(() => registry[Symbol.asyncDispose]())

test("five commands lead from a client's file to a frozen deployment on another machine", async (t) => {
  const [first] = blocksOf(page)
  const lines = first?.text.split('\n').map((line) => line.replace(/\s*#.*/, '').trim()) ?? []
  const commands = lines.flatMap((line) =>
    /^npx mcp-patchbay (.+)$/.exec(line)?.[1]?.split(' ') ? [line.split(' ').slice(2)] : [],
  )
  assert.deepEqual(
    commands.map(([name]) => name),
    ['import', 'list', 'lock', 'install', 'start'],
  )
  const servers = {
    files: { command: 'npx', args: ['-y', 'mcp-files', '${workspaceFolder}/data'], env: { ACME_TOKEN: 'canary-12345678' } },
  }
  using here = sourceTree({ '.npmrc': registry.npmrc, '.vscode/mcp.json': JSON.stringify({ servers }), 'data/a.txt': 'a' })
  const [doImport = [], list = [], lock = [], install = [], start = []] = commands
  const run = async (args: readonly string[], cwd: string) => {
    const finished = await runPatchbay(args, { cwd })
    assert.equal(finished.code, 0, finished.stderr)
    return finished.stdout
  }
  await run(doImport, here.root)
  assert.match(await run(list, here.root), /files_version_get +read +visible/)
  assert.match(await run(lock, here.root), /Wrote .*mcp\.lock\.json/)

  using there = sourceTree({ '.npmrc': registry.npmrc })
  for (const name of ['mcp.config.ts', 'mcp.lock.json', 'mcp.servers.lock.json', '.env', 'data'])
    cpSync(here.path(name), there.path(name), { recursive: true })
  assert.match(await run(install, there.root), /mcp-files 1\.2\.3 installed as mcp\.servers\.lock\.json has it/)
  {
    await using host = await startPatchbay(start.slice(1), { cwd: there.root })
    for (const connect of [v1, v2]) assert.equal(await (await connect(t, host.url)).call('files_version_get'), '1.2.3')
    assert.equal(await host.stop(), 0)
  }
  const server = '.patchbay/servers/mcp-files@1.2.3/node_modules/mcp-files/server.js'
  there.write(server, readFileSync(there.path(server), 'utf8').replace('Says its version', 'Says anything'))
  rmSync(there.path('.patchbay/cache.db'), { force: true })
  const listed = await run(['list', '--json'], there.root)
  assert.match(listed, /"pinned": "changed"/)
})
