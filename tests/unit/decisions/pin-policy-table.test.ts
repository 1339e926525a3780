// What the host does with what it found of a plugin and what the lock says, for each way in which both may be.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { normalizeEntry, type PluginEntry } from '../../../host/src/config/schema/schema.ts'
import { noCapabilities, type Capabilities } from '../../../host/src/pin/capabilities.ts'
import type { ObservedInstall } from '../../../host/src/pin/difference/compare.ts'
import { emptyLock, withPlugin, type Lock, type LockedPlugin } from '../../../host/src/pin/lock/lock.ts'
import { treeDigest, type Tree, type TreeFile } from '../../../host/src/pin/tree/tree.ts'
import { lockEntry } from '../../../host/src/pin/verdict/approve.ts'
import { keepApproved } from '../../../host/src/pin/verdict/approved.ts'
import { createApprovedFiles, type ApprovedFiles } from '../../../host/src/plugin/trust/approved-files.ts'
import {
  descriptorsOf,
  joinCapabilities,
  observePlugin,
  observeSurface,
  pinSource,
  withServerName,
} from '../../../host/src/plugin/trust/observe.ts'
import { checkObserved, checkPin, objectPin } from '../../../host/src/plugin/trust/pin-policy.ts'
import { activeRecord, emptyPlugin, emptyTool } from '../../fixtures/projects/snapshots.ts'

const sha = (letter: string) => letter.repeat(64)
const file = (path: string, letter: string, of = ''): TreeFile => ({ package: of, path, mode: '100644', sha256: sha(letter) })
const treeOf = (files: readonly TreeFile[]): Tree => ({
  digest: treeDigest(files, []),
  files,
  dependencies: [],
  roots: [
    { package: '', folder: '/p/node_modules/@acme/desk' },
    { package: 'dep@1.0.0', folder: '/p/node_modules/dep' },
    { package: 'dep@1.0.0', folder: '/p/node_modules/other/node_modules/dep' },
  ],
})
const tree = treeOf([file('index.js', 'a'), file('package.json', 'b'), file('dep.js', 'c', 'dep@1.0.0')])
const edited = treeOf([file('index.js', 'e'), file('package.json', 'b'), file('dep.js', 'c', 'dep@1.0.0')])

const surface = surfaceOf([emptyTool('issues_get'), emptyTool('issues_edit', 'write')])
function surfaceOf(tools: Parameters<typeof emptyPlugin>[1], more: Parameters<typeof emptyPlugin>[2] = {}) {
  const { surface: found } = activeRecord(emptyPlugin('desk', tools, more))
  assert.ok(found)
  return found
}

const install: ObservedInstall = {
  use: '@acme/desk',
  source: 'npm',
  version: '1.0.0',
  integrity: 'sha512-a sha512-b',
  tree: tree.digest,
  capabilities: noCapabilities,
}
const pin = lockEntry(install, observeSurface(surface))
const lockOf = (plugins: Readonly<Record<string, LockedPlugin>>, deployment = 'default'): Lock =>
  Object.entries(plugins).reduce((lock, [name, plugin]) => withPlugin(lock, deployment, name, plugin), emptyLock)

interface Case {
  readonly lock?: Lock | undefined
  readonly frozen?: boolean
  readonly entry?: Partial<PluginEntry>
  readonly install?: Partial<ObservedInstall>
  readonly tree?: Tree
  readonly deployment?: string
  readonly approved?: ApprovedFiles
  readonly configDir?: string
}

function check(of: Case) {
  const named = normalizeEntry({ use: '@acme/desk', as: 'desk', isolation: 'inline', ...of.entry })
  const { as, ...nameless } = named
  const entry = as === '' ? nameless : named
  const found = of.tree ?? tree
  return checkObserved(
    entry,
    { install: { ...install, tree: found.digest, ...of.install }, tree: found },
    {
      policy: {
        lock: 'lock' in of ? of.lock : lockOf({ desk: pin }),
        deployment: of.deployment ?? 'default',
        frozen: of.frozen ?? true,
        approved: of.approved ?? createApprovedFiles(() => true),
      },
      within: { label: 'the entry', configDir: of.configDir ?? tmpdir() },
    },
  )
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return error === undefined ? 'passes' : String((error as { code?: unknown }).code)
}

