import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { test } from 'node:test'
import { Secret, Type } from '@mcp-patchbay/plugin-api'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import type { HostConfig } from '../../../host/src/config/schema/schema.ts'
import type { Project } from '../../../host/src/project/open-project.ts'
import { callerFindings } from '../../../host/src/project/doctor/caller-findings.ts'
import { fileFindings } from '../../../host/src/project/doctor/file-findings.ts'
import { installedFindings } from '../../../host/src/project/doctor/installed-findings.ts'
import { nodeFindings } from '../../../host/src/project/doctor/machine-findings.ts'
import { pluginFindings } from '../../../host/src/project/doctor/plugin-findings.ts'
import { releaseFindings } from '../../../host/src/project/doctor/release-findings.ts'
import { repositoryFindings } from '../../../host/src/project/doctor/repository-findings.ts'
import type { Host } from '../../../host/src/types.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

const isWindows = process.platform === 'win32'
const problems = (findings: readonly { readonly problem: string }[]) => findings.map(({ problem }) => problem)
const projectOf = (configDir: string, config: HostConfig = {}, env: Readonly<Record<string, string>> = {}) =>
  ({
    configDir,
    deployment: 'default',
    lockFile: `${configDir}/mcp.lock.json`,
    settings: { config: resolveConfig(config), given: config, env, file: `${configDir}/mcp.config.json` },
  }) as Project

test('who may call that should not, and who may not that should, each with cause and steps', () => {
  using tree = sourceTree({
    'broken.json': '{',
    'none.json': '{"keys":[]}',
    'other.json': '{"keys":"a"}',
    'full.json': '{"keys":[{}]}',
  })
  const inbound = (of: object): HostConfig => ({ auth: { inbound: of } })
  const open = { dangerouslyAllowUnauthenticated: true }
  const everybody = {
    about: 'config',
    problem: 'Whoever reaches 0.0.0.0:1 is the operator',
    cause: 'auth.inbound.dangerouslyAllowUnauthenticated is true, and no caller is asked for a key',
    fix: ['Set auth.inbound.mode to apiKey or oauth', 'Or listen on 127.0.0.1'],
  }
  const noKey = (file: string) => ({
    about: 'config',
    problem: 'There is no API key: every call over HTTP is refused',
    cause: `auth.inbound.mode is apiKey, and ${tree.path(file)} has no key`,
    fix: ['npx mcp-patchbay keys create --id me'],
  })
  const noToken = {
    about: 'config',
    problem: 'ADMIN is not set',
    cause: 'listen.management.admin wants the token of the admin API there, and the host does not start without it',
    fix: ['Set ADMIN to 32 random characters or more, or take listen.management.admin out of the config'],
  }
  const http = { host: '0.0.0.0', port: 1 }
  const admin = { management: { admin: { tokenVariable: 'ADMIN' } } }
  const key = { id: 'a', hash: 'b'.repeat(64), scopes: [] }
  const table: readonly (readonly [HostConfig, Readonly<Record<string, string>>, readonly object[]])[] = [
    [{ ...inbound(open), listen: { http } }, {}, [everybody]],
    [{ ...inbound({ ...open, mode: 'apiKey', keysFile: 'full.json' }), listen: { http } }, {}, []],
    [{ ...inbound({}), listen: { http } }, {}, []],
    [{ ...inbound(open), listen: { http: { ...http, host: '127.0.0.9' } } }, {}, []],
    [{ ...inbound(open), listen: {} }, {}, []],
    [inbound({ mode: 'apiKey', keysFile: 'full.json' }), {}, []],
    ...['none.json', 'broken.json', 'other.json', 'absent.json'].map(
      (file) => [inbound({ mode: 'apiKey', keysFile: file }), {}, [noKey(file)]] as const,
    ),
    [inbound({ mode: 'apiKey', keysFile: 'none.json', keys: [key] }), {}, []],
    [inbound({ keysFile: 'none.json' }), {}, []],
    [{ listen: admin }, {}, [noToken]],
    [{ listen: admin }, { ADMIN: '' }, [noToken]],
    [{ listen: admin }, { OTHER: 'x' }, [noToken]],
    [{ listen: admin }, { ADMIN: 'x' }, []],
    [{ listen: admin }, { ADMIN_FILE: 'x' }, []],
    [{ ...inbound(open), listen: { http, ...admin } }, {}, [everybody, noToken]],
  ]
  for (const [config, env, found] of table)
    assert.deepEqual(callerFindings(projectOf(tree.root, config, env)), found, JSON.stringify([config, env]))
})

