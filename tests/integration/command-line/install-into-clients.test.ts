import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, test } from 'node:test'
import { parseLenientJson } from '../../../host/src/project/clients/lenient-json.ts'
import { hostAddress, hostCommand, lastingNode } from '../../../host/src/project/clients/host-command.ts'
import { CLIENT_NAMES, clientFile, installClient } from '../../../host/src/project/clients/install-client.ts'
import { MCP_CLIENTS, type McpClient } from '../../../host/src/project/clients/mcp-clients.ts'
import { parseToml } from '../../../host/src/project/clients/toml-entry.ts'
import { openProject } from '../../../host/src/project/open-project.ts'
import { runPatchbay } from '../../fixtures/projects/patchbay-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'install-clients-'))
after(() => rmSync(folder, { recursive: true }))
const config = join(folder, 'project', 'mcp.config.json')
mkdirSync(dirname(config))
writeFileSync(config, JSON.stringify({ plugins: [], listen: { http: { host: '0.0.0.0', port: 4123 } } }))
const project = await openProject({ config })
const started = hostCommand(project, {})
const now = new Date('2026-11-30T10:00:00Z')

/** Installs into a file of its own in the project, which holds `text` before. */
async function install(name: string, text: string | undefined, more: { as?: string; replace?: boolean } = {}) {
  const client = MCP_CLIENTS[name] as McpClient
  const file = clientFile(project, { client, inProject: true })
  rmSync(dirname(file) === dirname(config) ? file : dirname(file), { recursive: true, force: true })
  if (text !== undefined) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  const options = { client, as: more.as, entry: client.stdio(started), replace: more.replace ?? false, inProject: true, now }
  const done = await installClient(project, options)
  return { ...done, text: readFileSync(file, 'utf8'), again: () => installClient(project, options) }
}