/** What `check` takes for an entry without a name. */
const unnamed = { as: '' }

test('before its code runs, a plugin is refused, held, or passes, by what the lock says of it', async () => {
  const two = lockOf({ a: { ...pin, tree: edited.digest }, b: pin })
  const table: readonly (readonly [string, Case, frozen: string, open: string])[] = [
    ['as it was pinned', {}, 'passes', 'passes'],
    ['no lock', { lock: undefined }, 'PIN_NOT_LOCKED', 'passes'],
    ['a lock that pins nothing', { lock: emptyLock }, 'PIN_NOT_LOCKED', 'passes'],
    ['pinned in another deployment', { deployment: 'team' }, 'PIN_NOT_LOCKED', 'passes'],
    [
      'a deployment with the name of what every object has',
      { deployment: 'constructor', entry: unnamed },
      'PIN_NOT_LOCKED',
      'passes',
    ],
    ['pinned by another name', { entry: { as: 'other' } }, 'PIN_NOT_LOCKED', 'passes'],
    ['other bytes', { tree: edited }, 'PIN_INTEGRITY', 'held PIN_INTEGRITY'],
    ['another version', { install: { version: '2.0.0' } }, 'PIN_VERSION', 'held PIN_VERSION'],
    ['another package', { install: { use: '@acme/other' } }, 'PIN_VERSION', 'held PIN_VERSION'],
    [
      'a right that was not approved',
      { install: { capabilities: { ...noCapabilities, env: ['X'] } } },
      'PIN_CAPABILITY',
      'PIN_CAPABILITY',
    ],
    ['other bytes of a plugin from a path', { tree: edited, install: { source: 'path' } }, 'PIN_INTEGRITY', 'passes'],
    ['no name in the config, and one pin of the same package', { entry: unnamed }, 'passes', 'passes'],
    ['no name, and the first of two pins differs', { entry: unnamed, lock: two }, 'passes', 'passes'],
    [
      'no name, and every pin differs',
      { entry: unnamed, lock: lockOf({ a: { ...pin, tree: edited.digest } }) },
      'PIN_INTEGRITY',
      'held PIN_INTEGRITY',
    ],
    [
      'no name, and only another package is pinned',
      { entry: unnamed, lock: lockOf({ a: { ...pin, use: '@acme/other' } }) },
      'PIN_NOT_LOCKED',
      'passes',
    ],
    ['no name, and only another deployment pins it', { entry: unnamed, deployment: 'team' }, 'PIN_NOT_LOCKED', 'passes'],
    ['the name of one that is pinned with other bytes', { entry: { as: 'a' }, lock: two }, 'PIN_INTEGRITY', 'held PIN_INTEGRITY'],
  ]
  for (const [what, of, frozenSays, openSays] of table)
    for (const frozen of [true, false]) {
      const found = check({ ...of, frozen })
      const refused = await codeOf(found)
      const says = refused === 'passes' && (await found).held ? `held ${(await found).held?.code}` : refused
      assert.equal(says, frozen ? frozenSays : openSays, `${what}, ${frozen ? 'frozen' : 'open'}`)
    }
})

test('a right that the plugin asks for itself is not known before it is imported: having fewer than the lock says refuses nothing yet', async () => {
  const lock = lockOf({ desk: { ...pin, capabilities: { ...noCapabilities, hosts: ['https://a.example'] } } })
  using found = await check({ lock })
  assert.equal(found.held, undefined)
  assert.equal(await codeOf(found.judge({ instance: 'desk', surface, digests: new Map() })), 'PIN_CAPABILITY', 'now it is')
  const asking = surfaceOf([emptyTool('issues_get'), emptyTool('issues_edit', 'write')], {
    capabilities: { hosts: ['https://a.example'] },
  })
  assert.equal(await codeOf(found.judge({ instance: 'desk', surface: asking, digests: new Map() })), 'passes')
})

