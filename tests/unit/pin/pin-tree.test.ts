import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, realpath, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { compareTrees } from '../../../host/src/pin/difference/tree-changes.ts'
import { digestTree, filesByLocation, type Tree } from '../../../host/src/pin/tree/tree.ts'

const base = await realpath(await mkdtemp(path.join(tmpdir(), 'patchbay-tree-')))
after(() => rm(base, { recursive: true, force: true }))

const posix = { skip: process.platform === 'win32' }
let projects = 0

/** Writes `files` under a new folder and answers where it is. A value that is an object is written as JSON. */
async function project(files: Readonly<Record<string, string | object>>): Promise<string> {
  const root = path.join(base, String(projects++))
  for (const [file, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true })
    await writeFile(path.join(root, file), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return root
}

const jiraFiles = {
  'package.json': { name: '@acme/mcp-jira', version: '2.3.1', type: 'module' },
  'index.js': 'export default 1',
  'dist/tools.js': 'export const tools = []',
  'dist/bin.js': '#!/usr/bin/env node',
}

const names = (tree: Tree): string[] =>
  tree.files.map((file) => (file.package === '' ? file.path : `${file.package}/${file.path}`))

const changes = (before: Tree, now: Tree): string[] =>
  compareTrees(before.files, now.files).map(
    (entry) => `${entry.change} ${entry.package === '' ? '' : `${entry.package}/`}${entry.path}`,
  )

test('lists every file of a plugin by path, with mode and SHA-256 of its content', async () => {
  const root = await project(jiraFiles)
  await chmod(path.join(root, 'dist/bin.js'), 0o755)
  const { files, digest } = await digestTree(root)
  assert.match(digest, /^sha256-[0-9a-f]{64}$/)
  const content = hash('sha256', jiraFiles['index.js'])
  assert.deepEqual(
    files.find((file) => file.path === 'index.js'),
    { package: '', path: 'index.js', mode: '100644', sha256: content },
  )
  assert.deepEqual(
    files.map((file) => `${file.mode} ${file.path}`),
    ['100755 dist/bin.js', '100644 dist/tools.js', '100644 index.js', '100644 package.json'],
  )
})

test('is the same in another place, under another umask and at another time', posix, async () => {
  const [here, there] = [await project(jiraFiles), await project(jiraFiles)]
  await chmod(path.join(there, 'index.js'), 0o600)
  await chmod(path.join(there, 'dist'), 0o700)
  await utimes(path.join(there, 'index.js'), 1, 1)
  await mkdir(path.join(there, 'empty'))
  assert.equal((await digestTree(there)).digest, (await digestTree(here)).digest)
})

for (const [what, act, expected] of [
  ['one byte of a file changes', (root) => writeFile(path.join(root, 'index.js'), 'export default 2'), ['changed index.js']],
  ['a file is added', (root) => writeFile(path.join(root, 'dist/extra.js'), ''), ['added dist/extra.js']],
  ['a hidden file is added', (root) => writeFile(path.join(root, '.index.js.swp'), ''), ['added .index.js.swp']],
  ['a file is removed', (root) => rm(path.join(root, 'dist/tools.js')), ['removed dist/tools.js']],
  [
    'a file is renamed',
    (root) => rename(path.join(root, 'dist/tools.js'), path.join(root, 'dist/tool.js')),
    ['added dist/tool.js', 'removed dist/tools.js'],
  ],
  ['a file becomes executable', (root) => chmod(path.join(root, 'index.js'), 0o755), ['mode index.js']],
  [
    'a file becomes a link to a file with the same content',
    async (root) => {
      await rename(path.join(root, 'index.js'), path.join(root, 'real.js'))
      await symlink('real.js', path.join(root, 'index.js'))
    },
    ['changed index.js', 'added real.js'],
  ],
  [
    'two files change places',
    async (root) => {
      await rename(path.join(root, 'dist/tools.js'), path.join(root, 'swap'))
      await rename(path.join(root, 'dist/bin.js'), path.join(root, 'dist/tools.js'))
      await rename(path.join(root, 'swap'), path.join(root, 'dist/bin.js'))
    },
    ['changed dist/bin.js', 'changed dist/tools.js'],
  ],
] as const satisfies readonly (readonly [string, (root: string) => Promise<unknown>, readonly string[]])[]) {
  test(`is another tree, and tells why, when ${what}`, posix, async () => {
    const root = await project(jiraFiles)
    const before = await digestTree(root)
    await act(root)
    const now = await digestTree(root)
    assert.notEqual(now.digest, before.digest)
    assert.deepEqual(changes(before, now), expected)
  })
}

test('finds no change in a tree that did not change', async () => {
  const root = await project(jiraFiles)
  const [before, now] = [await digestTree(root), await digestTree(root)]
  assert.equal(now.digest, before.digest)
  assert.deepEqual(changes(before, now), [])
})

test('tells a link to one file from a link to another', posix, async () => {
  const [one, two] = [await project(jiraFiles), await project(jiraFiles)]
  await symlink('dist/tools.js', path.join(one, 'current.js'))
  await symlink('dist/bin.js', path.join(two, 'current.js'))
  assert.notEqual((await digestTree(one)).digest, (await digestTree(two)).digest)
})

test('is the same whether a link inside the plugin is relative or absolute', posix, async () => {
  const [one, two] = [await project(jiraFiles), await project(jiraFiles)]
  await symlink('tools.js', path.join(one, 'dist/current.js'))
  await symlink(path.join(two, 'dist/tools.js'), path.join(two, 'dist/current.js'))
  assert.equal((await digestTree(one)).digest, (await digestTree(two)).digest)
})

test('does not count .git and what package managers keep in node_modules', async () => {
  const root = await project(jiraFiles)
  const more = await project({
    ...jiraFiles,
    '.git/HEAD': 'ref: refs/heads/main',
    'node_modules/.package-lock.json': '{}',
    'node_modules/.bin/tool': '#!/bin/sh',
    'node_modules/.cache/x': '',
  })
  assert.equal((await digestTree(more)).digest, (await digestTree(root)).digest)
})

test('takes a single file as a tree of that file', async () => {
  const root = await project({ 'clock.ts': 'export default 1', 'other.ts': '', 'package.json': { dependencies: { x: '1' } } })
  const { files, roots } = await digestTree(path.join(root, 'clock.ts'))
  assert.deepEqual(files, [{ package: '', path: 'clock.ts', mode: '100644', sha256: hash('sha256', 'export default 1') }])
  assert.deepEqual(roots, [{ package: '', folder: root }])
})

test('takes a plugin that is reached through a symbolic link', posix, async () => {
  const root = await project(jiraFiles)
  await symlink(root, path.join(base, 'door'))
  assert.equal((await digestTree(path.join(base, 'door'))).digest, (await digestTree(root)).digest)
})

for (const [what, target, problem] of [
  ['to /etc', '/etc', /leads out of the plugin/],
  ['to a file outside', '/etc/passwd', /leads out of the plugin/],
  ['to a folder beside the plugin', '..', /leads out of the plugin/],
  ['to nowhere', 'missing.js', /leads nowhere/],
  ['to itself', 'link', /leads in a circle/],
  ['to the plugin itself', '.', /leads in a circle/],
  ['to what is not counted', '.git/HEAD', /not pinned/],
] as const) {
  test(`refuses a link ${what}`, posix, async () => {
    const root = await project({ ...jiraFiles, '.git/HEAD': '' })
    await symlink(target, path.join(root, 'link'))
    await assert.rejects(digestTree(root), { code: 'PIN_SYMLINK', message: problem })
  })
}

test('refuses a link to a folder above itself', posix, async () => {
  const root = await project(jiraFiles)
  await symlink('../dist', path.join(root, 'dist/again'))
  await assert.rejects(digestTree(root), { code: 'PIN_SYMLINK', message: /"dist\/again" .* leads in a circle/ })
})

test('refuses a link that leaves the plugin by way of another link', posix, async () => {
  const root = await project(jiraFiles)
  await symlink('b', path.join(root, 'a'))
  await symlink('/etc', path.join(root, 'b'))
  await assert.rejects(digestTree(root), { code: 'PIN_SYMLINK', message: /leads out of the plugin/ })
})

test('refuses a node_modules that is a link out of the plugin', posix, async () => {
  const root = await project({ 'plugin/index.js': '', 'node_modules/x/package.json': '{}' })
  await symlink('../node_modules', path.join(root, 'plugin/node_modules'))
  await assert.rejects(digestTree(path.join(root, 'plugin')), { code: 'PIN_SYMLINK' })
})

test('refuses a named pipe, without waiting for its writer', posix, async () => {
  const root = await project(jiraFiles)
  execFileSync('mkfifo', [path.join(root, 'pipe')])
  await assert.rejects(digestTree(root), { code: 'PIN_SPECIAL_FILE', message: /"pipe"/ })
})

test('refuses a socket', posix, async () => {
  const root = await project(jiraFiles)
  const server = createServer().listen(path.join(root, 's'))
  await once(server, 'listening')
  await assert.rejects(digestTree(root), { code: 'PIN_SPECIAL_FILE', message: /"s"/ })
  server.close()
})

test('refuses a plugin that is not there', async () => {
  await assert.rejects(digestTree(path.join(base, 'missing')), { code: 'PIN_UNREADABLE', message: /ENOENT/ })
})

test('refuses a name that is not UTF-8', { skip: process.platform !== 'linux' }, async () => {
  const root = await project(jiraFiles)
  await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff])]), '')
  await assert.rejects(digestTree(root), { code: 'PIN_UNREADABLE', message: /not UTF-8/ })
})

