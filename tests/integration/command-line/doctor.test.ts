import assert from 'node:assert/strict'
import { chmodSync, symlinkSync, unlinkSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { createHost } from '../../../host/src/host.ts'
import { issuerFindings, nodeFindings } from '../../../host/src/project/doctor/machine-findings.ts'
import packageJson from '../../../host/package.json' with { type: 'json' }
import { releaseFindings } from '../../../host/src/project/doctor/release-findings.ts'
import { openProject } from '../../../host/src/project/open-project.ts'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import { pinnedProject, pluginSource, tool } from '../../fixtures/projects/pinned-project.ts'

interface Report {
  readonly findings: readonly {
    readonly about: string
    readonly problem: string
    readonly cause: string
    readonly fix: readonly string[]
  }[]
}

const free = { http: { port: 0 }, management: { port: 0 } }

describe('doctor', () => {
  test('is silent on a good project, pinned or not', async () => {
    using project = pinnedProject({
      'mcp.config.json': JSON.stringify({ pluginDirs: ['./plugins'], listen: free, tools: { deny: ['*_drop'] } }),
      'plugins/notes/index.js': pluginSource({ tools: [tool(), tool({ name: 'items_drop', access: 'write' })] }),
    })
    for (const _ of ['before the lock', 'after it']) {
      const { code, stdout } = await project.patchbay(['doctor'])
      assert.deepEqual([stdout, code], ['Nothing is wrong\n', 0])
      await project.patchbay(['lock'])
    }
  })

  test('names each planted problem, with its cause and what to do', async (t) => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    t.after(() => taken.close())
    const { port } = taken.address() as AddressInfo
    using project = pinnedProject({
      'mcp.config.json': JSON.stringify({
        plugins: [
          { use: './plugins/notes', config: { apiToken: 'x-secret-x' }, overrides: { items_got: { title: 'x' } } },
          './plugins/broken',
        ],
        pluginDirs: ['./absent'],
        listen: { http: { port }, management: { port: 0 } },
        tools: { deny: ['notes_items_dorp'] },
      }),
      'plugins/notes/index.js': pluginSource().replace(
        'Type.Object({})',
        "Type.Object({ apiToken: Type.Optional(Type.String({ writeOnly: true, description: 'x' })) })",
      ),
      'plugins/broken/index.js': `import './missing.js'\n`,
      'mcp.lock.json': '{ "lockfileVersion": 1, "deployments": {} }',
      'mcp.keys.json': '{ "keys": [] }',
    })
    chmodSync(project.path('mcp.lock.json'), 0o666)
    chmodSync(project.path('mcp.keys.json'), 0o644)
    chmodSync(project.root, 0o755) // a temporary folder is closed to others
    const { code, stdout } = await project.patchbay(['doctor', '--json'])
    assert.equal(code, 1)
    assert.ok(!stdout.includes('x-secret-x'))
    const { findings } = JSON.parse(stdout) as Report
    const problems = findings.map(({ about, problem }) => `${about}: ${problem}`)
    for (const expected of [
      /^file: Any user of this machine can write to .*mcp\.lock\.json$/,
      /^file: Other users of this machine can read .*mcp\.keys\.json$/,
      /^config: pluginDirs names .*absent, which does not exist$/,
      /^plugin: broken is failed$/,
      /^config: tools\.deny: "notes_items_dorp" matches no tool/,
      /^config: overrides of the entry "notes": "items_got" is the name of no tool/,
      /^config: config\.apiToken of the entry "notes" is a secret/,
      /^lock: notes is not pinned$/,
      new RegExp(`^port: listen\\.http cannot use 127\\.0\\.0\\.1:${port}$`),
    ])
      assert.ok(
        problems.some((problem) => expected.test(problem)),
        `${String(expected)} in\n${problems.join('\n')}`,
      )
    assert.equal(new Set(problems.map((problem) => problem.split(': ')[1]?.replace(/\S*absent/, 'absent'))).size, problems.length)
    for (const { cause, fix } of findings) assert.ok(cause !== '' && fix.length > 0)
    const { stdout: text } = await project.patchbay(['doctor'])
    assert.match(text, /^port: .*\n {2}Cause: another program has the port.*\n {2}To fix: Stop the other program/m)
    assert.match(text, new RegExp(`\\n${findings.length} findings\\n$`))
  })

  test('names a Redis that is away, a folder of plugins without one, and each kind of package that is not installed any more', async () => {
    using project = pinnedProject({
      'mcp.config.json': JSON.stringify({
        pluginDirs: ['./plugins', './more'],
        plugins: [
          { use: '@acme/gone', version: '1.0.0' },
          { use: 'mcp:npm:acme-server', version: '1.0.0', as: 'server', integrity: `sha512-${'A'.repeat(86)}==` },
        ],
        cache: { store: 'redis://:canary-password@127.0.0.1:1' },
        listen: free,
      }),
      'plugins/needs/index.js': `import 'acme-dependency'\n${pluginSource()}`,
      'more/.gitkeep': '',
      'more/README.md': 'Plugins go here.',
    })
    const { code, stdout } = await project.patchbay(['doctor'])
    assert.equal(code, 1)
    assert.doesNotMatch(stdout, /canary-password/)
    for (const expected of [
      /^cache: .*redis:\/\/127\.0\.0\.1:1.*\n {2}Cause: nothing is kept or shared/m,
      /^config: pluginDirs names .*more, which is empty\n.*\n {2}To fix: Make a plugin there: npx mcp-patchbay create-plugin/m,
      /^plugin: gone is failed\n {2}Cause: .*@acme\/gone.* was not found/m,
      /^plugin: server is failed\n {2}Cause: .*acme-server@1\.0\.0 is not installed/m,
      /^plugin: needs is failed\n {2}Cause: .*acme-dependency/m,
    ])
      assert.match(stdout, expected)
  })

  test('names the host of the project that is running, by any way to its config, and finds its ports not taken', async () => {
    using project = pinnedProject({ 'mcp.config.json': '{}' })
    symlinkSync(project.root, `${project.root}-link`)
    try {
      await using host = await createHost({}, { file: `${project.root}-link/mcp.config.json` })
      const { port, managementUrl = '' } = await host.listen(free)
      project.write(
        'mcp.config.json',
        JSON.stringify({ listen: { http: { port }, management: { port: Number(new URL(managementUrl).port) } } }),
      )
      const { code, stdout } = await project.patchbay(['doctor'])
      assert.equal(
        stdout,
        `The host of this project is running: http://127.0.0.1:${port}/mcp (${packageJson.version})\nNothing is wrong\n`,
      )
      assert.equal(code, 0)
    } finally {
      unlinkSync(`${project.root}-link`)
    }
  })

  test('names newer releases of what is pinned, not those of the last days, and says when the registry does not answer', async () => {
    using project = pinnedProject({
      'mcp.config.json': JSON.stringify({
        plugins: [
          { use: '@acme/notes', version: '1.9.0', as: 'notes' },
          { use: 'mcp:npm:acme-files', version: '2.0.0-rc.1', as: 'files' },
          { use: 'mcp:npm:acme-ahead', version: '3.0.0', as: 'ahead' },
          { use: 'mcp:npm:acme-young', version: '1.0.0', as: 'young' },
          { use: 'mcp:npm:acme-gone', version: '1.0.0', as: 'gone' },
          { use: '@acme/not-pinned' },
        ],
      }),
    })
    const now = Date.parse('2030-01-10')
    const latest: Readonly<Record<string, readonly [version: string, publishedAt?: string]>> = {
      'mcp-patchbay': [packageJson.version],
      '@acme/notes': ['1.10.0', '2030-01-01'],
      'acme-files': ['2.0.0'],
      'acme-ahead': ['2.9.9'],
      'acme-young': ['1.0.1', '2030-01-09'],
    }
    const npm = {
      async query([, spec = '']: readonly string[]) {
        const name = spec.replace(/@latest$/, '')
        const [version, publishedAt] = latest[name] ?? []
        return version && { name, version, ...(publishedAt && { time: { [version]: publishedAt } }) }
      },
    }
    const findings = await releaseFindings(await openProject({ config: project.path('mcp.config.json') }), npm, now)
    assert.deepEqual(
      findings.map(({ problem, fix }) => [problem, ...fix]),
      [
        ['notes is @acme/notes 1.9.0, and 1.10.0 is out', 'npx mcp-patchbay update notes'],
        ['files is acme-files 2.0.0-rc.1, and 2.0.0 is out', 'npx mcp-patchbay update files'],
        ['It is not known whether acme-gone has a newer release than 1.0.0', 'Correct what npm says: npm view acme-gone version'],
      ],
    )
  })

  test('says so where this Node cannot keep the network from isolated plugins', () => {
    const config = resolveConfig({ plugins: ['@acme/notes', './plugins/a'] })
    assert.equal(nodeFindings(config, false).length, 1)
    assert.equal(nodeFindings(config, true).length, 0)
    assert.equal(nodeFindings(resolveConfig({ plugins: ['./plugins/a'] }), false).length, 0)
  })

  test('compares the clock of an issuer with this machine’s, and says when it does not answer', async (t) => {
    const server = createHttpServer((_req, res) => res.end()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const config = resolveConfig({
      auth: { inbound: { mode: 'oauth', oauth: { resource: 'https://mcp.example.com/mcp', issuers: [{ issuer }] } } },
    })
    assert.deepEqual(await issuerFindings(config), [])
    const [late] = await issuerFindings(config, () => Date.now() + 120_000)
    assert.match(late?.problem ?? '', /is 1[12]\d s behind this machine's$/)
    server.closeAllConnections()
    server.close()
    t.diagnostic('closed')
    const [gone] = await issuerFindings(config)
    assert.match(gone?.problem ?? '', /does not answer$/)
  })
})