describe('install CLIENT', () => {
  test('writes for every client a command that answers over stdio, started in / with an empty PATH', async () => {
    const home = join(folder, 'home')
    const env = { HOME: home, XDG_CONFIG_HOME: '', CLAUDE_CONFIG_DIR: '', CODEX_HOME: '', APPDATA: '' }
    const { code, stdout, stderr } = await runPatchbay(['install', 'claude-code', '--config', config, '--json'], {
      cwd: '/',
      env,
    })
    assert.equal(code, 0, stderr)
    const { file, entry } = JSON.parse(stdout) as { file: string; entry: { command: string; args: string[] } }
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), { mcpServers: { patchbay: entry } })
    for (const name of CLIENT_NAMES) {
      const { command, args } = MCP_CLIENTS[name]?.stdio(started) ?? {}
      assert.deepEqual({ command, args }, { command: entry.command, args: entry.args }, name)
      assert.ok(MCP_CLIENTS[name]?.personal({ platform: process.platform, home, env }).startsWith(home), name)
    }
    const child = spawn(entry.command, entry.args, { cwd: '/', env: { PATH: '' }, stdio: ['pipe', 'pipe', 'ignore'] })
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`)
    const [answer] = (await once(createInterface(child.stdout), 'line')) as [string]
    assert.match(answer, /"serverInfo":\{"name":"patchbay"/)
    child.stdin.end()
    await once(child, 'exit')
  })

  test('keeps what else is in a JSON file, comments too, and the file as it was under a name of its own', async () => {
    const texts = [
      undefined,
      '',
      '{}',
      '{ "mcpServers": {} }',
      '{ "mcpServers": { "git": { "command": "uvx" } } }',
      '// mine\n{\n    "theme": "dark", // here\n    "mcpServers": {\n        /* first */\n        "git": { "command": "uvx", "args": ["a, b", "//"], },\n    },\n}\n',
      '\uFEFF{\r\n\t"mcpServers": {\r\n\t\t"git": { "command": "uvx" }\r\n\t}\r\n}\r\n',
      '{\n  "numbers": [1e3, -2],\n  "mcpServers": {\n    // none yet\n  }\n}',
    ]
    for (const text of texts) {
      const { text: edited, backup, again } = await install('cursor', text)
      const before = (text?.replace('\uFEFF', '').trim() ? parseLenientJson(text) : {}) as { mcpServers?: object }
      const mcpServers = { ...before.mcpServers, patchbay: started }
      assert.deepEqual(parseLenientJson(edited), { ...before, mcpServers }, edited)
      for (const [comment] of text?.matchAll(/\/\/ \w+|\/\*.*?\*\//g) ?? []) assert.ok(edited.includes(comment), edited)
      assert.ok(!text?.includes('\r') || !/[^\r]\n/.test(edited), edited)
      assert.equal(backup === null ? undefined : readFileSync(backup, 'utf8'), text)
      assert.deepEqual(
        [
          (await again()).isChanged,
          readFileSync(clientFile(project, { client: MCP_CLIENTS['cursor'] as McpClient, inProject: true }), 'utf8'),
        ],
        [false, edited],
      )
    }
  })

  test('keeps what else is in a TOML file', async () => {
    const old = `# mine\nmodel = "o9"\n\n[mcp_servers.patchbay]\ncommand = "node"\nargs = [\n  "old.mjs", "--config", ${JSON.stringify(config)},\n]\ntool_timeout_sec = 5\n\n[mcp_servers.patchbay.env]\nA = "1"\n\n# the other one\n[mcp_servers.git]\ncommand = "uvx"\n`
    for (const text of [undefined, '', 'model = "o9"', '[mcp_servers.git]\r\ncommand = "uvx"\r\n', old]) {
      const { text: edited, again } = await install('codex', text)
      const before = parseToml(text ?? '') as Readonly<Record<string, unknown>>
      const kept = text === old ? { tool_timeout_sec: 5, env: { A: '1' } } : {}
      const servers = { ...(before['mcp_servers'] as object | undefined), patchbay: { ...started, ...kept } }
      assert.deepEqual(parseToml(edited), { ...before, mcp_servers: servers })
      for (const [comment] of text?.matchAll(/^#.*\n(?=\S)/gm) ?? []) assert.ok(edited.includes(comment), edited)
      assert.equal((await again()).isChanged, false)
    }
  })

  test('leaves a file alone that it cannot read, and an entry of another server', async () => {
    const table: readonly (readonly [client: string, text: string, code: string])[] = [
      ['cursor', '{ "mcpServers": [] }', 'CLIENT_FILE'],
      ['cursor', '{ "mcpServers": {', 'CLIENT_FILE'],
      ['cursor', '[]', 'CLIENT_FILE'],
      ['codex', 'mcp_servers = 3', 'CLIENT_FILE'],
      ['codex', 'mcp_servers = { git = { command = "uvx" } }', 'CLIENT_FILE'],
      ['codex', 'a = ', 'CLIENT_FILE'],
      ['cursor', '{ "mcpServers": { "patchbay": { "command": "other" } } }', 'CLIENT_TAKEN'],
      [
        'cursor',
        '{ "mcpServers": { "patchbay": { "command": "node", "args": ["--config", "/elsewhere/mcp.config.ts"] } } }',
        'CLIENT_TAKEN',
      ],
    ]
    for (const [client, text, code] of table) {
      await assert.rejects(install(client, text), { code }, text)
      const file = clientFile(project, { client: MCP_CLIENTS[client] as McpClient, inProject: true })
      assert.deepEqual([readFileSync(file, 'utf8'), readdirSync(dirname(file))], [text, [basename(file)]])
    }
    const other = '{ "mcpServers": { "patchbay": { "command": "other", "env": { "A": "1" } } } }'
    assert.deepEqual(parseLenientJson((await install('cursor', other, { replace: true })).text), {
      mcpServers: { patchbay: started },
    })
    assert.deepEqual(
      Object.keys((parseLenientJson((await install('cursor', other, { as: 'mine' })).text) as { mcpServers: object }).mcpServers),
      ['patchbay', 'mine'],
    )
  })

  test('updates the entry that starts this project already, whatever its name, and keeps its variables', async () => {
    const entry = {
      type: 'stdio',
      command: 'npx',
      args: ['mcp-patchbay', 'start', '--config', '${workspaceFolder}/mcp.config.json'],
      env: { A: '1' },
    }
    const { name, text } = await install('vscode', JSON.stringify({ servers: { mine: entry } }))
    assert.equal(name, 'mine')
    assert.deepEqual(parseLenientJson(text), { servers: { mine: { type: 'stdio', ...started, env: { A: '1' } } } })
  })

  test('keeps a file private that holds keys, and its backup', { skip: process.platform === 'win32' }, async () => {
    const file = clientFile(project, { client: MCP_CLIENTS['gemini'] as McpClient, inProject: true })
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, '{}')
    chmodSync(file, 0o600)
    const client = MCP_CLIENTS['gemini'] as McpClient
    const { backup } = await installClient(project, {
      client,
      as: undefined,
      entry: client.stdio(started),
      replace: false,
      inProject: true,
      now,
    })
    for (const path of [file, backup ?? '']) assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  test('takes the address of the config, and refuses what no client can reach', () => {
    const listening = (listen: object) => ({ ...project.settings.config, listen }) as typeof project.settings.config
    assert.equal(hostAddress(project.settings.config, true), 'http://127.0.0.1:4123/mcp')
    assert.equal(hostAddress(listening({ http: { host: '::1', port: 1 } }), true), 'http://[::1]:1/mcp')
    assert.equal(hostAddress(project.settings.config, 'https://mcp.example.com/mcp'), 'https://mcp.example.com/mcp')
    for (const [listen, given] of [
      [{}, true],
      [{ http: { host: '::1', port: 0 } }, true],
      [{}, 'cursor'],
      [{}, 'file:///x'],
    ] as const)
      assert.throws(() => hostAddress(listening(listen), given), { code: 'CLIENT_HTTP' })
  })

  test('names a Node that an update of Homebrew does not take away', () => {
    const cellar = '/opt/homebrew/Cellar/node/26.10.0/bin/node'
    assert.equal(
      lastingNode(cellar, () => true),
      '/opt/homebrew/opt/node/bin/node',
    )
    assert.equal(
      lastingNode(cellar, () => false),
      cellar,
    )
  })
})