test('stops when it is told to', async () => {
  const root = await project(jiraFiles)
  await assert.rejects(digestTree(root, AbortSignal.abort(new Error('enough'))), { message: 'enough' })
})

test('hashes a file larger than one chunk whole', async () => {
  const root = await project({ 'index.js': '' })
  const large = Buffer.alloc(1_000_003, 'abc')
  await writeFile(path.join(root, 'large.bin'), large)
  const { files } = await digestTree(root)
  assert.equal(files.find((file) => file.path === 'large.bin')?.sha256, hash('sha256', large))
})

const dependency = { 'package.json': { name: 'left', version: '1.0.0' }, 'index.js': 'left' }
const below = (folder: string, files: Readonly<Record<string, string | object>>) =>
  Object.fromEntries(Object.entries(files).map(([file, content]) => [`${folder}/${file}`, content]))
const plugin = { 'package.json': { name: 'p', dependencies: { left: '1' } }, 'index.js': '' }

test('counts a dependency that lies above the plugin', async () => {
  const root = await project({ ...below('node_modules/p', plugin), ...below('node_modules/left', dependency) })
  const before = await digestTree(path.join(root, 'node_modules/p'))
  assert.deepEqual(names(before), ['index.js', 'package.json', 'left@1.0.0/index.js', 'left@1.0.0/package.json'])
  await writeFile(path.join(root, 'node_modules/left/index.js'), 'changed')
  assert.deepEqual(changes(before, await digestTree(path.join(root, 'node_modules/p'))), ['changed left@1.0.0/index.js'])
})

