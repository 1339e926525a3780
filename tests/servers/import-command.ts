import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, describe, test } from 'node:test'
import { undoInterrupted } from '../../host/src/project/transaction.ts'
import { stateOf } from '../fixtures/projects/folder-state.ts'
import { npmRegistry } from '../fixtures/projects/npm-registry.ts'
import { runPatchbay } from '../fixtures/projects/patchbay-process.ts'
import { sourceTree, type SourceTree } from '../fixtures/plugins/source-tree.ts'
import { authoredServer } from '../fixtures/servers/authored-server.ts'

const name = '@acme/mcp-files'
const registry = await npmRegistry()
const files = authoredServer(name)
const addon = authoredServer('acme-native', { 'lib/addon.node': 'ELF' })
registry.publish({ name, version: '2.3.0', tarball: files.release('2.3.0'), publishedAt: undefined })
registry.publish({ name: 'acme-native', version: '1.0.0', tarball: addon.release('1.0.0'), publishedAt: undefined })
after(async () => {
  files[Symbol.dispose]()
  addon[Symbol.dispose]()
  await registry[Symbol.asyncDispose]()
})

const servers = {
  Files: {
    command: 'npx',
    args: ['-y', name, '${workspaceFolder}/data'],
    env: { ACME_TOKEN: 'canary-3f9c1d70b2', LEVEL: 'debug' },
  },
  wiki: { type: 'http', url: 'https://mcp.example.com/mcp', headers: { Authorization: 'Bearer ${input:wiki}' } },
  git: { command: 'uvx', args: ['mcp-server-git'] },
  gone: { command: 'npx', args: ['acme-gone'] },
  native: { command: 'npx', args: ['acme-native'] },
  off: { command: 'x', disabled: true },
}
const workspace = (more: Readonly<Record<string, string>> = {}): SourceTree =>
  sourceTree({ '.npmrc': registry.npmrc, '.vscode/mcp.json': JSON.stringify({ servers }), 'data/a.txt': 'a', ...more })
const run = (tree: SourceTree, args: readonly string[], env = {}) =>
  runPatchbay(['import', '.vscode/mcp.json', ...args], { cwd: tree.root, env })

describe('import', () => {
  test('makes a config of what a client has: pinned, granted what it shows to need, and without a secret', async () => {
    using tree = workspace()
    const { code, stdout, stderr } = await run(tree, ['--yes', '--json'])
    assert.equal(code, 1, 'not everything could be taken over')
    const { skipped, ...imported } = JSON.parse(stdout) as {
      servers: { from: string; entry: object; notes: string[] }[]
      skipped: { from: string; reason: string }[]
      open: string[]
    }
    assert.deepEqual(
      imported.servers.map(({ entry }) => entry),
      [
        {
          use: `mcp:npm:${name}`,
          version: '2.3.0',
          as: 'files',
          args: ['./data'],
          env: { ACME_TOKEN: { secret: true }, LEVEL: 'debug' },
          capabilities: { hosts: ['public'], fs: { read: ['./data'] } },
        },
        { use: 'mcp:https://mcp.example.com/mcp', as: 'wiki' },
        { use: 'mcp:exec', as: 'git', command: ['uvx'], args: ['mcp-server-git'] },
      ],
    )
    assert.deepEqual(
      skipped.map(({ from, reason }) => [from, /404|not JavaScript|disabled/.exec(reason)?.[0]]),
      [
        ['gone', '404'],
        ['off', 'disabled'],
        ['native', 'not JavaScript'],
      ],
    )
    assert.deepEqual(imported.open, ['WIKI_PERSONAL_TOKEN'])
    assert.match(readFileSync(tree.path('.env'), 'utf8'), /^# files\nFILES_ACME_TOKEN=canary-3f9c1d70b2\n\n# wiki\n/)
    const written = readFileSync(tree.path('mcp.config.ts'), 'utf8')
    assert.match(written, /\n {2}plugins: \[\n {4}\{ use: 'mcp:npm:@acme\/mcp-files', version: '2\.3\.0', as: 'files', /)
    for (const text of [written, stdout, stderr]) assert.doesNotMatch(text, /canary/)
    assert.equal(
      Object.keys(stateOf(tree.root)).some((file) => file.includes('acme-native')),
      false,
    )
    const again = await run(tree, ['Files', '--yes'])
    assert.equal(again.code, 1)
    assert.match(again.stderr, /Files: the name "files" is taken already/)
  })

  test('shows the same without a change, asks before it makes one, and leaves all as it was when it is killed', async () => {
    using tree = workspace({ 'mcp.config.json': '{"plugins": []}' })
    const old = stateOf(tree.root)
    const dry = await run(tree, ['Files', 'off', 'missing', '--dry-run'])
    assert.match(
      dry.stderr,
      /^files \(Files\): mcp:npm:@acme\/mcp-files 2\.3\.0 \.\/data\n {2}secret ACME_TOKEN: FILES_ACME_TOKEN in \.env\n/,
    )
    assert.match(dry.stderr, /Not imported:\n {2}missing: the file does not name it\n {2}off: it is disabled there\n/)
    assert.equal(dry.stdout, 'Nothing was changed\n')
    const asked = await run(tree, ['Files'])
    assert.match(asked.stderr, /asks before it changes anything/)
    assert.deepEqual(stateOf(tree.root), old)
    for (const point of ['server.installed', 'config.rename', 'env.rename', 'transaction.commit']) {
      const { code } = await run(tree, ['Files', '--yes'], { PATCHBAY_FAULTS: `${point}:kill` })
      assert.equal(code, null, point)
      await undoInterrupted(tree.root)
      assert.deepEqual(stateOf(tree.root), old, point)
    }
    assert.equal((await run(tree, ['Files', 'off', '--yes'])).code, 0, 'what is disabled there is not missed')
  })
})