test('a pin in the config must be one that npm recorded', async () => {
  for (const [integrity, recorded, says] of [
    ['sha512-a', 'sha512-a sha512-b', 'passes'],
    ['sha512-b', 'sha512-a sha512-b', 'passes'],
    ['sha512-c', 'sha512-a sha512-b', 'PLUGIN_INTEGRITY'],
    ['sha512-a', 'sha512-aa', 'PLUGIN_INTEGRITY'],
    ['sha512-a', undefined, 'PLUGIN_INTEGRITY'],
  ] as const)
    assert.equal(
      await codeOf(check({ lock: undefined, frozen: false, entry: { integrity }, install: { integrity: recorded as string } })),
      says,
      `${integrity} of ${recorded}`,
    )
})

test('compiled code of a package runs only where the config allows it', async () => {
  const native = treeOf([...tree.files, file('build/fast.node', 'f', 'dep@1.0.0'), file('own.node', 'f')])
  const allowed: Capabilities = { ...noCapabilities, native: true }
  for (const [source, capabilities, says] of [
    ['npm', noCapabilities, 'PIN_NATIVE'],
    ['npm', allowed, 'passes'],
    ['path', noCapabilities, 'passes'],
  ] as const)
    assert.equal(
      await codeOf(check({ lock: undefined, frozen: false, tree: native, install: { source, capabilities } })),
      says,
      source,
    )
  await assert.rejects(check({ lock: undefined, frozen: false, tree: native }), /dep@1\.0\.0\/build\/fast\.node.*own\.node/s)
  assert.equal(
    await codeOf(check({ lock: undefined, frozen: false, tree: treeOf([file('node.js', 'a'), file('x.node.js', 'a')]) })),
    'passes',
  )
})

test('frozen, the files of the tree may run wherever they lie until the version is disposed; of an isolated plugin, in its process', async () => {
  const files = [
    ['/p/node_modules/@acme/desk/index.js', 'a'],
    ['/p/node_modules/@acme/desk/package.json', 'b'],
    ['/p/node_modules/dep/dep.js', 'c'],
    ['/p/node_modules/other/node_modules/dep/dep.js', 'c'],
  ] as const
  for (const isolation of ['inline', 'process'] as const) {
    const approved = createApprovedFiles(() => true)
    const admits = (path: string, digest: string) => {
      try {
        approved.admit({ file: path, digest, once: false })
        return true
      } catch {
        return false
      }
    }
    const found = await check({ entry: { isolation }, approved })
    assert.deepEqual(found.approved, new Map(files.map(([path, letter]) => [path, sha(letter)])), 'what the process is told')
    for (const [path, letter] of files) {
      assert.equal(admits(path, sha(letter)), isolation === 'inline', path)
      assert.equal(admits(path, sha('0')), false)
    }
    assert.equal(admits('/p/other.js', sha('a')), false)
    found[Symbol.dispose]()
    for (const [path, letter] of files) assert.equal(admits(path, sha(letter)), false, 'disposed')
  }
  const open = await check({ frozen: false })
  assert.equal(open.approved, undefined)
})

test('a file runs for as long as one of the versions that have it', () => {
  let frozen = true
  const approved = createApprovedFiles(() => frozen)
  const codeFor = (path: string, letter: string, once = false) => {
    try {
      approved.admit({ file: path, digest: sha(letter), once })
      return 'admitted'
    } catch (error) {
      return (error as { message: string }).message
    }
  }
  const index = '/p/node_modules/@acme/desk/index.js'
  const ends = [approved.approve(tree), approved.approve(tree), approved.approve(edited)]
  assert.deepEqual([codeFor(index, 'a'), codeFor(index, 'e')], ['admitted', 'admitted'])
  assert.match(codeFor(index, 'f'), /it changed after it was compared/)
  assert.match(codeFor('/elsewhere.js', 'a'), /mcp\.lock\.json does not cover it/)
  ends[0]?.()
  assert.equal(codeFor(index, 'a'), 'admitted', 'by the other version')
  ends[1]?.()
  assert.match(codeFor(index, 'a'), /it changed after/)
  ends[2]?.()
  assert.match(codeFor(index, 'e'), /does not cover it/)
  frozen = false
  assert.equal(codeFor('/elsewhere.js', '0'), 'admitted')
  // What Node keeps for good is what it read the first time, frozen or not.
  assert.deepEqual(approved.held, new Map())
  assert.equal(codeFor(index, 'a', true), 'admitted')
  assert.deepEqual(approved.held, new Map([[index, sha('a')]]))
  assert.doesNotThrow(() => approved.approve(tree)())
  assert.throws(() => approved.approve(edited), { code: 'MODULE_RESTART_REQUIRED' })
})

