import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { EntryConfig } from '../../host/src/config/schema/schema.ts'
import { resolveInstalledServer, serverFolder } from '../../host/src/plugin/mcp-server/install/installed-server.ts'
import { undoInterrupted } from '../../host/src/project/transaction.ts'
import { stateOf } from '../fixtures/projects/folder-state.ts'
import { npmRegistry } from '../fixtures/projects/npm-registry.ts'
import { pinnedProject } from '../fixtures/projects/pinned-project.ts'
import { authoredServer } from '../fixtures/servers/authored-server.ts'

const name = '@acme/mcp-files'
const registry = await npmRegistry()
const files = authoredServer(name)
registry.publish({ name, version: '2.3.0', tarball: files.release('2.3.0'), publishedAt: undefined })
after(async () => {
  files[Symbol.dispose]()
  await registry[Symbol.asyncDispose]()
})

describe('install', () => {
  const entry = { use: `mcp:npm:${name}`, as: 'files', version: '2.3.0' }
  const plain = (root: string) => ({ name, version: '2.3.0', root })
  const configured = (plugins: readonly EntryConfig[] = [entry]) => pinnedProject({ '.npmrc': registry.npmrc }, { plugins })

  test('makes every tree of the config, once from the registry and from then on from mcp.servers.lock.json', async () => {
    using first = configured([entry, { ...entry, as: 'again' }])
    const ran = await first.patchbay(['install', '--json'])
    assert.equal(ran.code, 0, ran.stderr)
    const folder = serverFolder(plain(first.root))
    assert.deepEqual(JSON.parse(ran.stdout), {
      deployment: 'default',
      servers: [{ name, version: '2.3.0', folder, by: 'registry' }],
    })
    const { treeDigest } = await resolveInstalledServer(plain(first.root))
    first.remove('.patchbay')
    assert.match(
      (await first.patchbay(['install'])).stdout,
      /^@acme\/mcp-files 2\.3\.0 installed as mcp\.servers\.lock\.json has it: /,
    )
    assert.match((await first.patchbay(['install'])).stdout, /^@acme\/mcp-files 2\.3\.0 is installed: /)
    assert.equal((await resolveInstalledServer(plain(first.root))).treeDigest, treeDigest)
    first.write('mcp.servers.lock.json', '{"lockfileVersion": 2}')
    const refused = await first.patchbay(['install'])
    assert.equal(refused.code, 78)
    assert.match(refused.stderr, /mcp\.servers\.lock\.json:1:1: it is not a list of servers/)
  })

  test('leaves everything as it was when one of them cannot be had, or it is killed', async () => {
    using partly = configured([entry, { ...entry, use: 'mcp:npm:acme-gone', as: 'gone' }])
    const before = stateOf(partly.root)
    const refused = await partly.patchbay(['install'])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /acme-gone@2\.3\.0.*404/)
    assert.deepEqual(stateOf(partly.root), before)
    partly.write('mcp.config.json', JSON.stringify({ plugins: [entry] }))
    const old = stateOf(partly.root)
    for (const point of ['server.installed', 'server.rename', 'servers-lock.sync-folder', 'transaction.commit']) {
      const { code } = await partly.patchbay(['install'], { PATCHBAY_FAULTS: `${point}:kill` })
      assert.equal(code, null, point)
      assert.equal(await undoInterrupted(partly.root), true, point)
      assert.deepEqual(stateOf(partly.root), old, point)
    }
  })

  test('says so where there is nothing to install, and refuses a young release and compiled code', async () => {
    using nothing = configured([])
    assert.equal((await nothing.patchbay(['install'])).stdout, 'The config names no MCP server from npm\n')
    const young = 'acme-young'
    using native = authoredServer(young, { 'lib/addon.node': 'ELF' })
    registry.publish({ name: young, version: '1.0.0', tarball: native.release('1.0.0'), publishedAt: new Date() })
    using project = configured([{ use: `mcp:npm:${young}`, version: '1.0.0' }])
    assert.match((await project.patchbay(['install'])).stderr, /was released 0 hours ago/)
    assert.match((await project.patchbay(['install', '--now'])).stderr, /contains code that is not JavaScript: lib\/addon\.node/)
    const taken = await project.patchbay(['install', '--now', '--allow-native'])
    assert.equal(taken.code, 0, taken.stderr)
  })
})