test('counts dependencies of dependencies, optional ones, and peers that are installed', async () => {
  const root = await project({
    ...below('p', { 'package.json': { name: 'p', dependencies: { a: '1' }, optionalDependencies: { missing: '1' } } }),
    ...below('node_modules/a', { 'package.json': { name: 'a', version: '1.0.0', optionalDependencies: { b: '1' } } }),
    ...below('node_modules/b', { 'package.json': { name: 'b', version: '1.0.0', peerDependencies: { '@s/c': '1' } } }),
    ...below('node_modules/@s/c', { 'package.json': { name: '@s/c', version: '1.0.0', dependencies: { a: '1' } } }),
    ...below('node_modules/d', { 'package.json': { name: 'd', version: '1.0.0' } }),
  })
  const tree = await digestTree(path.join(root, 'p'))
  assert.deepEqual(names(tree), ['package.json', '@s/c@1.0.0/package.json', 'a@1.0.0/package.json', 'b@1.0.0/package.json'])
})

test('is the same whether a dependency lies inside the plugin or above it', async () => {
  const inside = await project({ ...below('p', plugin), ...below('p/node_modules/left', dependency) })
  const above = await project({ ...below('p', plugin), ...below('node_modules/left', dependency) })
  assert.equal((await digestTree(path.join(inside, 'p'))).digest, (await digestTree(path.join(above, 'p'))).digest)
})

