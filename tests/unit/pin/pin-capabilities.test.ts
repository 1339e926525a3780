import assert from 'node:assert/strict'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { compareCapabilities, noCapabilities, type Capabilities } from '../../../host/src/pin/capabilities.ts'
import { checkCapabilities } from '../../../host/src/pin/check-capabilities.ts'

const home = await realpath(await mkdtemp(path.join(tmpdir(), 'patchbay-home-')))
after(() => rm(home, { recursive: true, force: true }))
const project = path.join(home, 'project')
await mkdir(path.join(project, 'data', 'cache'), { recursive: true })
await mkdir(path.join(home, 'elsewhere', 'jira'), { recursive: true })
await symlink(path.join(home, 'elsewhere'), path.join(project, 'linked'))
await symlink('nowhere', path.join(project, 'dangling'))
await symlink('circle', path.join(project, 'circle'))
await writeFile(path.join(project, 'data', 'ca.pem'), '')

const origin = { plugin: 'jira', base: project, home }
const refused = (problem: RegExp) => ({ code: 'CAPABILITY_INVALID', message: problem })

test('grants nothing to a plugin that asks for nothing', async () => {
  assert.deepEqual(await checkCapabilities(undefined, origin), noCapabilities)
  assert.deepEqual(await checkCapabilities({}, origin), noCapabilities)
})

test('refuses to let a plugin write what decides what runs, whether above it, at it or in it', async () => {
  const kept = [
    { path: path.join(project, 'mcp.lock.json'), what: 'mcp.lock.json' },
    { path: path.join(project, 'data', 'tokens'), what: 'the folder of the stored tokens' },
    { path: path.join(project, 'plugins'), what: 'a folder of pluginDirs', except: path.join(project, 'plugins', 'jira') },
    {
      path: path.join(project, 'plugins', 'other'),
      what: 'the folder of another plugin',
      except: path.join(project, 'plugins', 'jira'),
    },
  ]
  const check = (write: string) => checkCapabilities({ fs: { write: [write] } }, { ...origin, kept: () => kept })
  for (const [write, what] of [
    ['mcp.lock.json', /reaches mcp\.lock\.json, which no plugin may write/],
    [path.join(project, 'mcp.lock.json'), /reaches mcp\.lock\.json/],
    ['data', /reaches the folder of the stored tokens/],
    ['data/tokens/acme.json', /reaches the folder of the stored tokens/],
    ['plugins', /reaches a folder of pluginDirs/],
    ['plugins/new', /reaches a folder of pluginDirs/],
    ['plugins/other/index.ts', /reaches a folder of pluginDirs/],
    ['./plugins/./other/', /reaches a folder of pluginDirs/],
  ] as const)
    await assert.rejects(check(write), refused(what), write)
  for (const write of ['data/cache', 'plugins/jira/data', 'data/tokens-of-mine'])
    assert.deepEqual((await check(write)).fs.write, [write])
  assert.deepEqual((await checkCapabilities({ fs: { read: ['data'] } }, { ...origin, kept: () => kept })).fs.read, ['data'])
})

test('refuses to let a plugin write what decides what runs on the machine of a developer', async () => {
  await mkdir(path.join(project, 'checkout', '.git'), { recursive: true })
  await mkdir(path.join(home, 'elsewhere', 'tool', '.VSCode'), { recursive: true })
  for (const [write, what] of [
    ['.git', '.git'],
    ['.git/hooks/pre-commit', '.git'],
    ['.GitHub/workflows', '.GitHub'],
    ['data/.husky', '.husky'],
    ['.vscode/tasks.json', '.vscode'],
    ['.npmrc', '.npmrc'],
    ['.git.', '.git.'],
    ['.git::$INDEX_ALLOCATION', undefined],
    ['.g\u200Cit/hooks', '.g\u200Cit'],
    ['GIT~1/hooks', 'GIT~1'],
    ['checkout', 'checkout/.git'],
    ['checkout/', 'checkout/.git'],
    [path.join(home, 'elsewhere', 'tool'), 'tool/.VSCode'],
    [path.join(home, 'elsewhere', 'jira', '.claude', 'settings.json'), '.claude'],
  ] as const)
    await assert.rejects(
      checkCapabilities({ fs: { write: [write] } }, origin),
      ({ code, message }: { code: string; message: string }) =>
        code === 'CAPABILITY_INVALID' &&
        (what === undefined ||
          message.includes(`reaches ${what}, which decides what runs on the machine of a developer, which no plugin may write`)),
      write,
    )
  for (const write of ['data/git', 'data/github', 'data/.github-cache'])
    assert.deepEqual((await checkCapabilities({ fs: { write: [write] } }, origin)).fs.write, [write])
  assert.deepEqual((await checkCapabilities({ fs: { read: ['.github'] } }, origin)).fs.read, ['.github'])
})

