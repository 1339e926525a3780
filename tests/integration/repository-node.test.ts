import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')

/** A Node that is too old, where the machine of the test has one. */
const oldNode = ['/usr/local/bin/node', '/usr/bin/node'].find((path) => {
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
  return /^v(?:20|22)\./.test(stdout ?? '')
})

test('started by its path with a Node that is too old, the command goes on with that of the project', { skip: !oldNode }, () => {
  const command = join(root, 'node_modules/.bin/mcp-patchbay')
  const run = (...args: string[]) =>
    spawnSync(oldNode ?? '', [command, ...args], { cwd: '/', encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } })
  assert.equal(run('--version').stdout, '0.1.0\n')
  const missing = run('list', '--config', '/nothing/mcp.config.ts')
  assert.equal(missing.status, 78)
  assert.match(missing.stderr, /npx mcp-patchbay init/)
})

const platform = `node_modules/node-${process.platform}-${process.arch}/bin/node`

test('where the pinned Node lacks libatomic, the install says what to install', { skip: process.platform !== 'linux' }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'repository-node-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: { prepare: string } }
  for (const path of [platform, 'node_modules/.bin/node', 'scripts/x'])
    mkdirSync(dirname(join(folder, path)), { recursive: true })
  copyFileSync(join(root, 'scripts/use-pinned-node.mjs'), join(folder, 'scripts/use-pinned-node.mjs'))
  writeFileSync(join(folder, 'scripts/bundle.mjs'), '')
  const missing = 'error while loading shared libraries: libatomic.so.1: cannot open shared object file'
  writeFileSync(join(folder, platform), `#!/bin/sh\necho "node: ${missing}" >&2\nexit 127\n`)
  chmodSync(join(folder, platform), 0o755)
  // As npm 11 leaves it before `prepare`: the script itself is run by the binary that does not start.
  const link = join(folder, 'node_modules/.bin/node')
  symlinkSync(join(folder, platform), link)
  const { stderr } = spawnSync('sh', ['-c', scripts.prepare], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: `${dirname(link)}:${dirname(process.execPath)}:/usr/bin:/bin`, npm_node_execpath: process.execPath },
  })
  assert.match(stderr, /To fix: apt-get install -y libatomic1 && npm ci\n$/)
  assert.equal(lstatSync(link, { throwIfNoEntry: false }), undefined, 'the next command finds another Node')
})