test('counts a package inside the plugin that nothing declares, since its code can import it', async () => {
  const undeclared = { 'package.json': { name: 'extra', version: '3.0.0' } }
  const root = await project({ ...jiraFiles, ...below('src/node_modules/@x/extra', undeclared), 'node_modules/loose.js': '' })
  const found = names(await digestTree(root))
  assert.ok(found.includes('extra@3.0.0/package.json'))
  assert.ok(found.includes('node_modules/loose.js'))
})

test('takes the nearest copy of a dependency, as Node does', async () => {
  const other = { ...dependency, 'index.js': 'other' }
  const root = await project({
    ...below('a/p', plugin),
    ...below('a/node_modules/left', dependency),
    ...below('node_modules/left', other),
  })
  const { files } = await digestTree(path.join(root, 'a/p'))
  assert.deepEqual(
    files.filter((file) => file.package === 'left@1.0.0' && file.path === 'index.js').map((file) => file.sha256),
    [hash('sha256', 'left')],
  )
})

test('refuses a dependency in a node_modules of node_modules, where import looks and require does not', async () => {
  const inner = below('node_modules/node_modules/left', dependency)
  for (const outer of [{}, below('node_modules/left', dependency)]) {
    const root = await project({ ...below('node_modules/p', plugin), ...inner, ...outer })
    await assert.rejects(digestTree(path.join(root, 'node_modules/p')), {
      code: 'PIN_UNREADABLE',
      message: /import finds this package in a node_modules within node_modules, and require another one/,
    })
  }
})

test('keeps two packages apart that call themselves the same and are not', async () => {
  const root = await project({
    'package.json': { name: 'p', dependencies: { left: '1', a: '1' } },
    ...below('node_modules/left', dependency),
    ...below('node_modules/a', { 'package.json': { name: 'a', version: '1.0.0', dependencies: { left: '1' } } }),
    ...below('node_modules/a/node_modules/left', { ...dependency, 'index.js': 'other' }),
  })
  const before = await digestTree(root)
  assert.equal(before.files.filter((file) => file.path === 'index.js').length, 2)
  await rename(path.join(root, 'node_modules/left'), path.join(root, 'swap'))
  await rename(path.join(root, 'node_modules/a/node_modules/left'), path.join(root, 'node_modules/left'))
  await rename(path.join(root, 'swap'), path.join(root, 'node_modules/a/node_modules/left'))
  assert.notEqual((await digestTree(root)).digest, before.digest)
})

test('does not count the packages that the host provides', async () => {
  const declares = {
    'package.json': { name: 'p', dependencies: { typebox: '1' }, peerDependencies: { '@mcp-patchbay/plugin-api': '0' } },
  }
  const root = await project({
    ...below('p', declares),
    ...below('node_modules/typebox', dependency),
    ...below('node_modules/@mcp-patchbay/plugin-api', dependency),
  })
  assert.deepEqual(names(await digestTree(path.join(root, 'p'))), ['package.json'])
})