test('after the import a plugin is pinned, changed or unpinned, and what differs is hidden', async () => {
  const changed = surfaceOf([emptyTool('issues_get'), emptyTool('issues_edit', 'read')])
  const more = surfaceOf([emptyTool('issues_get'), emptyTool('issues_edit', 'write'), emptyTool('new')])
  const table: readonly (readonly [string, Case, typeof surface, readonly string[], string, boolean])[] = [
    ['as it was', {}, surface, [], 'pinned', false],
    ['a tool with another access', {}, changed, ['issues_edit'], 'changed', false],
    ['a tool more', {}, more, ['new'], 'changed', false],
    ['no lock', { lock: undefined, frozen: false }, surface, [], 'unpinned', false],
    ['other bytes', { tree: edited, frozen: false }, surface, ['issues_get', 'issues_edit'], 'changed', true],
    ['other bytes from a path', { tree: edited, frozen: false, install: { source: 'path' } }, changed, [], 'changed', false],
  ]
  for (const [what, of, seen, hidden, pinned, othersQuarantined] of table) {
    using found = await check(of)
    const result = await found.judge({ instance: 'desk', surface: seen, digests: new Map() })
    assert.deepEqual(
      [result.pinned, [...result.quarantined], result.othersQuarantined, result.tree],
      [pinned, hidden, othersQuarantined, (of.tree ?? tree).digest],
      what,
    )
  }
})

test('of a tool, what clients see and whether it changes something is pinned', () => {
  const { tools } = observeSurface(surface)
  assert.deepEqual(
    Object.entries(tools).map(([name, { access }]) => [name, access]),
    [
      ['issues_get', 'read'],
      ['issues_edit', 'write'],
    ],
  )
  const { annotations, ...wire } = descriptorsOf(surface)['issues_get'] ?? {}
  assert.deepEqual([wire['name'], wire['description'], annotations !== undefined], ['issues_get', 'Does issues_get.', true])
})

test('a plugin that names itself is judged by the pin of that name', async () => {
  using found = await check({ entry: unnamed, lock: lockOf({ desk: pin, b: { ...pin, tree: edited.digest } }) })
  assert.equal(await codeOf(found.judge({ instance: 'desk', surface, digests: new Map() })), 'passes')
  assert.equal(await codeOf(found.judge({ instance: 'b', surface, digests: new Map() })), 'PIN_INTEGRITY')
  assert.equal(await codeOf(found.judge({ instance: 'unknown', surface, digests: new Map() })), 'PIN_NOT_LOCKED')
})

test('frozen, what was read for the import must be what was compared; open, it is its developer’s to change', async () => {
  const index = '/p/node_modules/@acme/desk/index.js'
  for (const [frozen, path, letter, says] of [
    [true, index, 'a', 'passes'],
    [true, index, 'e', 'PIN_FILE'],
    [true, '/p/node_modules/other/node_modules/dep/dep.js', 'e', 'PIN_FILE'],
    [true, '/outside.js', 'e', 'passes'],
    [false, index, 'e', 'passes'],
  ] as const) {
    using found = await check({ frozen })
    const judged = found.judge({ instance: 'desk', surface, digests: new Map([[path, sha(letter)]]) })
    assert.equal(await codeOf(judged), says, `${path} ${letter}`)
  }
})

function temporary(t: TestContext): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'patchbay-pin-')))
  t.after(() => rmSync(root, { recursive: true }))
  return root
}

test('a refusal and a warning name what differs from what was approved, before the import and after it', async (t) => {
  const configDir = temporary(t)
  await keepApproved({ configDir, deployment: 'default', name: 'desk' }, { tree, tools: descriptorsOf(surface) })
  await assert.rejects(check({ tree: edited, configDir }), /index\.js/)
  const open = await check({ tree: edited, configDir, frozen: false })
  assert.match(open.held?.message ?? '', /index\.js/)
  const other = surfaceOf([
    emptyTool('issues_get', 'read', { description: 'Does something else.' }),
    emptyTool('issues_edit', 'write'),
  ])
  using found = await check({ configDir })
  const { warnings } = await found.judge({ instance: 'desk', surface: other, digests: new Map() })
  assert.match(warnings[0]?.message ?? '', /description/)
  // Kept for another deployment, it says nothing of this one.
  await assert.rejects(
    check({ tree: edited, configDir, deployment: 'team', lock: lockOf({ desk: pin }, 'team') }),
    (error: Error) => !error.message.includes('index.js'),
  )
})

