// What the machine refuses, at each place where the host opens, writes, sends, watches or starts something: whatever it is, the host lives,
// the others answer, what serves goes on, and when the machine gives again, so does the host.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { rawClient, type RawClient } from '../fixtures/http/raw-client.ts'
import { startUpstream, reply } from '../fixtures/http/upstream.ts'
import { pluginPids, until } from '../fixtures/plugins/plugin-processes.ts'
import { configJson, revisionPlugin } from '../fixtures/plugins/reloading.ts'
import { sourceTree, type SourceTree } from '../fixtures/plugins/source-tree.ts'
import type { Fault } from '../fixtures/projects/inject-faults.ts'
import { runPatchbay, spawnPatchbay, startPatchbay, type PatchbayProcess } from '../fixtures/projects/patchbay-process.ts'

const INJECT = join(import.meta.dirname, '../fixtures/projects/inject-faults.ts')
const onLinux = { skip: process.platform !== 'linux' && 'there is no /proc' }

const SERVICE = `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
export default definePlugin({
  name: 'service', config: Type.Object({ apiUrl: Type.String() }), isAuthConfigured: () => true, createClient: ({ http }) => http,
  tools: [defineTool({ name: 'get', description: 'Asks.', access: 'read', input: Type.Object({}), run: (_, { client }) => client.text('/') })],
})`

interface At {
  readonly host: PatchbayProcess
  readonly client: RawClient
  readonly tree: SourceTree
  /** From now on these calls fail; none without any. */
  readonly inject: (...faults: readonly Fault[]) => void
  /** The number that tools say grows: waits until this one does. */
  readonly says: (tool: string, revision: number) => Promise<void>
  /** The next line with this event. */
  readonly hears: (event: string) => Promise<void>
}

interface Row {
  readonly what: string
  readonly faults: readonly Fault[]
  /** While the calls fail. */
  readonly meanwhile: (at: At, revision: number) => Promise<void>
  /** When they do not any more. */
  readonly after: (at: At, revision: number) => Promise<void>
}

const reads = (at: string, code: Fault['code'] = 'EMFILE'): readonly Fault[] =>
  ['readFileSync', 'openSync', 'open', 'readFile', 'promises.open', 'promises.readFile'].map((call) => ({ call, at, code }))
const save = ({ tree }: At, name: string, revision: number) =>
  tree.write(`plugins/${name}/index.ts`, revisionPlugin(name, revision))

const ROWS: readonly Row[] = [
  {
    what: 'a file of a plugin that is edited cannot be opened',
    faults: reads('plugins/a/'),
    async meanwhile(at, revision) {
      save(at, 'a', revision)
      await at.hears('plugin_kept')
    },
    async after(at, revision) {
      save(at, 'a', revision)
      await at.says('a_rev', revision)
    },
  },
  {
    what: 'a file of a plugin in a process of its own cannot be opened',
    faults: reads('apart/'),
    async meanwhile(at, revision) {
      at.tree.write('apart/index.ts', revisionPlugin('apart', revision))
      // Its own process can open it. What the host cannot compare, it does not build again and again.
      await at.says('apart_rev', revision)
      save(at, 'a', revision)
      await at.says('a_rev', revision)
      assert.equal(at.host.log.filter(({ event, plugin }) => event === 'plugin_reloaded' && plugin === 'apart').length, 1)
    },
    async after(at, revision) {
      at.tree.write('apart/index.ts', revisionPlugin('apart', revision))
      await at.says('apart_rev', revision)
    },
  },
  {
    what: 'the folder of plugins cannot be listed',
    faults: ['readdirSync', 'readdir', 'promises.readdir'].map((call) => ({ call, at: '/plugins', code: 'EMFILE' })),
    async meanwhile(at, revision) {
      at.tree.write(`plugins/new${revision}/index.ts`, revisionPlugin(`new${revision}`, 1))
      save(at, 'a', revision)
      await at.says('a_rev', revision)
    },
    async after(at, revision) {
      save(at, 'a', revision + 1)
      await at.says('a_rev', revision + 1)
      await at.says(`new${revision}_rev`, 1)
    },
  },
  {
    what: 'the config cannot be opened',
    faults: reads('mcp.config.json'),
    async meanwhile(at) {
      at.tree.write('mcp.config.json', readFileSync(at.tree.path('mcp.config.json'), 'utf8').replace('"debug"', '"info"'))
      await at.hears('config_refused')
    },
    async after(at) {
      at.host.kill('SIGHUP')
      await at.hears('config_loaded')
    },
  },
  {
    what: 'no process can be started when one has died',
    faults: [{ call: 'spawn', code: 'EMFILE' }],
    async meanwhile(at) {
      for (const pid of pluginPids(at.host.pid)) process.kill(pid, 'SIGKILL')
      await at.hears('plugin_restart_failed')
    },
    async after(at) {
      await at.hears('plugin_restarted')
    },
  },
  {
    what: 'no connection to a service can be opened',
    faults: ['connect', 'createConnection'].map((call) => ({ call, code: 'EMFILE' })),
    async meanwhile({ client }) {
      const { text } = await client.call('service_get')
      assert.match(text, /"isError":true/)
      assert.match(text, /service_get failed/)
    },
    async after({ client }) {
      let text = ''
      while (!text.includes('"text":"served"')) ({ text } = await client.call('service_get'))
    },
  },
  {
    what: 'nothing more can be watched',
    faults: [{ call: 'watch', code: 'ENOSPC' }],
    async meanwhile(at, revision) {
      at.tree.write(`plugins/late${revision}/index.ts`, revisionPlugin(`late${revision}`, 1))
      await at.says(`late${revision}_rev`, 1)
    },
    async after(at, revision) {
      save(at, 'a', revision)
      await at.says('a_rev', revision)
    },
  },
]