test('lets a plugin write below a project that is itself in such a folder', async () => {
  const inside = path.join(home, '.claude', 'worktrees', 'one')
  await mkdir(inside, { recursive: true })
  const at = { ...origin, base: inside }
  assert.deepEqual((await checkCapabilities({ fs: { write: ['data'] } }, at)).fs.write, ['data'])
  await assert.rejects(
    checkCapabilities({ fs: { write: [path.join(home, '.claude', 'agents')] } }, at),
    refused(/reaches \.claude/),
  )
})

test('refuses another spelling of what no plugin may write', async () => {
  const kept = () => [{ path: path.join(project, 'mcp.lock.json'), what: 'mcp.lock.json' }]
  await assert.rejects(
    checkCapabilities({ fs: { write: ['MCP.Lock.json'] } }, { ...origin, kept }),
    refused(/reaches mcp\.lock\.json/),
  )
})

test('sorts what is asked for, drops repetitions and writes paths in their normal form', async () => {
  const asked = {
    hosts: ['public', 'https://b.example:8443', 'https://a.example', 'public'],
    env: ['TZ', 'JIRA_REGION'],
    fs: { read: ['./data/', 'data//ca.pem', 'data'], write: ['data/cache', path.join(home, 'elsewhere/jira')] },
    credentials: 'raw',
    native: true,
  }
  assert.deepEqual(await checkCapabilities(asked, origin), {
    hosts: ['https://a.example', 'https://b.example:8443', 'public'],
    env: ['JIRA_REGION', 'TZ'],
    fs: { read: ['data', 'data/ca.pem'], write: [path.join(home, 'elsewhere/jira'), 'data/cache'] },
    credentials: 'raw',
    native: true,
  })
})

test('takes a folder that does not exist yet', async () => {
  const { fs } = await checkCapabilities({ fs: { write: ['data/new/deeper'] } }, origin)
  assert.deepEqual(fs.write, ['data/new/deeper'])
})

for (const [value, problem] of [
  ['*', /is a pattern/],
  ['data/*', /is a pattern/],
  ['**', /is a pattern/],
  ['data/**/x', /is a pattern/],
  ['data/[ab]', /is a pattern/],
  ['data/{a,b}', /is a pattern/],
  ['/', /is the folder of the config or contains it/],
  ['//', /is the folder of the config or contains it/],
  ['.', /is the folder of the config or contains it/],
  ['./', /is the folder of the config or contains it/],
  ['./.', /is the folder of the config or contains it/],
  [project, /is the folder of the config or contains it/],
  [home, /is the folder of the config or contains it/],
  ['..', /climbs/],
  ['../elsewhere', /climbs/],
  ['data/../data', /climbs/],
  ['~', /home folder, which is not expanded/],
  ['~/data', /home folder, which is not expanded/],
  ['~root/data', /home folder, which is not expanded/],
  ['${HOME}', /pattern|variable/],
  ['$HOME/data', /variable/],
  ['%USERPROFILE%', /variable/],
  ['', /is empty/],
  ['data\\cache', /backslash/],
  ['data\0', /NUL/],
  ['/etc', /whole top-level folder/],
  ['/proc/self/environ', /operating system/],
  ['/dev/mem', /operating system/],
  ['linked', /symbolic link; write where it leads: .*elsewhere/],
  ['linked/jira', /symbolic link; write where it leads: .*elsewhere.jira/],
  ['linked/new', /symbolic link/],
  ['dangling', /symbolic link that leads nowhere/],
  ['dangling/deeper', /symbolic link that leads nowhere/],
  ['circle', /cannot be followed/],
  [7, /must be a string/],
] as const) {
  test(`refuses the path ${JSON.stringify(value).replaceAll(home, '$HOME_OF_TEST')} for reading and for writing`, async () => {
    await assert.rejects(checkCapabilities({ fs: { read: [value] } }, origin), refused(problem))
    await assert.rejects(checkCapabilities({ fs: { write: [value] } }, origin), refused(problem))
  })
}

test('refuses the home folder also when the project lies elsewhere', async () => {
  const elsewhere = { ...origin, home: path.join(home, 'elsewhere/jira') }
  await assert.rejects(
    checkCapabilities({ fs: { read: [path.join(home, 'elsewhere')] } }, elsewhere),
    refused(/home folder or contains one/),
  )
})

test('knows the project also when its folder is reached through a symbolic link', async () => {
  const door = path.join(home, 'door')
  await symlink(project, door)
  for (const base of [door, project]) {
    await assert.rejects(
      checkCapabilities({ fs: { read: [project] } }, { ...origin, base }),
      refused(/is the folder of the config/),
    )
  }
  await assert.rejects(
    checkCapabilities({ fs: { read: [door] } }, { ...origin, base: door }),
    refused(/is the folder of the config/),
  )
  assert.deepEqual((await checkCapabilities({ fs: { read: ['data'] } }, { ...origin, base: door })).fs.read, ['data'])
})

