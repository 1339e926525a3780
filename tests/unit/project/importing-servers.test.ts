import assert from 'node:assert/strict'
import { homedir } from 'node:os'
import { parseEnv } from 'node:util'
import { readFileSync, statSync } from 'node:fs'
import { describe, test } from 'node:test'
import { readClientConfig } from '../../../host/src/project/import/client-config.ts'
import { convertServer } from '../../../host/src/project/import/convert-server.ts'
import { addToEnvFile } from '../../../host/src/project/import/env-file.ts'
import { packageCommand } from '../../../host/src/project/import/package-command.ts'
import { instanceName } from '../../../host/src/project/import/plan-import.ts'
import { looksSecret } from '../../../host/src/project/import/secret-values.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

const values = {
  workspace: '/work/app',
  configDir: '/work/app',
  home: '/home/ada',
  inputs: { token: 'The token of the team' },
}
const convert = (server: Readonly<Record<string, unknown>>) => convertServer(server, 'files', values)

describe('a command of a client', () => {
  test('that starts a package of npm is that package', () => {
    const table: readonly (readonly [command: string, args: readonly string[], expected: unknown])[] = [
      ['npx', ['-y', '@acme/mcp-files', './data'], ['@acme/mcp-files', 'latest', './data']],
      ['npx', ['--yes', 'tavily-mcp@1.2.3'], ['tavily-mcp', '1.2.3']],
      ['npx', ['tavily-mcp@^1', '--', '--flag'], ['tavily-mcp', '^1', '--flag']],
      ['C:\\node\\npx.cmd', ['-y', 'tavily-mcp@next'], ['tavily-mcp', 'next']],
      ['cmd', ['/c', 'npx', '-y', 'tavily-mcp'], ['tavily-mcp', 'latest']],
      ['/usr/bin/bunx', ['--bun', 'tavily-mcp'], ['tavily-mcp', 'latest']],
      ['pnpm', ['dlx', 'tavily-mcp'], ['tavily-mcp', 'latest']],
      ['npm', ['exec', '--', 'tavily-mcp'], ['tavily-mcp', 'latest']],
      ['npx', ['-p', 'one', 'two'], undefined],
      ['npx', ['--package=one', 'two'], undefined],
      ['npx', ['github:acme/files'], undefined],
      ['npx', ['./server.js'], undefined],
      ['npx', [], undefined],
      ['npm', ['run', 'server'], undefined],
      ['cmd', ['/c'], undefined],
      ['uvx', ['mcp-server-git'], undefined],
      ['node', ['server.js'], undefined],
    ]
    for (const [command, args, expected] of table) {
      const found = packageCommand(command, args)
      assert.deepEqual(found && [found.name, found.range, ...found.args], expected, `${command} ${args.join(' ')}`)
    }
  })

  test('becomes an entry, with folders put in and secrets by name', () => {
    const converted = convert({
      type: 'stdio',
      command: 'npx',
      args: [
        '-y',
        '@acme/mcp-files',
        '${workspaceFolder}/data',
        '~/notes',
        '--api-key',
        'abc-key',
        '--url=postgres://me:pw@db/x',
      ],
      env: {
        ACME_TOKEN: 'abc',
        OTHER: '${input:token}',
        LEVEL: 'debug',
        HOME_DIR: '${userHome}',
        EMPTY: '',
        PORT: 80,
        D: '${X:-y}',
      },
      cwd: '/elsewhere',
    })
    assert.deepEqual(converted, {
      kind: 'entry',
      entry: {
        use: 'mcp:npm:@acme/mcp-files',
        as: 'files',
        args: ['./data', '/home/ada/notes', '--api-key', '${API_KEY}', '--url=${URL}'],
        env: {
          ACME_TOKEN: { secret: true },
          OTHER: { secret: true },
          LEVEL: 'debug',
          HOME_DIR: '/home/ada',
          PORT: '80',
          D: 'y',
          API_KEY: { secret: true },
          URL: { secret: true },
        },
      },
      release: { name: '@acme/mcp-files', range: 'latest' },
      secrets: [
        { name: 'ACME_TOKEN', variable: 'FILES_ACME_TOKEN', value: 'abc' },
        { name: 'OTHER', variable: 'FILES_OTHER', value: undefined, means: 'the answer to "The token of the team"' },
        { name: 'API_KEY', variable: 'FILES_API_KEY', value: 'abc-key' },
        { name: 'URL', variable: 'FILES_URL', value: 'postgres://me:pw@db/x' },
      ],
      notes: ['cwd is left out: the server runs in the folder of the config'],
    })
  })

  test('of another kind runs as it is, and is said to be unconfined', () => {
    const converted = convert({
      command: 'docker',
      args: ['run', '-i', '-e', 'ACME_TOKEN=${env:ACME_TOKEN}', 'acme/files'],
      env: { NODE_OPTIONS: '--inspect' },
    })
    assert.ok(converted.kind === 'entry')
    assert.deepEqual(converted.entry, {
      use: 'mcp:exec',
      as: 'files',
      command: ['docker'],
      args: ['run', '-i', '-e', 'ACME_TOKEN=${ACME_TOKEN}', 'acme/files'],
      env: { ACME_TOKEN: { secret: true } },
    })
    assert.equal(converted.secrets[0]?.means, 'the variable ACME_TOKEN')
    assert.match(converted.notes.join('\n'), /runs unconfined: docker is not a package[^]*NODE_OPTIONS is left out/)
  })
})

