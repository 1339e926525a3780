import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { HostError } from '../../../host/src/errors.ts'
import { resolveInstalledServer, serverFolder } from '../../../host/src/plugin/mcp-server/install/installed-server.ts'
import { installServer, uninstallServer } from '../../../host/src/project/servers/install-server.ts'
import { npmRegistry } from '../../fixtures/projects/npm-registry.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'
import { authoredServer } from '../../fixtures/servers/authored-server.ts'

const name = '@acme/mcp-files'
const library = 'acme-library'

const registry = await npmRegistry()
using files = authoredServer(name)
using dependency = authoredServer(library)
registry.publish({ name: library, version: '1.0.0', tarball: dependency.release('1.0.0'), publishedAt: undefined })
const dependencies = { [library]: '^1.0.0' }
const tarball = files.release('2.3.1', { dependencies, scripts: { postinstall: 'touch ran' } })
registry.publish({ name, version: '2.3.1', tarball, publishedAt: undefined, dependencies })

const env = process.env
const release = (root: string) => ({ name, version: '2.3.1', root })
const project = () => sourceTree({ '.npmrc': registry.npmrc, 'node_modules/acme-library/package.json': '{}' })
/** Installed once, for what does not need another one. */
const tree = project()
const packages = await installServer({ ...release(tree.root), env, locked: undefined })
after(async () => {
  tree[Symbol.dispose]()
  await registry[Symbol.asyncDispose]()
})

describe('a server from npm', () => {
  test('gets a tree of its own, exactly and without scripts, and the project is not touched', async () => {
    assert.deepEqual(Object.keys(packages), [`node_modules/${name}`, `node_modules/${library}`])
    const server = await resolveInstalledServer(release(tree.root))
    assert.equal(server.folder, serverFolder(release(tree.root)))
    assert.equal(server.entryFile, join(server.folder, 'node_modules', name, 'server.js'))
    assert.match(server.integrity ?? '', /^sha512-/)
    assert.deepEqual(
      [...new Set(server.tree.files.map((file) => file.package))],
      ['', '@acme/mcp-files@2.3.1', 'acme-library@1.0.0'],
    )
    assert.equal(existsSync(join(server.folder, 'node_modules', name, 'ran')), false)
    assert.deepEqual(readdirSync(tree.path('node_modules')), [library])
    assert.equal(existsSync(tree.path('package.json')), false)
    assert.deepEqual(
      readdirSync(server.folder).filter((file) => file !== 'node_modules'),
      ['package.json'],
      'what npm was told with, and a token in .npmrc, is gone',
    )
  })

  test('is the same tree on another machine, although the registry has newer packages by then', async () => {
    const first = await resolveInstalledServer(release(tree.root))
    registry.publish({ name: library, version: '1.1.0', tarball: dependency.release('1.1.0'), publishedAt: undefined })
    using there = project()
    await installServer({ ...release(there.root), env, locked: packages })
    const second = await resolveInstalledServer(release(there.root))
    assert.equal(second.treeDigest, first.treeDigest)
    await uninstallServer(release(there.root))
    assert.deepEqual(readdirSync(there.path('.patchbay/servers')), [])
    await installServer({ ...release(there.root), env, locked: undefined })
    assert.notEqual((await resolveInstalledServer(release(there.root))).treeDigest, first.treeDigest)
  })

  test('that is not there, not whole, or has other bytes is told by its cause', async () => {
    const refused = async (code: string, says: RegExp) =>
      assert.rejects(resolveInstalledServer(release(tree.root)), (error) => {
        assert.ok(error instanceof HostError)
        assert.equal(error.code, code)
        assert.match(error.message, says)
        return true
      })
    const { folder, treeDigest } = await resolveInstalledServer(release(tree.root))
    const own = join('.patchbay/servers', `${name}@2.3.1`, 'node_modules')
    tree.write(join(own, 'planted/index.js'), '// no package declares it')
    assert.notEqual((await resolveInstalledServer(release(tree.root))).treeDigest, treeDigest)
    const manifest = JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')) as object
    const say = (more: object) => tree.write(join(own, name, 'package.json'), JSON.stringify({ ...manifest, ...more }))
    say({ version: '9.9.9' })
    await refused('SERVER_NOT_INSTALLED', /holds version "9\.9\.9"/)
    tree.write(join(own, name, 'run.sh'), '#!/bin/sh\n')
    tree.write(join(own, name, 'run'), '#!/usr/bin/env node\n')
    const commands: readonly (readonly [bin: unknown, says: RegExp])[] = [
      [undefined, /names no command/],
      ['./gone.js', /does not exist/],
      ['../../acme-library/server.js', /leads out of the package/],
      ['./run.sh', /is not a JavaScript file/],
      [{ one: './server.js', two: './run' }, /none is called mcp-files: one, two/],
    ]
    for (const [bin, says] of commands) {
      say({ bin })
      await refused('SERVER_COMMAND', says)
    }
    for (const bin of ['./run', { other: './run' }, { 'mcp-files': './run', two: './server.js' }, { a: './run', b: './run' }]) {
      say({ bin })
      assert.match((await resolveInstalledServer(release(tree.root))).entryFile, /\/run$/)
    }
    tree.remove(join(own, name))
    await refused('SERVER_NOT_INSTALLED', /does not hold the package/)
    tree.remove('.patchbay')
    await refused('SERVER_NOT_INSTALLED', /the folder does not exist/)
  })

  test('that npm cannot install leaves nothing', async () => {
    const install = installServer({ ...release(tree.root), version: '9.9.9', env, locked: undefined })
    await assert.rejects(install, { code: 'INSTALL_NPM', message: /9\.9\.9/ })
    assert.deepEqual(readdirSync(tree.path('.patchbay/servers')), [])
  })
})