test(
  'whatever the machine refuses to a host that serves, the others answer, and it goes on when that is over',
  onLinux,
  async (t) => {
    await using service = await startUpstream(reply(200, 'served'))
    using tree = sourceTree({
      'mcp.config.json': configJson({
        plugins: [
          { use: './apart', isolation: 'process' },
          { use: './service.ts', config: { apiUrl: service.url } },
        ],
        log: { level: 'debug', audit: true },
      }),
      'service.ts': SERVICE,
      'apart/index.ts': revisionPlugin('apart', 1),
      'plugins/a/index.ts': revisionPlugin('a', 1),
      'faults.json': '[]',
    })
    await using host = await startPatchbay(['--watch', '--config', tree.path('mcp.config.json')], {
      cwd: tree.root,
      env: { NODE_OPTIONS: `--import=${INJECT}`, FAULTS_FILE: tree.path('faults.json') },
    })
    const client = rawClient(host.url)
    let heard = 0
    const at: At = {
      host,
      client,
      tree,
      inject(...faults) {
        writeFileSync(tree.path('faults.next'), JSON.stringify(faults))
        renameSync(tree.path('faults.next'), tree.path('faults.json'))
        heard = host.log.length
      },
      async says(tool, revision) {
        await host.retried(async () => (await client.call(tool)).text.includes(`"text":"${revision}"`))
      },
      async hears(event) {
        await host.next(heard, (line) => line.event === event)
      },
    }
    for (const tool of ['a_rev', 'apart_rev']) await at.says(tool, 1)
    const descriptors = () => readdirSync(`/proc/${host.pid}/fd`).length
    const before = descriptors()
    for (const [index, { what, faults, meanwhile, after }] of ROWS.entries())
      await t.test(what, async () => {
        const revision = (index + 2) * 10
        at.inject(...faults)
        await meanwhile(at, revision)
        assert.equal((await fetch(new URL('/healthz', host.management))).status, 200)
        assert.match((await client.call('a_rev')).text, /"result":.*"text":"\d+"/)
        if (!what.includes('process')) assert.match((await client.call('apart_rev')).text, /"result":.*"text":"\d+"/)
        at.inject()
        await after(at, revision)
        for (const tool of ['a_rev', 'apart_rev']) assert.match((await client.call(tool)).text, /"result":.*"text":"\d+"/)
        assert.deepEqual(
          host.log.filter(({ event }) => event === 'uncaught_error'),
          [],
        )
        assert.deepEqual(host.stray, [])
      })
    // Sockets of the calls above, and folders that are watched since.
    await until(() => descriptors() <= before + 12)
    assert.equal(await host.stop(), 0)
  },
)