describe('an address of a client', () => {
  test('becomes a remote server with a credential of its own', () => {
    const url = 'https://mcp.example.com/mcp'
    const headers = { Authorization: 'Bearer abc', 'X-Team': 'blue' }
    const written = [
      { type: 'http', url, headers },
      { command: 'npx', args: ['-y', 'mcp-remote', url, '--header', 'Authorization: Bearer abc', '--header', 'X-Team:blue'] },
    ]
    for (const server of written)
      assert.deepEqual(convert(server), {
        kind: 'entry',
        entry: { use: `mcp:${url}`, as: 'files' },
        release: undefined,
        secrets: [{ name: 'PERSONAL_TOKEN', variable: 'FILES_PERSONAL_TOKEN', value: 'abc' }],
        notes: ['the header X-Team is left out: a remote server is sent its own credential only'],
      })
  })

  test('that the host would not speak to, or that holds a secret, is named without it', () => {
    const table: readonly (readonly [server: Readonly<Record<string, unknown>>, reason: RegExp])[] = [
      [{ url: 'http://10.0.0.1/mcp' }, /begins with http:\/\/, which the host speaks on this machine only/],
      [{ url: 'https://me:pw-secret@mcp.example.com/' }, /holds a password/],
      [{ url: 'https://mcp.example.com/?api_key=pw-secret' }, /holds a secret \(api_key\)/],
      [{ url: '${input:token}' }, /cannot be read/],
      [{ command: 'x', disabled: true }, /is disabled/],
      [{}, /neither a command nor a url/],
    ]
    for (const [server, reason] of table) {
      const converted = convert(server)
      assert.ok(converted.kind === 'skipped')
      assert.match(converted.reason, reason)
      assert.doesNotMatch(converted.reason, /pw-secret/)
    }
  })
})

test('what is secret is told by its name and by its form, in doubt it is', () => {
  const secret: readonly (readonly [string, string])[] = [
    ['TAVILY_API_KEY', 'short'],
    ['DB_PWD', 'x'],
    ['--figma-api-key', 'x'],
    ['GITHUB_PAT', 'x'],
    ['DATABASE', 'postgres://me:pw@db/x'],
    ['DSN', 'Server=db;Password=x'],
    ['HEADER', 'Bearer x'],
    ['OTHER', 'ghp_0123456789abcdef'],
    ['OTHER', 'sk-proj-abc'],
    ['OTHER', 'aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ1'],
    ['TOKEN', '/AbCd0123=='],
  ]
  const plain: readonly (readonly [string, string])[] = [
    ['MAX_TOKENS', '4096'],
    ['TOKEN_LOGGING', 'false'],
    ['GOOGLE_APPLICATION_CREDENTIALS', homedir()],
    ['KEY_FILE', './keys/one.pem'],
    ['LEVEL', 'debug'],
    ['URL', 'https://example.com/a'],
    ['MODEL', 'acme-large-instruct-preview'],
    ['', '@modelcontextprotocol/server-files'],
    ['', 'mcp-server-git'],
    ['API_KEY', ''],
  ]
  for (const [name, value] of secret) assert.equal(looksSecret(name, value), true, `${name}=${value}`)
  for (const [name, value] of plain) assert.equal(looksSecret(name, value), false, `${name}=${value}`)
})

