import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { normalizeEntry, type EntryConfig } from '../../../host/src/config/schema/schema.ts'
import { serverOf } from '../../../host/src/config/schema/server/server-specifier.ts'
import { emptyLock, withPlugin } from '../../../host/src/pin/lock/lock.ts'
import { digestSurface } from '../../../host/src/pin/surface.ts'
import { lockEntry } from '../../../host/src/pin/verdict/approve.ts'
import { locateForLater, locateServer } from '../../../host/src/plugin/mcp-server/locate-server.ts'
import { createApprovedFiles } from '../../../host/src/plugin/trust/approved-files.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

const surface = { ...digestSurface({ tools: {} }), apiVersion: 1 }
const locate = (config: EntryConfig, configDir: string) => {
  const entry = normalizeEntry(config)
  const server = serverOf(entry.use)
  assert.ok(server)
  return { entry, server, within: { label: 'db', configDir } }
}

test('a lock has of a server how it is started, with the names of its variables and none of their values', async () => {
  using tree = sourceTree()
  const pinned = async (config: EntryConfig) => {
    const { entry, server, within } = locate(config, tree.root)
    return (await locateServer(entry, server, within)).observed.install.server
  }
  const command: EntryConfig = { use: 'mcp:exec', command: ['/bin/db'] }
  const table: readonly (readonly [EntryConfig, object])[] = [
    [command, { command: ['/bin/db'], share: 'all' }],
    [
      { ...command, args: ['--x'] },
      { command: ['/bin/db'], args: ['--x'], share: 'all' },
    ],
    [
      { ...command, env: { TOKEN: { secret: true }, LEVEL: 'debug' } },
      { command: ['/bin/db'], env: ['LEVEL', 'TOKEN'], share: 'all' },
    ],
    [
      { ...command, share: 'session' },
      { command: ['/bin/db'], share: 'session' },
    ],
    [
      { ...command, roots: ['docs'] },
      { command: ['/bin/db'], share: 'all', roots: ['docs'] },
    ],
    [{ use: 'mcp:https://db.example/mcp' }, { share: 'all' }],
  ]
  for (const [config, expected] of table) assert.deepEqual(await pinned(config), expected, JSON.stringify(config))
})

test('a server that is started later than it was listed is compared with the lock again, with every byte', async () => {
  const folder = '.patchbay/servers/db@1.0.0/node_modules/db'
  using tree = sourceTree({
    [`${folder}/package.json`]: JSON.stringify({ name: 'db', version: '1.0.0', bin: 'run.js' }),
    [`${folder}/run.js`]: 'console.log("as it was")',
  })
  const { entry, server, within } = locate({ use: 'mcp:npm:db', version: '1.0.0' }, tree.root)
  const { observed } = await locateServer(entry, server, within)
  const lock = withPlugin(emptyLock, 'default', 'db', lockEntry(observed.install, surface))
  for (const frozen of [true, false]) {
    const policy = { lock, deployment: 'default', frozen, approved: createApprovedFiles(() => frozen) }
    writeFileSync(tree.path(`${folder}/run.js`), 'console.log("as it was")')
    const { verify } = await locateForLater(entry, server, { policy, within })
    await verify()
    writeFileSync(tree.path(`${folder}/run.js`), 'console.log("another")')
    await assert.rejects(verify(), { code: /^PIN_/ }, frozen ? 'frozen' : 'not frozen')
  }
})
