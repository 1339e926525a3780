import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import type { EntryConfig } from '../../../host/src/config/schema/schema.ts'
import { parseServerSpecifier, serverInstance, serverOf } from '../../../host/src/config/schema/server/server-specifier.ts'

test('mcp: and a place is read as where a server comes from', () => {
  const table: readonly (readonly [use: string, expected: unknown])[] = [
    ['mcp:npm:tavily-mcp', { kind: 'npm', name: 'tavily-mcp' }],
    ['mcp:npm:@acme/mcp-files', { kind: 'npm', name: '@acme/mcp-files' }],
    ['mcp:npm:@acme/mcp-files@2.3.1', { kind: 'npm', name: '@acme/mcp-files', version: '2.3.1' }],
    ['mcp:exec', { kind: 'command' }],
    ['mcp:https://mcp.example.com/mcp?team=1', { kind: 'remote', url: 'https://mcp.example.com/mcp?team=1' }],
    ['mcp:http://localhost:8080/mcp', { kind: 'remote', url: 'http://localhost:8080/mcp' }],
    ['mcp:http://127.0.0.1:1', { kind: 'remote', url: 'http://127.0.0.1:1/' }],
    ['mcp:http://[::1]:1/', { kind: 'remote', url: 'http://[::1]:1/' }],
    ['./plugins/mcp', undefined],
    ['@acme/mcp-files', undefined],
  ]
  for (const [use, expected] of table) assert.deepEqual(parseServerSpecifier(use), expected, use)
})

test('what leads to no server is refused with what to write', () => {
  const table: readonly (readonly [use: string, problem: RegExp])[] = [
    ['mcp:', /is not a kind of MCP server/],
    ['mcp:npm:', /names no npm package/],
    ['mcp:npm:../../etc', /names no npm package/],
    ['mcp:npm:@scope/../x', /names no npm package/],
    ['mcp:npm:Files', /names no npm package/],
    ['mcp:npm:files@latest', /"latest", which is not an exact version/],
    ['mcp:npm:files@^1.0.0', /is not an exact version/],
    ['mcp:exec:uvx mcp-server-git', /command: \["uvx","mcp-server-git"\]/],
    ['mcp:http://mcp.example.com/', /is for servers on this machine/],
    ['mcp:http://localhost.example.com/', /is for servers on this machine/],
    ['mcp:https://user:secret@mcp.example.com/', /holds a credential/],
    ['mcp:https://mcp.example.com/#a', /holds a #/],
    ['mcp:https://', /cannot be read/],
    ['mcp:ftp://mcp.example.com/', /is not a kind of MCP server/],
  ]
  for (const [use, problem] of table) {
    const parsed = parseServerSpecifier(use)
    assert.match(parsed?.kind === 'problem' ? parsed.problem : 'no problem', problem, use)
    assert.equal(serverOf(use), undefined, use)
    assert.doesNotMatch(JSON.stringify(parsed), /secret@/)
  }
})

test('a server from npm is named after what sets it apart', () => {
  const table = [
    ['mcp:npm:@modelcontextprotocol/server-filesystem', 'filesystem'],
    ['mcp:npm:tavily-mcp', 'tavily'],
    ['mcp:npm:@notionhq/notion-mcp-server', 'notion'],
    ['mcp:npm:@acme/mcp-server', 'mcp_server'],
    ['mcp:exec', ''],
    ['mcp:https://mcp.example.com', ''],
  ] as const
  for (const [use, name] of table) assert.equal(serverInstance(use), name, use)
})

test('an entry of a server holds what it needs and nothing of plugins', () => {
  const npm = { use: 'mcp:npm:tavily-mcp', version: '1.0.0' }
  const command = { use: 'mcp:exec', as: 'git', command: ['uvx', 'mcp-server-git'] }
  const remote = { use: 'mcp:https://mcp.example.com/mcp', as: 'wiki' }
  const fine: readonly EntryConfig[] = [
    {
      ...npm,
      args: ['--x', ''],
      env: { A: 'b', TAVILY_API_KEY: { secret: true } },
      capabilities: { hosts: ['https://a.example'] },
    },
    { ...command, args: ['--repository', '.'], share: 'session', maxProcesses: 2, roots: ['./data'] },
    { ...remote, share: 'caller', config: { apiUrl: 'https://mcp.example.com/mcp' } },
  ]
  for (const entry of fine) assert.doesNotThrow(() => resolveConfig({ plugins: [entry] }), entry.use)
  const table: readonly (readonly [EntryConfig, RegExp])[] = [
    [{ use: 'mcp:npm:tavily-mcp' }, /plugins\[0\]\.version: is missing.*npx mcp-patchbay add mcp:npm:tavily-mcp/],
    [{ use: 'mcp:npm:tavily-mcp@1.0.0' }, /write use: 'mcp:npm:tavily-mcp', version: '1\.0\.0'/],
    [{ use: 'mcp:nothing' }, /plugins\[0\]\.use: "mcp:nothing" is not a kind of MCP server/],
    [{ ...npm, command: ['x'] }, /command: belongs to an entry with use: 'mcp:exec'/],
    [{ ...npm, env: { NODE_OPTIONS: '--allow-fs-read=*' } }, /NODE_OPTIONS, which would change what the server is allowed/],
    [{ ...npm, env: { 'A=B': 'c' } }, /is not the name of a variable/],
    [{ ...npm, env: { A: 'b\0' } }, /env: holds a NUL character/],
    [{ ...npm, args: ['b\0'] }, /args: holds a NUL character/],
    [{ ...npm, maxProcesses: 2 }, /maxProcesses: needs share: 'caller' or 'session'/],
    [{ ...npm, roots: ['.'] }, /roots: needs share: 'caller' or 'session'/],
    [{ ...npm, isolation: 'inline' }, /an MCP server never runs in the host/],
    [{ ...npm, config: { a: 1 } }, /config: is for plugins/],
    [{ ...npm, watch: ['*.js'] }, /watch: is for plugins/],
    [{ use: 'mcp:exec', as: 'git' }, /command: is missing/],
    [{ use: 'mcp:exec', command: ['git-mcp'] }, /as: is missing/],
    [{ ...command, version: '1.0.0' }, /version: is for packages from npm/],
    [{ use: remote.use }, /as: is missing/],
    [{ ...remote, args: ['x'] }, /args: belongs to an entry with use: 'mcp:npm:NAME' or 'mcp:exec'/],
    [{ ...remote, env: { A: 'b' } }, /env: belongs to an entry/],
    [{ use: './notes', share: 'all' }, /share: belongs to an entry with use: 'mcp:…'/],
    [{ use: './notes', command: ['x'] }, /command: belongs to an entry with use: 'mcp:exec'/],
  ]
  for (const [entry, fault] of table) assert.throws(() => resolveConfig({ plugins: [entry] }), fault, JSON.stringify(entry))
})