test('names of clients become names of instances', () => {
  const table = {
    'GitHub MCP': 'github_mcp',
    '1password': 'password',
    'my-server': 'my_server',
    tools: 'server_tools',
    日本: 'server',
  }
  for (const [name, expected] of Object.entries(table)) assert.equal(instanceName(name), expected)
})

test('the files of four clients are read, with comments and trailing commas, and a wrong one is told by its cause', () => {
  using tree = sourceTree({
    '.mcp.json': '{"mcpServers": {"one": {"command": "x"}}}',
    '.vscode/mcp.json': `{ // comment
      "inputs": [{ "id": "token", "description": "The \\"token\\" // of the team", },],
      "servers": { "one": { "command": "x", /* , } */ "args": ["a//b", ",]"], }, },
    }`,
    '.cursor/mcp.json': '{"mcpServers": {"one": {"url": "https://example.com"}}}',
    'claude_desktop_config.json': '\uFEFF{"globalShortcut": "", "mcpServers": {"one": {"command": "x"}}}',
    'settings.json': '{"mcp": {"servers": {"one": {"command": "x"}}}}',
    'torn.json': '{"mcpServers": {"one": {"env": {"KEY": "sk-secret"',
    'other.json': '{"servers": []}',
  })
  for (const file of ['.mcp.json', '.vscode/mcp.json', '.cursor/mcp.json', 'claude_desktop_config.json', 'settings.json']) {
    const client = readClientConfig(tree.path(file))
    assert.deepEqual([Object.keys(client.servers), client.workspace], [['one'], tree.root], file)
  }
  const { inputs, servers } = readClientConfig(tree.path('.vscode/mcp.json'))
  assert.deepEqual(inputs, { token: 'The "token" // of the team' })
  assert.deepEqual(servers['one']?.['args'], ['a//b', ',]'])
  const refused: readonly (readonly [string, RegExp])[] = [
    ['torn.json', /it is not JSON$/],
    ['other.json', /neither "mcpServers" nor "servers"/],
    ['gone.json', /no such file/],
  ]
  for (const [file, says] of refused)
    assert.throws(() => readClientConfig(tree.path(file)), { code: 'IMPORT_FILE', message: says }, file)
})

test('secrets are added to .env so that they are read back, and what is there stays', async () => {
  using tree = sourceTree()
  const file = tree.path('.env')
  const odd = ['plain', 'with space', `it's`, 'a"b', 'a#b', '`', `'"`, 'two\nlines', '$HOME', '\\n', ' edges ']
  const secrets = odd.map((value, index) => ({ name: 'X', variable: `X_${index}`, value }))
  const open = { name: 'Y', variable: 'Y', value: undefined, means: 'the answer' }
  const impossible = { name: 'Z', variable: 'Z', value: `'"\`` }
  const added = await addToEnvFile(file, [{ title: 'one', secrets: [...secrets, open, impossible] }])
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const read = parseEnv(readFileSync(file, 'utf8'))
  assert.deepEqual(
    odd.map((_, index) => read[`X_${index}`]),
    odd,
  )
  assert.deepEqual([added.written.length, added.open.map(({ name }) => name), added.kept], [odd.length, ['Y', 'Z'], []])
  assert.doesNotMatch(readFileSync(file, 'utf8'), /Z=.|Y=./)
  const before = readFileSync(file, 'utf8')
  const again = await addToEnvFile(file, [{ title: 'one', secrets: [{ name: 'X', variable: 'X_0', value: 'other' }] }])
  assert.deepEqual([again.kept, readFileSync(file, 'utf8')], [['X_0'], before])
})