test('a server elsewhere is known by what it calls itself, once that is known', () => {
  const server = { share: 'all' } as const
  assert.deepEqual(withServerName({ ...install, server }, 'Git').server, { share: 'all', name: 'Git' })
  assert.deepEqual(withServerName({ ...install, server }, undefined).server, { share: 'all' })
  assert.equal(withServerName(install, 'Git').server, undefined)
})

test('a server elsewhere that calls itself otherwise is refused where the lock is the law, and hidden else', async () => {
  const server = { share: 'all' } as const
  const lock = lockOf({ desk: lockEntry({ ...install, server: { ...server, name: 'Git' } }, observeSurface(surface)) })
  for (const [frozen, serverName, says] of [
    [true, 'Git', 'pinned'],
    [true, 'Other', 'PIN_VERSION'],
    [false, 'Other', 'issues_get issues_edit'],
  ] as const) {
    using found = await check({ lock, frozen, install: { server } })
    const judged = found.judge({ instance: 'desk', surface, digests: new Map(), serverName })
    const code = await codeOf(judged)
    const result = code === 'passes' ? await judged : undefined
    assert.equal(result ? [...result.quarantined].join(' ') || result.pinned : code, says)
  }
})

test('rights of the config and of the plugin are pinned together', () => {
  const one = { hosts: ['b'], env: ['B'], fs: { read: ['b'], write: ['b'] }, credentials: 'brokered', native: false } as const
  const other = { hosts: ['a', 'b'], env: ['A'], fs: { read: ['a'], write: ['a'] }, credentials: 'raw', native: true } as const
  const both = {
    hosts: ['a', 'b'],
    env: ['A', 'B'],
    fs: { read: ['a', 'b'], write: ['a', 'b'] },
    credentials: 'raw',
    native: true,
  }
  assert.deepEqual(joinCapabilities(one, other), both)
  assert.deepEqual(joinCapabilities(other, one), both)
  assert.deepEqual(joinCapabilities(one, one), one)
  assert.deepEqual(joinCapabilities(noCapabilities, noCapabilities), noCapabilities)
})

test('a package that is linked into node_modules is source of a path', () => {
  for (const [source, root, expected] of [
    ['npm', '/p/node_modules/desk', 'npm'],
    ['npm', '/work/desk', 'path'],
    ['path', '/p/node_modules/desk', 'path'],
    ['path', '/work/desk', 'path'],
  ] as const)
    assert.equal(pinSource({ source, root, file: join(root, 'index.js') }), expected, `${source} ${root}`)
})

/** A plugin in a folder of a project, or in its packages with what npm recorded of it. */
function onDisk(t: TestContext, source: 'npm' | 'path') {
  const configDir = temporary(t)
  const name = source === 'npm' ? 'node_modules/desk' : 'desk'
  const root = join(configDir, name)
  mkdirSync(root, { recursive: true })
  const code = join(root, 'index.js')
  writeFileSync(code, 'export default {}')
  writeFileSync(join(root, 'package.json'), '{"name":"desk","version":"1.2.3"}')
  if (source === 'npm')
    writeFileSync(
      join(configDir, 'node_modules/.package-lock.json'),
      JSON.stringify({ packages: { 'node_modules/desk': { version: '1.2.3', integrity: 'sha512-xyz' } } }),
    )
  const use = source === 'npm' ? 'desk' : './desk'
  const entry = normalizeEntry({ use, as: 'desk', capabilities: { env: ['HOME'] } })
  const resolved = { source, root, file: code, ...(source === 'npm' && { version: '1.2.3' }) } as const
  return { entry, resolved, within: { label: 'desk', configDir } }
}