test(
  'a file that decides what runs is for its owner to write, and one with secrets for its owner to read',
  { skip: isWindows },
  () => {
    const decisive = ['mcp.config.json', 'mcp.lock.json', 'mcp.keys.json', '.env', '.patchbay/x']
    using tree = sourceTree(Object.fromEntries([...decisive, 'other.json'].map((name) => [name, '{}'])))
    chmodSync(tree.root, 0o755)
    const found = () => fileFindings(projectOf(tree.root, { pluginDirs: [] }))
    const secret = new Map([
      ['mcp.keys.json', 'it holds the digests and scopes of API keys'],
      ['.env', 'it holds secrets'],
    ])
    const readable = (name: string) => ({
      about: 'file',
      problem: `Other users of this machine can read ${tree.path(name)}`,
      cause: secret.get(name),
      fix: [`chmod 600 ${tree.path(name)}`],
    })
    const closeAll = () => {
      for (const name of [...decisive, 'other.json']) chmodSync(tree.path(name), 0o600)
      chmodSync(tree.path('.patchbay'), 0o700)
    }
    closeAll()
    assert.deepEqual(found(), [])
    for (const name of ['mcp.config.json', 'mcp.lock.json', 'mcp.keys.json', '.env', '.patchbay']) {
      chmodSync(tree.path(name), 0o702)
      assert.deepEqual(
        found(),
        [
          {
            about: 'file',
            problem: `Any user of this machine can write to ${tree.path(name)}`,
            cause: 'this file decides which code runs, or who may call',
            fix: [`chmod o-w ${tree.path(name)}`],
          },
        ],
        name,
      )
      chmodSync(tree.path(name), 0o720)
      assert.deepEqual(found(), [], `the group may write ${name}`)
      for (const mode of [0o740, 0o704]) {
        chmodSync(tree.path(name), mode)
        assert.deepEqual(found(), secret.has(name) ? [readable(name)] : [], name)
      }
      closeAll()
    }
    chmodSync(tree.path('other.json'), 0o666)
    assert.deepEqual(found(), [])
    rmSync(tree.path('.env'))
    assert.deepEqual(found(), [])
  },
)

test('a folder of pluginDirs that has nothing to load is named, with what to do', () => {
  using tree = sourceTree({
    'full/notes/index.ts': '',
    'file/a.ts': '',
    'text/README.md': '',
    'text/notes.TXT': '',
    'text/.gitkeep': '',
    'text/node_modules/x.js': '',
  })
  mkdirSync(tree.path('empty'))
  const finding = (folder: string, what: string, step: string) => ({
    about: 'config',
    problem: `pluginDirs names ${tree.path(folder)}, which ${what}`,
    cause: 'no plugin is loaded from there',
    fix: [step, 'Or take it out of pluginDirs'],
  })
  const make = 'Make a plugin there: npx mcp-patchbay create-plugin my_plugin'
  for (const [folder, found] of [
    ['full', []],
    ['file', []],
    ['empty', [finding('empty', 'is empty', make)]],
    ['text', [finding('text', 'is empty', make)]],
    ['none', [finding('none', 'does not exist', `mkdir -p ${tree.path('none')}`)]],
  ] as const)
    assert.deepEqual(fileFindings(projectOf(tree.root, { pluginDirs: [`./${folder}`] })), found, folder)
})

test('secrets that git has are named one by one, and a lock that it ignores', async () => {
  using tree = sourceTree({ '.env': 'A=1', 'keys.json': '{}', 'mcp.lock.json': '{}', '.gitignore': '' })
  const git = (...args: readonly string[]) => execFileSync('git', ['-C', tree.root, ...args], { stdio: 'ignore' })
  const project = projectOf(tree.root, { auth: { inbound: { keysFile: 'keys.json' } } })
  const tracked = (name: string) => ({
    about: 'file',
    problem: `git has ${tree.path(name)}`,
    cause: 'everyone who has a copy of the repository can read it',
    fix: [
      `git rm --cached ${tree.path(name)}, and add ${name} to .gitignore`,
      'Make new secrets: the old ones stay in the history',
    ],
  })
  git('init')
  git('add', 'keys.json')
  assert.deepEqual(await repositoryFindings(project), [tracked('keys.json')])
  git('add', '.env')
  assert.deepEqual(await repositoryFindings(project), [tracked('.env'), tracked('keys.json')])
  git('rm', '--cached', '.env', 'keys.json')
  tree.write('.gitignore', 'mcp.lock.json\n.env\n')
  assert.deepEqual(await repositoryFindings(project), [
    {
      about: 'lock',
      problem: `git ignores ${tree.path('mcp.lock.json')}`,
      cause: 'what was reviewed does not reach the machine that runs it',
      fix: ['Take it out of .gitignore, and commit it'],
    },
  ])
  rmSync(tree.path('mcp.lock.json'))
  assert.deepEqual(await repositoryFindings(project), [])
})

