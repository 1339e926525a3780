import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { rawClient } from '../../fixtures/http/raw-client.ts'
import { runPatchbay, spawnPatchbay, startPatchbay } from '../../fixtures/projects/patchbay-process.ts'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

interface Created {
  readonly key: string
  readonly id: string
  readonly hash: string
  readonly file: string
}

/** A folder with this config, for commands to run in. */
async function project(config: object): Promise<AsyncDisposable & { readonly cwd: string }> {
  const cwd = await mkdtemp(join(tmpdir(), 'patchbay-keys-'))
  await writeFile(join(cwd, 'mcp.config.json'), JSON.stringify(config))
  return { cwd, [Symbol.asyncDispose]: () => rm(cwd, { recursive: true, force: true }) }
}

const guarded = { auth: { inbound: { mode: 'apiKey' } } }

// Real processes, each mostly waiting for its own start.
describe('patchbay keys', { concurrency: 2 }, () => {
  test('create shows a key once and keeps its hash where only its owner reads it', async () => {
    await using place = await project({ ...guarded, tenants: { acme: {} } })
    const { code, stdout, stderr } = await runPatchbay(
      ['keys', 'create', '--id', 'ci', '--scopes', 'a, b', '--tenant', 'acme', '--expires', '90d'],
      place,
    )
    assert.equal(code, 0, stderr)
    assert.equal(stderr, '')
    const [key = ''] = /pbk_ci_[\w-]{43}/.exec(stdout) ?? assert.fail(stdout)
    assert.match(stdout, /^Key "ci" of tenant "acme", which grants a, b and expires on \d{4}-/)
    const file = join(place.cwd, 'mcp.keys.json')
    const kept = await readFile(file, 'utf8')
    assert.ok(!kept.includes(key.slice('pbk_ci_'.length)))
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    const { stdout: listed } = await runPatchbay(['keys', 'list'], place)
    assert.match(listed, /^ID +STATE +TENANT +SCOPES +EXPIRES\nci +active +acme +a,b +\d{4}-/)
    assert.ok(!listed.includes(key))
  })

  test('create makes the folder of auth.inbound.keysFile', async () => {
    await using place = await project({ auth: { inbound: { mode: 'apiKey', keysFile: './keys/mcp.keys.json' } } })
    const { code, stderr } = await runPatchbay(['keys', 'create', '--id', 'ci'], place)
    assert.equal(code, 0, stderr)
    assert.match(await readFile(join(place.cwd, 'keys/mcp.keys.json'), 'utf8'), /"id": "ci"/)
  })

  test('create says what would keep the key from being of use', async () => {
    await using place = await project({ tenants: { acme: {} }, auth: { permissions: { read: ['*'] } } })
    const { code, stderr } = await runPatchbay(['keys', 'create'], place)
    assert.equal(code, 0)
    assert.match(stderr, /auth\.inbound\.mode is "none", which takes no API keys/)
    assert.match(stderr, /has the tenants acme, and the key is of none of them/)
    assert.match(stderr, /the key has none: it will see no tool/)
  })

  test('refuses what could not be a key, and an id that was ever used', async () => {
    await using place = await project(guarded)
    assert.equal((await runPatchbay(['keys', 'create', '--id', 'ci'], place)).code, 0)
    assert.equal((await runPatchbay(['keys', 'revoke', 'ci'], place)).code, 0)
    const wrong: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['keys', 'create', '--id', 'ci'], 1, /"ci" exists or existed/],
      [['keys', 'create', '--id', 'C I'], 2, /at most 40 characters/],
      [['keys', 'create', '--expires', 'soon'], 2, /Give days or hours/],
      [['keys', 'create', '--expires', '2020-01-01'], 2, /over already/],
      [['keys', 'create', '--scope', 'a'], 2, /unknown option.*did you mean --scopes/is],
      [['keys', 'revoke', 'ci'], 1, /no API key "ci" to revoke/],
      [['keys', 'revoke'], 2, /missing required argument/],
      [['keys', 'remove', 'ci'], 2, /unknown command/],
    ]
    for (const [args, exit, words] of wrong) {
      const { code, stderr, stdout } = await runPatchbay(args, place)
      assert.deepEqual({ code, stdout }, { code: exit, stdout: '' }, args.join(' '))
      assert.match(stderr, words)
    }
  })

  test('opens a running host with a key that is made, until it is revoked', async () => {
    await using place = await project({
      ...guarded,
      pluginDirs: [],
      plugins: [{ use: join(import.meta.dirname, '../../../plugins/sqlite') }],
    })
    await using host = await startPatchbay([], place)
    const client = rawClient(host.url)
    const { stdout } = await runPatchbay(['keys', 'create', '--id', 'ci', '--json'], place)
    const { key } = JSON.parse(stdout) as Created
    const status = async () => (await client.post('tools/list', {}, { authorization: `Bearer ${key}` })).status
    await host.logged('api_keys_loaded', ({ keys }) => keys === 1)
    assert.equal(await status(), 200)
    await runPatchbay(['keys', 'revoke', 'ci', '--json'], place)
    await host.logged('api_keys_loaded', ({ keys }) => keys === 0)
    assert.equal(await status(), 401)
    assert.ok(![...host.log.map((line) => JSON.stringify(line)), ...host.stray].some((line) => line.includes(key)))
    assert.equal(await host.stop(), 0)
  })

  test('a host that asks nobody will not listen beyond loopback, unless it is told to at one’s own risk', async () => {
    await using place = await project({})
    for (const address of ['0.0.0.0', '::', '192.0.2.1']) {
      const { code, stderr } = await runPatchbay(['start', '--port', '0', '--management-port', '0', '--host', address], place)
      assert.equal(code, 78)
      assert.match(stderr, /Refused to listen on .* without authentication[^]*--dangerously-allow-unauthenticated/)
    }
    const args = ['start', '--port', '0', '--management-port', '0', '--host', '0.0.0.0', '--dangerously-allow-unauthenticated']
    const child = spawnPatchbay(args, place)
    const lines = text(child.stderr)
    child.stderr.on('data', (chunk: Buffer) => chunk.includes('"event":"listening"') && child.kill('SIGTERM'))
    await once(child, 'exit')
    assert.match(await lines, /"address":"0\.0\.0\.0","event":"listening_unauthenticated"/)
  })
})
