// What no plugin may be granted, what one that asks for more is told, and which description of an API an entry has.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { normalizeEntry, type HostConfig } from '../../../host/src/config/schema/schema.ts'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import { noCapabilities, type Capabilities } from '../../../host/src/pin/capabilities.ts'
import { grantsOf } from '../../../host/src/plugin/isolate/grants.ts'
import { requireGranted } from '../../../host/src/plugin/trust/granted.ts'
import { hostPaths } from '../../../host/src/plugin/trust/host-paths.ts'
import { installationDigest } from '../../../host/src/plugin/trust/installation.ts'
import { observeDocument } from '../../../host/src/plugin/trust/observe-document.ts'
import { activeRecord, emptyPlugin } from '../../fixtures/projects/snapshots.ts'

function temporary(t: TestContext): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'patchbay-reach-')))
  t.after(() => rmSync(root, { recursive: true }))
  return root
}

const ALWAYS = [
  ...['ts', 'mts', 'js', 'mjs', 'json', 'yaml', 'yml'].map((extension) => `/p/mcp.config.${extension}`),
  '/p/.env',
  '/p/package.json',
  '/p/package-lock.json',
  '/p/mcp.keys.json',
  '/p/mcp.lock.json',
  '/p/mcp.servers.lock.json',
  '/p/.patchbay',
  '/p/node_modules',
]

test('no plugin may write what decides what runs and who may call, nor the folder of another plugin', () => {
  const kept = (config: HostConfig, own = 0) => {
    const { plugins, ...resolved } = resolveConfig(config)
    const mine = plugins[own] ?? normalizeEntry({ use: './none' })
    return hostPaths({ ...resolved }, { entries: plugins, own: mine, configDir: '/p' })
  }
  const more = (config: HostConfig, own?: number) => {
    const paths = kept(config, own).map(({ path }) => path)
    assert.deepEqual(
      ALWAYS.filter((path) => !paths.includes(path)),
      [],
    )
    return paths.filter((path) => !ALWAYS.includes(path)).toSorted()
  }
  assert.deepEqual(more({ plugins: [] }), [])
  const table: readonly (readonly [HostConfig, own: number, readonly string[]])[] = [
    [{ plugins: ['./a', './b', './lib/c'] }, 0, ['/p/b', '/p/lib/c']],
    [{ plugins: ['./a', './b'] }, 1, ['/p/a']],
    [{ plugins: ['./a', '@acme/mcp-x'] }, 0, ['/p/node_modules/@acme/mcp-x']],
    [{ plugins: ['./a'], cache: { store: 'sqlite:./data/cache.db' } }, 0, ['/p/data/cache.db']],
    [{ plugins: ['./a'], cache: { store: 'memory' } }, 0, []],
    [{ plugins: ['./a'], pluginDirs: ['./more'] }, 0, ['/p/more']],
    [{ plugins: [{ use: './a', http: { certFile: './c.pem', keyFile: '/keys/k.pem' } }] }, 0, ['/keys/k.pem', '/p/c.pem']],
    [
      { plugins: ['./a', { use: './b', http: { certFile: './c.pem', keyFile: './k.pem' } }] },
      1,
      ['/p/a', '/p/c.pem', '/p/k.pem'],
    ],
  ]
  for (const [config, own, expected] of table) assert.deepEqual(more(config, own), expected, JSON.stringify(config))
  const [dir] = kept({ plugins: ['./more/a'], pluginDirs: ['./more'] }).filter(({ path }) => path === '/p/more')
  assert.equal(dir?.except, '/p/more/a', 'but its own folder')
  const others = kept({ plugins: [], auth: { inbound: { keysFile: './who.json' } } }).map(({ path }) => path)
  assert.deepEqual([others.includes('/p/who.json'), others.includes('/p/mcp.keys.json')], [true, false])
})

test('a plugin that declares more than its entry grants is refused with the line that grants all of it, and one that declares less is not', async () => {
  const within = { label: 'desk', configDir: tmpdir() }
  const entry = (capabilities: object) => normalizeEntry({ use: './desk', capabilities })
  const required = (declared: object, granted: object) => {
    const { surface } = activeRecord(emptyPlugin('desk', [], { capabilities: declared }))
    assert.ok(surface)
    return requireGranted(surface, entry(granted), within)
  }
  for (const [declared, granted] of [
    [{}, {}],
    [{ hosts: ['https://a.example'] }, { hosts: ['https://a.example', 'https://b.example'] }],
    [{ env: ['A'] }, { env: ['A'] }],
    [{}, { credentials: 'raw', env: ['A'], native: true }],
  ] as const)
    await required(declared, granted)
  for (const [declared, granted, missing, line] of [
    [{ env: ['A', 'B'] }, { env: ['A'] }, 'env B', "{ env: ['A', 'B'] }"],
    [{ hosts: ['https://a.example'] }, { env: ['A'] }, 'hosts https://a.example', "{ hosts: ['https://a.example'], env: ['A'] }"],
    [{ credentials: 'raw' }, {}, 'credentials raw', "{ credentials: 'raw' }"],
    [{ native: true }, {}, 'native', '{ native: true }'],
  ] as const)
    await assert.rejects(required(declared, granted), (error: Error & { code?: string; fix?: unknown }) => {
      assert.equal(error.code, 'CAPABILITY_NOT_GRANTED')
      assert.ok(error.message.includes(missing), error.message)
      assert.ok(JSON.stringify([error.message, error.fix]).includes(line), `${line} in ${JSON.stringify(error.fix)}`)
      return true
    })
})

