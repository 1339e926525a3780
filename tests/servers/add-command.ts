import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { after, describe, test } from 'node:test'
import { stateOf } from '../fixtures/projects/folder-state.ts'
import { npmRegistry } from '../fixtures/projects/npm-registry.ts'
import { pinnedProject, type PinnedProject } from '../fixtures/projects/pinned-project.ts'
import { authoredServer } from '../fixtures/servers/authored-server.ts'

const name = '@acme/mcp-files'
const registry = await npmRegistry()
const files = authoredServer(name)
registry.publish({ name, version: '2.3.0', tarball: files.release('2.3.0'), publishedAt: undefined })
registry.publish({ name, version: '2.4.0', tarball: files.release('2.4.0'), publishedAt: undefined })
after(async () => {
  files[Symbol.dispose]()
  await registry[Symbol.asyncDispose]()
})

const use = `mcp:npm:${name}`
const empty = () => pinnedProject({ '.npmrc': registry.npmrc, 'data/a.txt': 'a' }, { plugins: [] })
const pluginsIn = (project: PinnedProject) =>
  (JSON.parse(readFileSync(project.path('mcp.config.json'), 'utf8')) as { plugins: object[] }).plugins
const lockedIn = (project: PinnedProject) =>
  (
    JSON.parse(readFileSync(project.path('mcp.lock.json'), 'utf8')) as {
      deployments: { default: { plugins: Record<string, unknown> } }
    }
  ).deployments.default.plugins

async function ran(project: PinnedProject, args: readonly string[], env = {}) {
  const finished = await project.patchbay(args, env)
  assert.equal(finished.code, 0, finished.stderr)
  return finished
}

async function refused(project: PinnedProject, args: readonly string[], says: RegExp, code = 1): Promise<void> {
  const before = stateOf(project.root)
  const finished = await project.patchbay(args)
  assert.equal(finished.code, code, finished.stderr)
  assert.match(finished.stderr, says)
  assert.deepEqual(stateOf(project.root), before)
}

describe('an MCP server of npm', () => {
  test('is added as it was started once, updated, approved when its bytes change, and removed', async () => {
    using project = empty()
    const added = await ran(project, [
      'add',
      `${use}@2.3.0`,
      '--env',
      'GREETING=hello',
      '--write',
      './data',
      '--yes',
      '--',
      '--verbose',
    ])
    assert.match(added.stderr, /^files\n {2}mcp:npm:@acme\/mcp-files 2\.3\.0 sha512-/m)
    assert.match(added.stderr, /\n {2}tool version_get \(read\): Says its version\. sha256-/)
    assert.match(added.stderr, /\n {2}tool file_write \(write\): Writes a file\. sha256-/)
    assert.match(added.stderr, /\n {2}can use: writes \.\/data\n/)
    assert.deepEqual(pluginsIn(project), [
      {
        use,
        version: '2.3.0',
        as: 'files',
        args: ['--verbose'],
        env: { GREETING: 'hello' },
        capabilities: { fs: { write: ['./data'] } },
      },
    ])
    assert.equal((await ran(project, ['call', 'files_version_get'])).stdout, '2.3.0 hello\n')
    assert.match((await ran(project, ['diff'])).stdout, /Everything is what mcp\.lock\.json says/)

    const { stderr, stdout } = await ran(project, ['update', 'files', '--yes'])
    assert.match(stderr, /files\n {2}~ version: 2\.3\.0 -> 2\.4\.0/)
    assert.equal(stdout, 'Updated files to 2.4.0\n')
    assert.deepEqual(
      Object.keys((JSON.parse(readFileSync(project.path('mcp.servers.lock.json'), 'utf8')) as { servers: object }).servers),
      [`${name}@2.4.0`],
    )
    assert.ok(existsSync(project.path(`.patchbay/servers/${name}@2.3.0`)), 'a host may still run it')
    assert.equal((await ran(project, ['call', 'files_version_get'])).stdout, '2.4.0 hello\n')
    assert.equal((await ran(project, ['update', 'files', '--yes'])).stdout, 'files is at 2.4.0 already\n')

    const server = `.patchbay/servers/${name}@2.4.0/node_modules/${name}/server.js`
    project.write(server, `${readFileSync(project.path(server), 'utf8')}\n// changed\n`)
    const diff = await project.patchbay(['diff'])
    assert.equal(diff.code, 1)
    assert.match(diff.stdout, /~ tree: [^]*~ @acme\/mcp-files@2\.4\.0\/server\.js/)
    const listed = JSON.parse((await ran(project, ['list', '--json'])).stdout) as {
      plugins: { state: string; pinned: string; reason: { code: string } }[]
    }
    assert.deepEqual(
      listed.plugins.map(({ state, pinned, reason }) => [state, pinned, reason.code]),
      [['failed', 'changed', 'PIN_INTEGRITY']],
      'changed bytes are not started',
    )
    await ran(project, ['approve', 'files'])
    assert.match((await ran(project, ['lock', '--check'])).stdout, /Everything is what/)

    await ran(project, ['remove', 'files', '--json'])
    assert.deepEqual([pluginsIn(project), lockedIn(project)], [[], {}])
    assert.equal(existsSync(project.path('mcp.servers.lock.json')), false)
    assert.equal(existsSync(project.path(`.patchbay/servers/${name}@2.4.0`)), false)
  })

  test('that does not start, or is refused, changes nothing', async () => {
    using project = empty()
    await refused(project, ['add', `${use}@2.3.0`, '--env', 'ACME_TOKEN', '--yes'], /FILES_ACME_TOKEN is not set/)
    await refused(project, ['add', `${use}@2.3.0`], /asks before it changes anything/)
    await refused(
      project,
      ['add', `${use}@2.3.0`, '--env', 'NODE_OPTIONS=--inspect', '--yes'],
      /would change what the server is allowed/,
    )
    await refused(project, ['add', `${use}@9.9.9`, '--yes'], /9\.9\.9/)
    await refused(project, ['add', 'mcp:ftp://x', '--yes'], /is not a kind of MCP server/)
    await refused(project, ['add', 'mcp:exec', '--yes'], /the command is missing/)
    await refused(project, ['add', './data', '--read', './data', '--yes'], /"?--read"? is for MCP servers/, 2)
    await ran(project, ['add', `${use}@2.3.0`, '--yes'])
    await refused(project, ['add', `${use}@2.4.0`, '--yes'], /already uses the name "files"/)
    await refused(project, ['update', 'files', 'tavily-mcp', '--yes'], /this server is @acme\/mcp-files/)
  })
})

test('a command is added with the words behind --, as unconfined, and has no releases', async () => {
  using project = empty()
  files.release('1.0.0')
  const command = [process.execPath, files.path('server.js')]
  const { stdout } = await ran(project, ['add', 'mcp:exec', '--as', 'local', '--yes', '--json', '--', ...command])
  const { entry } = JSON.parse(stdout) as { entry: object }
  assert.deepEqual(entry, { use: 'mcp:exec', as: 'local', command: [command[0]], args: command.slice(1) })
  const { plugins } = JSON.parse((await ran(project, ['list', '--json'])).stdout) as {
    plugins: { isolation: string; pinned: string }[]
  }
  assert.deepEqual(
    plugins.map(({ isolation, pinned }) => [isolation, pinned]),
    [['unconfined', 'pinned']],
  )
  await refused(project, ['update', 'local', '--yes'], /only a server from npm has releases/)
})
