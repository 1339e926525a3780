import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import type { Explanation, HostListing, PluginListing, ToolListing } from 'mcp-patchbay'
import { startOpenapiUpstream } from '../../../plugins/github/tests/openapi-upstream.ts'
import { runPatchbay, startPatchbay } from '../../fixtures/projects/patchbay-process.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

/** Said to be unset, so that an .env of whoever runs the tests does not count. */
const env = { GITHUB_PERSONAL_TOKEN: '', SLACK_PERSONAL_TOKEN: '' }
const patchbay = (...args: readonly string[]) => runPatchbay(args, { env })

// Real processes, each mostly waiting for its own start: two at a time are faster than one.
describe('patchbay', { concurrency: 2 }, () => {
  test('start says on stderr, in one line of JSON, where it listens, and nothing on stdout', async () => {
    await using host = await startPatchbay([], { env })
    const lines = host.log.filter(({ event }) => event === 'listening')
    assert.equal(lines.length, 1)
    assert.match(String(lines[0]?.['url']), /^http:\/\/127\.0\.0\.1:\d+\/mcp$/)
    assert.match(String(lines[0]?.['management']), /^http:\/\/127\.0\.0\.1:\d+$/)
    assert.notEqual(host.url.port, '0')
    assert.deepEqual(host.stray, [])
    assert.equal(await host.stop(), 0)
    assert.equal(await host.stdout, '')
  })

  test('list shows each plugin with its state, and how to configure what is not', async () => {
    const { code, stdout } = await patchbay('list')
    assert.equal(code, 0)
    assert.match(stdout, /^PLUGIN +VERSION +SOURCE +ISOLATION +STATE .*TOOLS\n/)
    assert.match(stdout, /^sqlite +0\.1\.0 +\.\/plugins\/sqlite +inline \(trusted\) +active .*4\/4$/m)
    assert.match(stdout, /^github +0\.1\.0 +\.\/plugins\/github +inline \(trusted\) +unconfigured .*0\/\d+$/m)
    assert.match(stdout, /^ {2}- Set GITHUB_PERSONAL_TOKEN in the environment or in \.env$/m)
  })

  test('list --tools shows each tool with what hides it', async () => {
    const { code, stdout } = await patchbay('list', '--tools')
    assert.equal(code, 0)
    assert.match(stdout, /^sqlite_tables_list +read +visible +\d+$/m)
    assert.match(stdout, /^github_issues_create +write +hidden: not_configured +\d+$/m)
  })

  test('list --json is the document that other programs read', async () => {
    const { code, stdout } = await patchbay('list', '--json')
    assert.equal(code, 0)
    const listing = JSON.parse(stdout) as HostListing
    assert.equal(listing.generation, 1)
    const named = (name: string): PluginListing => listing.plugins.find((plugin) => plugin.name === name) ?? assert.fail(name)
    const { tools, ...sqlite } = named('sqlite')
    assert.partialDeepStrictEqual(sqlite, {
      name: 'sqlite',
      use: './plugins/sqlite',
      version: '0.1.0',
      isolation: 'inline',
      state: 'active',
      reason: null,
    })
    const [first] = tools
    assert.deepEqual(Object.keys(first ?? {}), [
      'name',
      'access',
      'approval',
      'visible',
      'hiddenBy',
      'listed',
      'tokens',
    ] satisfies (keyof ToolListing)[])
    assert.partialDeepStrictEqual(first, { name: 'sqlite_tables_list', access: 'read', visible: true, hiddenBy: null })
    assert.ok(Number(first?.tokens) > 0)
    assert.equal(named('github').reason?.code, 'PLUGIN_UNCONFIGURED')
    assert.ok(named('github').tools.every(({ visible, hiddenBy }) => !visible && hiddenBy === 'not_configured'))
  })

  test('explain --json has the whole chain of rules in their order', async () => {
    const { code, stdout } = await patchbay('explain', 'github_issues_get', '--json')
    assert.equal(code, 0)
    const { chain, ...explanation } = JSON.parse(stdout) as Explanation
    assert.deepEqual(explanation, {
      tool: 'github_issues_get',
      visible: false,
      decidedBy: 'not_configured',
      listed: false,
      found: false,
    })
    assert.deepEqual(
      chain.map(({ rule, verdict }) => [rule, verdict]),
      [
        ['unknown', 'pass'],
        ['quarantined', 'pass'],
        ['plugin_failed', 'pass'],
        ['not_configured', 'refuse'],
        ['denied_by_plugin', 'pass'],
        ['not_in_toolset', 'pass'],
        ['denied_by_host', 'pass'],
        ['read_only', 'pass'],
        ['tenant', 'pass'],
        ['permission', 'pass'],
        ['request_narrowed', 'pass'],
      ],
    )
    assert.ok(chain.every(({ source }) => source !== ''))
  })

  test('call prints what the tool answered, as Markdown', async () => {
    const { code, stdout } = await patchbay('call', 'sqlite_tables_list')
    assert.equal(code, 0)
    assert.match(stdout, /^\| table \| kind \| columns \|\n\| --- \| --- \| --- \|\n\| albums \| table \| id, artist_id, /m)
  })

  test('call --json prints the whole result', async () => {
    const { code, stdout } = await patchbay('call', 'sqlite_query_run', 'sql=SELECT 1 AS one', 'limit=1', '--json')
    assert.equal(code, 0)
    assert.deepEqual(JSON.parse(stdout), { content: [{ type: 'text', text: '1 row\n\n| one |\n| --- |\n| 1 |' }] })
  })

  test('call reaches GitHub, wherever GITHUB_API_URL says that it is', async () => {
    await using upstream = await startOpenapiUpstream()
    const args = ['call', 'github_issues_get', 'owner=octocat', 'repo=Hello-World', 'issue_number=42']
    const { code, stdout } = await runPatchbay(args, {
      env: { ...env, GITHUB_PERSONAL_TOKEN: 'x', GITHUB_API_URL: upstream.url },
    })
    assert.equal(code, 0)
    assert.match(stdout, /Found a bug/)
    assert.match(stdout, /octocat/)
    assert.deepEqual(
      upstream.requests.map(({ method, path, headers }) => [method, path, headers['authorization']]),
      [['GET', '/repos/octocat/Hello-World/issues/42', 'Bearer x']],
    )
  })

  test('env prints a template with every variable a plugin reads', async () => {
    const { code, stdout } = await patchbay('env', 'github')
    assert.equal(code, 0)
    assert.match(stdout, /^# GITHUB_PERSONAL_TOKEN=$/m)
    assert.match(stdout, /^# GITHUB_API_URL=https:\/\/api\.github\.com$/m)
  })

  test('call says of a hidden tool which rule hides it, and what to set', async () => {
    const { code, stdout, stderr } = await patchbay('call', 'github_issues_get')
    assert.match(stderr, /^github_issues_get cannot be called: not_configured: .*\nTo fix:\n {2}1\. Set GITHUB_PERSONAL_TOKEN /)
    assert.deepEqual([code, stdout], [1, ''])
  })

  test('an unknown flag ends with 2 and the flag that was meant', async () => {
    const { code, stdout, stderr } = await patchbay('start', '--prot', '3000')
    assert.match(stderr, /^error: unknown option '--prot'\n\(Did you mean --port\?\)/)
    assert.deepEqual([code, stdout], [2, ''])
  })

  test('an environment file that does not exist ends with 78 and our own words, not with those of Node', async () => {
    const { code, stdout, stderr } = await patchbay('list', '--dotenv', 'missing.env')
    assert.match(stderr, /^The environment file .*missing\.env cannot be read: .*\nTo fix:\n {2}1\. /)
    assert.deepEqual([code, stdout], [78, ''])
  })

  test('the command starts where env knows no -S, as on Alpine', () => {
    const [line] = readFileSync(join(import.meta.dirname, '../../../host/bin/patchbay.mjs'), 'utf8').split('\n')
    assert.equal(line, '#!/usr/bin/env node')
  })

  test('start ends with 78 rather than let everybody in', async () => {
    const { code, stderr } = await patchbay('start', '--host', '0.0.0.0', '--port', '0', '--management-port', '0')
    assert.equal(code, 78)
    assert.match(stderr, /^Refused to listen on 0\.0\.0\.0 without authentication: .*\nTo fix:\n {2}1\. /m)
  })

  test('call ends with 1 when the tool answers with an error, which it prints', async () => {
    const { code, stdout } = await patchbay('call', 'sqlite_query_run', 'sql=SELECT * FROM album')
    assert.equal(code, 1)
    assert.match(stdout, /no table .?album.?.*\n[^]*albums/i)
  })

  test('start ends with 78 when its port is taken, and names it', async () => {
    const other = createServer().listen({ port: 0, host: '127.0.0.1' })
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    const { code, stderr } = await patchbay('start', '--port', String(port), '--management-port', '0')
    other.close()
    assert.equal(code, 78)
    assert.match(stderr, new RegExp(`^The http listener cannot use 127\\.0\\.0\\.1:${port}: the port is in use\\nTo fix:`, 'm'))
  })

  test('a config with an unknown key is refused before any plugin starts, with the key that was meant', async () => {
    using tree = sourceTree({
      'mcp.config.json': '{\n  "plugins": ["./plugin.mjs"],\n  "readonly": true\n}\n',
      'plugin.mjs': `process.stderr.write('it was started')`,
    })
    const { code, stderr } = await runPatchbay(['start'], { cwd: tree.root })
    assert.equal(code, 78)
    assert.match(stderr, /mcp\.config\.json has an error:\n {2}line 3: readonly: unknown key; did you mean "readOnly"\?/)
    assert.doesNotMatch(stderr, /it was started/)
  })
})
