import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deriveRights } from '../../../host/src/project/import/derive-rights.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

test('an imported server has the network for a secret or an address, reads what it names, and writes nowhere', async () => {
  using tree = sourceTree({ 'docs/a.md': 'a', 'me/notes.md': 'mine' })
  const of = { configDir: tree.root, home: tree.path('me') }
  const rights = async (entry: {
    args?: readonly string[]
    env?: Readonly<Record<string, string | { readonly secret: true }>>
  }) => (await deriveRights({ use: 'mcp:npm:x', as: 'x', ...entry }, of)).capabilities
  const table: readonly (readonly [Parameters<typeof rights>[0], object | undefined])[] = [
    [{}, undefined],
    [{ env: { LEVEL: 'debug' } }, undefined],
    [{ env: { TOKEN: { secret: true } } }, { hosts: ['public'] }],
    [{ env: { URL: 'https://api.example/v1?x', OTHER: 'https://api.example/v2' } }, { hosts: ['https://api.example'] }],
    [{ env: { URL: 'https://api.example/', TOKEN: { secret: true } } }, { hosts: ['https://api.example'] }],
    [{ args: ['./docs', '--dir=./docs', './gone', 'docs'] }, { fs: { read: ['./docs'] } }],
    [{ args: [tree.root, tree.path('me'), '/', '/etc'] }, undefined],
  ]
  for (const [entry, expected] of table) assert.deepEqual(await rights(entry), expected, JSON.stringify(entry))
})