test('of a plugin, its specifier, source, version, the integrity that npm recorded, its bytes and what the config grants are looked at', async (t) => {
  for (const [source, expected] of [
    ['npm', { use: 'desk', source: 'npm', version: '1.2.3', integrity: 'sha512-xyz' }],
    ['path', { use: './desk', source: 'path' }],
  ] as const) {
    const { entry, resolved, within } = onDisk(t, source)
    const { install: found, tree: bytes } = await observePlugin(entry, resolved, within)
    assert.deepEqual(found, { ...expected, tree: bytes.digest, capabilities: { ...noCapabilities, env: ['HOME'] } })
    assert.deepEqual(
      bytes.files.map(({ path }) => path),
      ['index.js', 'package.json'],
    )
  }
})

test('open, the files of a plugin from a path are not looked at, unless the config pins them; what it declares still is', async (t) => {
  const { entry, resolved, within } = onDisk(t, 'path')
  const missing = { ...resolved, root: join(resolved.root, 'missing') }
  const policy = { lock: undefined, deployment: 'default', frozen: false, approved: createApprovedFiles(() => false) }
  const checked = (of: PluginEntry, frozen = false) => checkPin(of, missing, { policy: { ...policy, frozen }, within })
  using found = await checked(entry)
  const { tree: digest, ...result } = await found.judge({ instance: 'desk', surface, digests: new Map() })
  assert.deepEqual(result, { pinned: 'unpinned', quarantined: new Set(), othersQuarantined: false, warnings: [] })
  assert.equal(digest, undefined)
  const wrong = surfaceOf([], { capabilities: { hosts: ['not an origin'] } })
  assert.equal(await codeOf(found.judge({ instance: 'desk', surface: wrong, digests: new Map() })), 'CAPABILITY_INVALID')
  for (const work of [checked({ ...entry, integrity: 'sha512-a' }), checked(entry, true)])
    assert.equal(await codeOf(work), 'PIN_UNREADABLE')
  // Of a description, the tools are pinned although the plugin lies in a folder of the project.
  const described = normalizeEntry({ use: '@mcp-patchbay/plugin-openapi', as: 'pets' })
  assert.equal(await codeOf(checked(described)), 'PIN_UNREADABLE')
})

test('an object that an embedder hands over has no bytes to compare', async () => {
  assert.deepEqual(await objectPin.judge({ instance: 'desk', surface, digests: new Map() }), {
    pinned: 'unpinned',
    quarantined: new Set(),
    othersQuarantined: false,
    warnings: [],
  })
})

test('frozen, a description is read only when its bytes are those of the lock, by the config that the plugin runs with', async (t) => {
  const configDir = temporary(t)
  const [pets, other] = [join(configDir, 'pets.yaml'), join(configDir, 'other.yaml')]
  writeFileSync(pets, 'pets')
  writeFileSync(other, 'pets')
  // Of the four bytes "pets".
  const digest = 'sha256-3be1d422a46085e17f4a19d3ed707c866927a6d354a562c45a78f1f03d7c4118'
  const use = '@mcp-patchbay/plugin-openapi'
  const document = { from: 'pets.yaml', digest } as const
  const of = { ...install, use, document }
  const lock = lockOf({ desk: lockEntry(of, observeSurface(surface)) })
  const asked: Case = { lock, configDir, entry: { use }, install: { use } }
  using found = await check(asked)
  const required = (path: string, instance = 'desk') => {
    try {
      found.requireDescription(instance, { document: path })
      return 'passes'
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  const judged = (path: string) =>
    codeOf(found.judge({ instance: 'desk', surface, digests: new Map(), config: { document: path } }))
  assert.deepEqual([required(pets), await judged(pets)], ['passes', 'passes'])
  assert.deepEqual([required(other), await judged(other)], ['PIN_DOCUMENT', 'PIN_DOCUMENT'], 'of the same bytes')
  writeFileSync(pets, 'Pets')
  assert.deepEqual([required(pets), await judged(pets)], ['PIN_DOCUMENT', 'PIN_DOCUMENT'])
  rmSync(pets)
  assert.deepEqual([required(pets), await judged(pets)], ['PIN_DOCUMENT', 'PIN_DOCUMENT'])
  assert.equal(required(pets, 'unknown'), 'passes', 'what is not pinned is refused elsewhere')
  using open = await check({ ...asked, frozen: false })
  assert.doesNotThrow(() => open.requireDescription('desk', { document: other }))
})