test('the description of an entry is the file or the address that it runs with, with the digest of its bytes', (t) => {
  const configDir = temporary(t)
  mkdirSync(join(configDir, 'api'))
  const file = join(configDir, 'api', 'pets.yaml')
  writeFileSync(file, 'pets')
  const digest = 'sha256-3be1d422a46085e17f4a19d3ed707c866927a6d354a562c45a78f1f03d7c4118'
  const openapi = '@mcp-patchbay/plugin-openapi'
  for (const [use, document, expected] of [
    [openapi, file, { from: 'api/pets.yaml', digest }],
    [openapi, join(configDir, 'api', 'none.yaml'), { from: 'api/none.yaml' }],
    [openapi, join(configDir, '..', 'none.yaml'), { from: '../none.yaml' }],
    [openapi, 'https://pets.example/openapi.json', { from: 'https://pets.example/openapi.json' }],
    [openapi, undefined, undefined],
    [openapi, 5, undefined],
    ['@acme/other', file, undefined],
  ] as const)
    assert.deepEqual(observeDocument(normalizeEntry({ use }), { document }, configDir), expected, `${use} ${String(document)}`)
})

test('an installation is known by what a package manager recorded in its folder or above', (t) => {
  const root = temporary(t)
  const folder = join(root, 'a', 'b')
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  const seen = [installationDigest(folder)]
  for (const path of [
    'a/b/node_modules/.package-lock.json',
    'a/b/node_modules/.modules.yaml',
    'a/b/package-lock.json',
    'a/package-lock.json',
    'a/pnpm-lock.yaml',
    'a/yarn.lock',
    'bun.lock',
  ]) {
    writeFileSync(join(root, path), 'x')
    const digest = installationDigest(folder)
    assert.equal(seen.includes(digest), false, path)
    assert.equal(installationDigest(folder), digest)
    seen.push(digest)
  }
  writeFileSync(join(root, 'bun.lock'), 'y')
  assert.equal(seen.includes(installationDigest(folder)), false)
  const before = installationDigest(folder)
  writeFileSync(join(root, 'package.json'), '{}')
  assert.equal(installationDigest(folder), before)
})

test('the process of a plugin reads its folder, its dependencies in turn, the host’s own code and what is granted; writes and variables only that', async (t) => {
  const configDir = temporary(t)
  const write = (path: string, text: string) => {
    mkdirSync(join(configDir, path, '..'), { recursive: true })
    writeFileSync(join(configDir, path), text)
  }
  write('node_modules/desk/package.json', '{"dependencies":{"one":"1"}}')
  write('node_modules/one/package.json', '{"dependencies":{"two":"1","desk":"1"}}')
  write('node_modules/two/package.json', '{}')
  write('node_modules/other/package.json', '{}')
  const root = join(configDir, 'node_modules/desk')
  const grants = (capabilities: Partial<Capabilities>) =>
    grantsOf(
      { source: 'npm', root, file: join(root, 'index.js') },
      { capabilities: { ...noCapabilities, ...capabilities }, configDir, env: { A: 'a', EMPTY: '', SECRET: 's' } },
    )
  const at = (path: string) => join(configDir, path)
  const none = await grants({})
  assert.deepEqual([none.writes, none.env, none.native], [[], {}, false])
  for (const path of ['node_modules/desk', 'node_modules/one', 'node_modules/two']) assert.ok(none.reads.includes(at(path)), path)
  assert.equal(
    none.reads.some((path) => path.startsWith(at('node_modules/other'))),
    false,
  )
  assert.equal(none.reads.includes(configDir), false)
  assert.ok(
    none.reads.some((path) => path.endsWith('/host/src') || path.endsWith('/host/bundle')),
    none.reads.join(' '),
  )
  assert.ok(none.reads.some((path) => path.endsWith('node_modules/typebox')))
  const some = await grants({ env: ['A', 'EMPTY', 'MISSING'], fs: { read: ['in', '/abs'], write: ['out'] }, native: true })
  assert.deepEqual([some.env, some.writes, some.native], [{ A: 'a', EMPTY: '' }, [at('out')], true])
  assert.deepEqual(some.reads.slice(none.reads.length), [at('in'), '/abs'])
})
