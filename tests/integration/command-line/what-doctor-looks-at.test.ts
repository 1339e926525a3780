import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import type { HostConfig } from '../../../host/src/config/schema/schema.ts'
import { approvedFile } from '../../../host/src/pin/verdict/approved.ts'
import { callerFindings } from '../../../host/src/project/doctor/caller-findings.ts'
import { fileFindings, lockFindings } from '../../../host/src/project/doctor/file-findings.ts'
import { installedFindings } from '../../../host/src/project/doctor/installed-findings.ts'
import { repositoryFindings } from '../../../host/src/project/doctor/repository-findings.ts'
import { openProject, type Project } from '../../../host/src/project/open-project.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'
import { pinnedProject, pluginSource } from '../../fixtures/projects/pinned-project.ts'

const problems = (findings: readonly { readonly problem: string }[]) => findings.map(({ problem }) => problem)
/** A project in `configDir` whose config is this. */
const projectOf = (configDir: string, config: HostConfig = {}, env: Readonly<Record<string, string>> = {}) =>
  ({
    configDir,
    lockFile: `${configDir}/mcp.lock.json`,
    settings: { config: resolveConfig(config), env, file: `${configDir}/mcp.config.json` },
  }) as Project

describe('doctor finds', () => {
  test('callers that need no key, keys that do not exist, and an admin API without its token', () => {
    using tree = sourceTree({ 'mcp.keys.json': '{ "keys": [{}] }' })
    const open = { inbound: { dangerouslyAllowUnauthenticated: true } }
    const admin = { management: { admin: { tokenVariable: 'ADMIN' } } }
    const table: readonly (readonly [config: HostConfig, env: Readonly<Record<string, string>>, found: readonly string[]])[] = [
      [{}, {}, []],
      [{ auth: open, listen: { http: {} } }, {}, []],
      [{ auth: open, listen: { http: { host: '0.0.0.0', port: 1 } } }, {}, ['Whoever reaches 0.0.0.0:1 is the operator']],
      [{ auth: { inbound: { mode: 'apiKey' } } }, {}, []],
      [
        { auth: { inbound: { mode: 'apiKey', keysFile: 'none.json' } } },
        {},
        ['There is no API key: every call over HTTP is refused'],
      ],
      [{ listen: admin }, {}, ['ADMIN is not set']],
      [{ listen: admin }, { ADMIN: 'x' }, []],
      [{ listen: admin }, { ADMIN_FILE: 'x' }, []],
    ]
    for (const [config, env, found] of table)
      assert.deepEqual(problems(callerFindings(projectOf(tree.root, config, env))), found, JSON.stringify(config))
  })

  test('secrets that git has, and a lock that it ignores', async () => {
    using tree = sourceTree({ '.env': 'A=1', 'mcp.keys.json': '{}', 'mcp.lock.json': '{}' })
    const project = projectOf(tree.root)
    const git = (...args: readonly string[]) => execFileSync('git', ['-C', tree.root, ...args], { stdio: 'ignore' })
    assert.deepEqual(await repositoryFindings(project), [])
    git('init')
    assert.deepEqual(await repositoryFindings(project), [])
    git('add', '.env')
    tree.write('.gitignore', 'mcp.lock.json\n')
    assert.deepEqual(problems(await repositoryFindings(project)), [
      `git has ${tree.path('.env')}`,
      `git ignores ${tree.path('mcp.lock.json')}`,
    ])
  })

  test('a .env that others may read, unless a folder above it is closed to them', { skip: process.platform === 'win32' }, () => {
    using tree = sourceTree({ 'project/.env': 'A=1' })
    const found = () => problems(fileFindings(projectOf(tree.path('project'), { pluginDirs: [] })))
    chmodSync(tree.path('project/.env'), 0o644)
    assert.deepEqual(found(), [])
    chmodSync(tree.root, 0o755)
    assert.deepEqual(found(), [`Other users of this machine can read ${tree.path('project/.env')}`])
    chmodSync(tree.path('project/.env'), 0o600)
    assert.deepEqual(found(), [])
  })

  test('another host than that of the project, and a Node that lacks a library', { skip: process.platform === 'win32' }, () => {
    using tree = sourceTree({ 'package.json': '{}' })
    const host = { version: '1.2.3', dependencies: { '@mcp-patchbay/plugin-api': '1.2.3' } }
    const install = (name: string, version: string) =>
      tree.write(`node_modules/${name}/package.json`, JSON.stringify({ name, version }))
    assert.deepEqual(installedFindings(tree.root, host), [])
    install('mcp-patchbay', '1.2.3')
    install('@mcp-patchbay/plugin-api', '1.2.3')
    assert.deepEqual(installedFindings(tree.root, host), [])
    install('@mcp-patchbay/plugin-api', '1.1.0')
    const message =
      'node: error while loading shared libraries: libatomic.so.1: cannot open shared object file: No such file or directory'
    chmodSync(tree.write('node_modules/.bin/node', `#!/bin/sh\necho '${message}' >&2\nexit 127\n`), 0o755)
    const found = installedFindings(tree.root, host)
    assert.deepEqual(problems(found), [
      'The project has @mcp-patchbay/plugin-api 1.1.0, and the host that runs here wants 1.2.3',
      `The Node of the project does not start: ${tree.path('node_modules/.bin/node')}`,
    ])
    assert.equal(found[1]?.cause, 'the machine has no libatomic.so.1')
    assert.match(found[1]?.fix[0] ?? '', /^apt-get install libatomic1/)
  })

  test('approved texts of another approval, and plugins from npm that production does not compare', async () => {
    using project = pinnedProject({ 'plugins/notes/index.js': pluginSource() })
    await project.lock()
    const opened = await openProject({ config: project.path('mcp.config.json') })
    assert.deepEqual(await lockFindings(opened), [])
    const file = approvedFile({ ...opened, name: 'notes' })
    const kept = JSON.parse(readFileSync(file, 'utf8')) as { files: unknown[] }
    writeFileSync(file, JSON.stringify({ ...kept, files: kept.files.slice(1) }))
    assert.match(
      problems(await lockFindings(opened)).join(),
      /^.*notes\.json is of another approval of notes than mcp\.lock\.json$/,
    )
    const { settings } = opened
    const inProduction = {
      ...settings,
      env: { NODE_ENV: 'production' },
      config: { ...settings.config, plugins: resolveConfig({ plugins: ['@acme/a'] }).plugins },
    }
    assert.ok(
      problems(await lockFindings({ ...opened, settings: inProduction })).some((problem) =>
        problem.startsWith('In production, plugins from npm run'),
      ),
    )
  })
})