test('a host whose stderr nothing reads any more serves on and ends as it is told', async (t) => {
  using tree = sourceTree({
    'mcp.config.json': JSON.stringify({ plugins: ['./a.ts'], log: { audit: true } }),
    'a.ts': revisionPlugin('a', 1),
  })
  const child = spawnPatchbay(['start', '--port', '0', '--management-port', '0', '--config', tree.path('mcp.config.json')])
  t.after(() => child.kill('SIGKILL'))
  const [first] = (await once(createInterface(child.stderr), 'line')) as [string]
  const { url, management } = JSON.parse(first) as { url: string; management: string }
  child.stderr.destroy()
  for (let call = 0; call < 50; call++) assert.match((await rawClient(new URL(url)).call('a_rev')).text, /"text":"1"/)
  const [, dropped] = /^patchbay_log_lines_dropped_total (\d+)$/m.exec(await (await fetch(`${management}/metrics`)).text()) ?? []
  assert.ok(Number(dropped) >= 49, `${dropped} lines were counted`)
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

const HELLO = `${JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'a', version: '1' } },
})}\n${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`
const BIG = revisionPlugin('big', 'x'.repeat(200_000))
const ask = (id: number) =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'big_rev', arguments: {} } })}\n`

for (const [what, act] of [
  ['is gone', (child: ReturnType<typeof spawnPatchbay>) => void child.stdout.destroy()],
  [
    'reads nothing and closes its end',
    (child: ReturnType<typeof spawnPatchbay>) => {
      child.stdout.pause()
      setImmediate(() => child.stdin.end())
    },
  ],
] as const)
  test(`on stdio a client that ${what} ends its host, whatever is on its way to it`, async (t) => {
    using tree = sourceTree({ 'mcp.config.json': JSON.stringify({ plugins: ['./big.ts'] }), 'big.ts': BIG })
    const child = spawnPatchbay(['start', '--stdio', '--config', tree.path('mcp.config.json')])
    t.after(() => child.kill('SIGKILL'))
    child.stdin.on('error', () => undefined)
    const stderr = child.stderr.setEncoding('utf8').toArray()
    child.stdin.write(HELLO)
    await once(child.stdout, 'data')
    const exited = once(child, 'exit')
    act(child)
    for (let id = 2; id < 12; id++) if (!child.stdin.writableEnded) child.stdin.write(ask(id))
    assert.deepEqual(await exited, [0, null])
    assert.doesNotMatch((await stderr).join(''), /uncaught|Unhandled|at .*\(file:/)
  })

test(
  'a terminal or disk that takes nothing of stdout ends the host on stdio',
  { skip: process.platform !== 'linux' },
  async (t) => {
    using tree = sourceTree({ 'mcp.config.json': JSON.stringify({ plugins: ['./big.ts'] }), 'big.ts': BIG })
    const full = openSync('/dev/full', 'w')
    const program = join(import.meta.dirname, '../../host/bin/patchbay.mjs')
    const child = spawn(process.execPath, [program, 'start', '--stdio', '--config', tree.path('mcp.config.json')], {
      stdio: ['pipe', full, 'pipe'],
    })
    closeSync(full)
    t.after(() => child.kill('SIGKILL'))
    assert.ok(child.stdin && child.stderr)
    child.stdin.on('error', () => undefined)
    const stderr = child.stderr.setEncoding('utf8').toArray()
    child.stdin.write(HELLO)
    assert.deepEqual(await once(child, 'exit'), [0, null])
    assert.doesNotMatch((await stderr).join(''), /uncaught|Unhandled|at .*\(file:/)
  },
)

for (const step of ['open', 'write', 'sync', 'rename'])
  test(`a disk that is full at ${step} leaves the file of the keys and the lock as they were, and says which`, async () => {
    using tree = sourceTree({
      'mcp.config.json': JSON.stringify({ plugins: ['./a.ts'], auth: { inbound: { mode: 'apiKey', keysFile: 'keys.json' } } }),
      'a.ts': revisionPlugin('a', 1),
      'keys.json': '{"keysVersion":1,"keys":[]}',
    })
    const files = () => readdirSync(tree.root).toSorted()
    const before = files()
    for (const [args, point, file] of [
      [['keys', 'create'], `keys.${step}`, 'keys.json'],
      [['lock'], `lock.${step}`, 'mcp.lock.json'],
      [['lock'], `approved.${step}`, '.patchbay'],
    ] as const) {
      const { code, stdout, stderr } = await runPatchbay([...args, '--config', tree.path('mcp.config.json')], {
        env: { PATCHBAY_FAULTS: `${point}:full` },
      })
      assert.ok(code === 1 || code === 78, `${point}: ${code} ${stdout}${stderr}`)
      assert.ok(stderr.includes(file), stderr)
      assert.match(stderr, /To fix:/)
    }
    assert.equal(readFileSync(tree.path('keys.json'), 'utf8'), '{"keysVersion":1,"keys":[]}')
    assert.deepEqual(
      files().filter((name) => name !== '.patchbay'),
      before,
    )
  })