const hostOf = (listed: object, plugins: readonly object[] = []): Host =>
  ({ list: () => ({ plugins: [], warnings: [], ignored: [], ...listed }), snapshot: { plugins } }) as never

test('what the host says of its plugins, its rules and its folders is a finding, with its own steps', () => {
  const reason = { message: 'broken', fix: ['fix it'] }
  const reloadError = { message: 'newer is broken', fix: ['fix that'] }
  assert.deepEqual(
    pluginFindings(
      hostOf({
        plugins: [
          { name: 'a', state: 'active', reason: null, reloadError: null },
          { name: 'b', state: 'failed', reason, reloadError },
          { name: 'c', state: 'active', reason: null, reloadError },
          { name: 'd', state: 'failed', reason: null, reloadError: null },
          { name: 'e', state: 'notReady', reason, reloadError: null },
          { name: 'f', state: 'disabled', reason: null, reloadError: null },
        ],
        warnings: ['tools.allow names nothing'],
        ignored: [
          { code: 'PLUGIN_DIR_MISSING', message: 'missing', fix: [] },
          { code: 'OTHER', message: 'no module', fix: ['add one'] },
        ],
      }),
    ),
    [
      { about: 'plugin', problem: 'b is failed', cause: 'broken', fix: ['fix it'] },
      { about: 'plugin', problem: 'c is active', cause: 'newer is broken', fix: ['fix that'] },
      { about: 'plugin', problem: 'd is failed', cause: 'the host does not say why', fix: ['npx mcp-patchbay list'] },
      {
        about: 'config',
        problem: 'tools.allow names nothing',
        cause: 'the setting does not do what it seems to; a frozen deployment may not start with it',
        fix: [
          'Correct it, or take it out',
          'npx mcp-patchbay list --tools names every tool, npx mcp-patchbay explain TOOL its tags',
        ],
      },
      { about: 'plugin', problem: 'no module', cause: 'it is in a folder of pluginDirs', fix: ['add one'] },
    ],
  )
})

test('a secret that stands in the config is named with the variable that it belongs into', () => {
  const config = Type.Object({
    apiKey: Type.Optional(Secret()),
    oauth2Token: Type.Optional(Secret()),
    apiUrl: Type.Optional(Type.String()),
  })
  const record = (given: object, surface: object | undefined = { config }) => ({
    instance: 'notes',
    entry: { config: given },
    surface,
  })
  const found = (one: object) => pluginFindings(hostOf({}, [one]))
  assert.deepEqual(found(record({ apiKey: 'x', apiUrl: 'y', other: 'z' })), [
    {
      about: 'config',
      problem: 'config.apiKey of the entry "notes" is a secret, written into the config',
      cause: 'anyone who reads the config, or a copy of the repository, has it',
      fix: ['Take it out and set NOTES_API_KEY in the environment or in .env', 'Make a new one: this one may have been read'],
    },
  ])
  assert.match(found(record({ oauth2Token: 'x' }))[0]?.fix[0] ?? '', / set NOTES_OAUTH2_TOKEN in /)
  assert.deepEqual(found(record({ apiUrl: 'y' })), [])
  assert.deepEqual(found({ instance: 'notes', entry: { config: { apiKey: 'x' } } }), [])
  assert.deepEqual(found(record({ apiKey: 'x' }, { config: {} })), [])
})

test('a Node that cannot keep the network from a plugin is one where a plugin has a process of its own', () => {
  const config = (isolation: 'process' | 'inline') => resolveConfig({ plugins: [{ use: './a.ts', isolation }] })
  const finding = {
    about: 'node',
    problem: `Node ${process.versions.node} cannot keep the network from a plugin in a process of its own`,
    cause: 'that came with Node 25',
    fix: ['Run the host on Node 26'],
  }
  assert.deepEqual(nodeFindings(config('process'), false), [finding])
  assert.deepEqual(nodeFindings(config('process'), true), [])
  assert.deepEqual(nodeFindings(config('inline'), false), [])
  assert.deepEqual(nodeFindings(resolveConfig({}), false), [])
})

test('a host or a contract of another version than the one that runs is named with what to install', () => {
  using tree = sourceTree({ 'package.json': '{}' })
  const host = { version: '1.2.3', dependencies: { '@mcp-patchbay/plugin-api': '1.2.0' } }
  const finding = (problem: string) => ({
    about: 'release',
    problem,
    cause: 'another host than that of the project was started, or only one of the two was updated',
    fix: ['npm install mcp-patchbay@1.2.3 @mcp-patchbay/plugin-api@1.2.0', 'Start the host of the project: npx mcp-patchbay'],
  })
  const install = (name: string, version: unknown) =>
    tree.write(`node_modules/${name}/package.json`, JSON.stringify({ name, version }))
  install('mcp-patchbay', '1.2.2')
  install('@mcp-patchbay/plugin-api', '1.2.0')
  assert.deepEqual(installedFindings(tree.root, host), [
    finding('The project has mcp-patchbay 1.2.2, and the host that runs here wants 1.2.3'),
  ])
  install('@mcp-patchbay/plugin-api', '1.3.0')
  assert.deepEqual(installedFindings(tree.root, host).slice(1), [
    finding('The project has @mcp-patchbay/plugin-api 1.3.0, and the host that runs here wants 1.2.0'),
  ])
  for (const name of ['mcp-patchbay', '@mcp-patchbay/plugin-api']) install(name, 7)
  assert.deepEqual(installedFindings(tree.root, host), [])
})