test('follows the links with which pnpm builds node_modules, and gives the tree that npm gives', posix, async () => {
  const withDeep = { 'package.json': { name: 'left', version: '1.0.0', dependencies: { deep: '1' } }, 'index.js': 'left' }
  const deep = { 'package.json': { name: 'deep', version: '1.0.0' } }
  const npm = await project({ ...plugin, ...below('node_modules/left', withDeep), ...below('node_modules/deep', deep) })
  const store = 'node_modules/.pnpm'
  const pnpm = await project({
    ...plugin,
    ...below(`${store}/left@1.0.0/node_modules/left`, withDeep),
    ...below(`${store}/deep@1.0.0/node_modules/deep`, deep),
  })
  await symlink('.pnpm/left@1.0.0/node_modules/left', path.join(pnpm, 'node_modules/left'))
  await symlink('../../deep@1.0.0/node_modules/deep', path.join(pnpm, store, 'left@1.0.0/node_modules/deep'))
  assert.equal((await digestTree(pnpm)).digest, (await digestTree(npm)).digest)
})

test('refuses a link in node_modules that package.json does not declare', posix, async () => {
  const root = await project({ ...jiraFiles, 'node_modules/x/package.json': '{}' })
  await symlink('/etc', path.join(root, 'node_modules/evil'))
  await assert.rejects(digestTree(root), { code: 'PIN_SYMLINK', message: /"node_modules\/evil" .* does not declare/ })
})

test('refuses a declared dependency that is a link to a folder which is no package', posix, async () => {
  const root = await project({ ...plugin, 'node_modules/x/package.json': '{}' })
  await symlink('/etc', path.join(root, 'node_modules/left'))
  await assert.rejects(digestTree(root), { code: 'PIN_UNREADABLE', message: /package\.json/ })
})

for (const name of ['../../etc', '/etc', '.bin', 'a/b', '@a', 'a\\b', '']) {
  test(`refuses a dependency named ${JSON.stringify(name)}`, async () => {
    const root = await project({ 'package.json': { dependencies: { [name]: '1' } } })
    await assert.rejects(digestTree(root), { code: 'PIN_UNREADABLE', message: /no name of a package/ })
  })
}

test('refuses a package.json that is none', async () => {
  await assert.rejects(digestTree(await project({ 'package.json': '{ "name": ' })), {
    code: 'PIN_UNREADABLE',
    message: /no JSON object/,
  })
})

test('tells a loader which digest each file on disk must have', async () => {
  const root = await project({ ...below('p', plugin), ...below('node_modules/left', dependency), 'outside.js': '' })
  const files = filesByLocation(await digestTree(path.join(root, 'p')))
  assert.equal(files.get(path.join(root, 'node_modules/left/index.js'))?.sha256, hash('sha256', 'left'))
  assert.equal(files.get(path.join(root, 'p/index.js'))?.path, 'index.js')
  assert.equal(files.has(path.join(root, 'outside.js')), false)
})

const uses = (name: string) => ({ 'package.json': { name, version: '1.0.0', dependencies: { left: '1' } } })

test('gives every copy of a package that lies in two places', async () => {
  const root = await project({
    'package.json': { name: 'p', dependencies: { a: '1', b: '1' } },
    ...below('node_modules/a', uses('a')),
    ...below('node_modules/b', uses('b')),
    ...below('node_modules/a/node_modules/left', dependency),
    ...below('node_modules/b/node_modules/left', dependency),
  })
  const tree = await digestTree(root)
  assert.equal(tree.files.filter((file) => file.package === 'left@1.0.0').length, 2)
  assert.ok(filesByLocation(tree).has(path.join(root, 'node_modules/a/node_modules/left/index.js')))
  assert.ok(filesByLocation(tree).has(path.join(root, 'node_modules/b/node_modules/left/index.js')))
})