for (const [value, problem] of [
  ['*', /is a pattern/],
  ['https://*.example.com', /is a pattern/],
  ['example.com', /is no origin/],
  ['PUBLIC', /is no origin/],
  ['ftp://example.com', /is no origin/],
  ['file:///etc', /is no origin/],
  ['https://example.com/', /write https:\/\/example\.com/],
  ['https://example.com/api', /write https:\/\/example\.com/],
  ['https://user:secret@example.com', /write https:\/\/example\.com/],
  ['https://example.com:443', /write https:\/\/example\.com/],
  ['HTTPS://Example.com', /write https:\/\/example\.com/],
  ['https://127.1', /write https:\/\/127\.0\.0\.1/],
  ['https://bücher.example', /write https:\/\/xn--bcher-kva\.example/],
  [' https://example.com', /write https:\/\/example\.com/],
  [null, /must be a string/],
] as const) {
  test(`refuses the host ${JSON.stringify(value)}`, async () => {
    await assert.rejects(checkCapabilities({ hosts: [value] }, origin), refused(problem))
  })
}

for (const value of [
  '*',
  'JIRA_*',
  'A-B',
  '',
  '1A',
  'A=B',
  'NODE_OPTIONS',
  'node_options',
  'LD_PRELOAD',
  'DYLD_INSERT_LIBRARIES',
  'PATCHBAY_FAULTS',
]) {
  test(`refuses the variable ${JSON.stringify(value)}`, async () => {
    await assert.rejects(checkCapabilities({ env: [value] }, origin), refused(/is no name of a variable|steers the process/))
  })
}

test('lists every fault at once', async () => {
  const manifest = { hosts: '*', env: ['*'], fs: { read: ['/'], exec: [] }, credentials: 'all', native: 'yes', network: true }
  await assert.rejects(checkCapabilities(manifest, origin), (error: Error) => {
    for (const part of ['hosts must be', 'env "*"', 'fs.read "/"', '"exec"', 'credentials must', 'native must', '"network"']) {
      assert.ok(error.message.includes(part), part)
    }
    return true
  })
})

for (const manifest of [null, [], 'all', 1]) {
  test(`refuses a manifest that is ${JSON.stringify(manifest)}`, async () => {
    await assert.rejects(checkCapabilities(manifest, origin), refused(/capabilities must be an object/))
  })
}

const granted: Capabilities = {
  hosts: ['https://a.example'],
  env: ['TZ'],
  fs: { read: ['data'], write: ['data/cache'] },
  credentials: 'brokered',
  native: false,
}

test('finds no change between equal grants', () => {
  assert.deepEqual(compareCapabilities(granted, granted), [])
})

for (const [what, asked, capability, value] of [
  ['a host', { hosts: ['https://a.example', 'https://evil.example'] }, 'hosts', 'https://evil.example'],
  ['any public host', { hosts: ['https://a.example', 'public'] }, 'hosts', 'public'],
  ['another port of a host', { hosts: ['https://a.example', 'https://a.example:8443'] }, 'hosts', 'https://a.example:8443'],
  ['a variable', { env: ['AWS_SECRET', 'TZ'] }, 'env', 'AWS_SECRET'],
  ['a folder to read', { fs: { read: ['data', 'secrets'], write: ['data/cache'] } }, 'fs.read', 'secrets'],
  ['a folder with a longer name', { fs: { read: ['data', 'data2'], write: ['data/cache'] } }, 'fs.read', 'data2'],
  ['to write what it may read', { fs: { read: ['data'], write: ['data/cache', 'data/db'] } }, 'fs.write', 'data/db'],
  ['raw credentials', { credentials: 'raw' }, 'credentials', 'raw'],
  ['native code', { native: true }, 'native', 'true'],
] as const) {
  test(`calls it broader when a plugin asks for ${what}, and narrower the other way round`, () => {
    const broader: Capabilities = { ...granted, ...asked }
    assert.deepEqual(compareCapabilities(granted, broader), [{ change: 'broadened', capability, value }])
    assert.deepEqual(compareCapabilities(broader, granted), [{ change: 'narrowed', capability, value }])
  })
}

test('does not call it broader when a plugin asks for part of a folder it has', () => {
  const asked = { ...granted, fs: { read: ['data/in', 'data/out'], write: ['data/cache'] } }
  assert.deepEqual(compareCapabilities(granted, asked), [{ change: 'narrowed', capability: 'fs.read', value: 'data' }])
})

test('calls a named origin broader than public, because it may be private', () => {
  const change = compareCapabilities({ ...granted, hosts: ['public'] }, { ...granted, hosts: ['http://10.0.0.7', 'public'] })
  assert.deepEqual(change, [{ change: 'broadened', capability: 'hosts', value: 'http://10.0.0.7' }])
})