const DAY = 86_400_000
/** A registry that has these releases, each published at 0, and no others. */
const registry = (releases: Readonly<Record<string, string>>, publishedAt = 0) => ({
  query: async ([, spec = '']: readonly string[]) => {
    const name = spec.replace(/@latest$/, '')
    const version = releases[name]
    if (version === undefined) throw new Error(`no ${name}`)
    return { name, version, time: { [version]: new Date(publishedAt).toISOString() } }
  },
})

test('a newer release of what the config pins is named, once it is old enough for update to take it', async () => {
  using tree = sourceTree({
    'package.json': JSON.stringify({ dependencies: { '@acme/a': '1.0.0', alias: 'npm:real@1.0.0', local: 'file:./x' } }),
  })
  const found = async (config: HostConfig, releases: Readonly<Record<string, string>>, now = 10 * DAY, publishedAt = 0) =>
    releaseFindings(projectOf(tree.root, config), registry({ 'mcp-patchbay': '0.0.1', ...releases }, publishedAt), now)
  const a: HostConfig = { plugins: [{ use: '@acme/a', version: '1.2.0' }] }
  const newer = (about: string, name: string, latest: string) => ({
    about: 'release',
    problem: `${about} is ${name} 1.2.0, and ${latest} is out`,
    cause: 'what its authors have fixed since then is missing here',
    fix: [`npx mcp-patchbay update ${about}`],
  })
  assert.deepEqual(await found(a, { '@acme/a': '1.2.1' }), [newer('@acme/a', '@acme/a', '1.2.1')])
  for (const [latest, isNewer] of [
    ['1.2.0', false],
    ['1.1.9', false],
    ['1.10.0', true],
    ['0.9.0', false],
    ['2.0.0-rc.1', true],
    ['1.2.0-rc.1', false],
  ] as const)
    assert.equal((await found(a, { '@acme/a': latest })).length, isNewer ? 1 : 0, latest)
  const pre: HostConfig = { plugins: [{ use: '@acme/a', version: '1.2.0-rc.2' }] }
  for (const [latest, isNewer] of [
    ['1.2.0', true],
    ['1.2.0-rc.2', false],
    ['1.2.0-rc.10', true],
    ['1.2.0-rc.1', false],
    ['1.1.0', false],
  ] as const)
    assert.equal((await found(pre, { '@acme/a': latest })).length, isNewer ? 1 : 0, `${latest} after a candidate`)
  assert.equal((await found(a, { '@acme/a': '1.2.1' }, 3 * DAY - 1)).length, 0, 'younger than three days')
  assert.equal((await found(a, { '@acme/a': '1.2.1' }, 3 * DAY)).length, 1)
  // An entry without a version is not pinned; a path and what came from a folder have no releases; an alias has those of its package.
  for (const use of ['@acme/a', './a.ts']) assert.deepEqual(await found({ plugins: [use] }, { '@acme/a': '9.0.0' }), [])
  assert.deepEqual(await found({ plugins: [{ use: 'local', version: '1.2.0' }] }, {}), [])
  assert.deepEqual(await found({ plugins: [{ use: 'alias', as: 'mine', version: '1.2.0' }] }, { real: '1.3.0' }), [
    newer('mine', 'real', '1.3.0'),
  ])
  assert.deepEqual(await found({ plugins: [{ use: 'mcp:npm:server', as: 'files', version: '1.2.0' }] }, { server: '1.3.0' }), [
    newer('files', 'server', '1.3.0'),
  ])
  assert.deepEqual(await found(a, {}), [
    {
      about: 'release',
      problem: 'It is not known whether @acme/a has a newer release than 1.2.0',
      cause: 'no @acme/a',
      fix: ['Correct what npm says: npm view @acme/a version'],
    },
  ])
  const [host, ...others] = await found({}, { 'mcp-patchbay': '99.0.0' })
  assert.deepEqual([host?.fix, others], [['npm install mcp-patchbay@99.0.0 @mcp-patchbay/plugin-api@99.0.0'], []])
  assert.match(problems([host ?? assert.fail()])[0] ?? '', /^The host is mcp-patchbay .*, and 99\.0\.0 is out$/)
})
