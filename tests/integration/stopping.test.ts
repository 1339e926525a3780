import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, watch } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { rawClient } from '../fixtures/http/raw-client.ts'
import { isRunning, pluginPids, until } from '../fixtures/plugins/plugin-processes.ts'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'
import { spawnPatchbay, startPatchbay } from '../fixtures/projects/patchbay-process.ts'

const WAITS = ['--config', join(import.meta.dirname, '../fixtures/stopping/mcp.config.json')]
const IMPATIENT = ['--config', join(import.meta.dirname, '../fixtures/stopping/impatient.json')]

test('on SIGTERM a call that runs is finished and answered, and the host ends with 0 though a plugin left a timer', async () => {
  await using host = await startPatchbay(WAITS)
  const answer = rawClient(host.url).call('waits_until_stopped')
  await host.logged('plugin.waiting')
  const exited = host.stop()
  const { status, headers, text: body } = await answer
  assert.equal(status, 200)
  assert.match(body, /"text":"finished"/)
  assert.equal(headers.get('connection'), 'close')
  assert.equal(await exited, 0)
})

test('on stdio too', async () => {
  const child = spawnPatchbay(['start', '--transport', 'stdio', ...WAITS])
  const stdout = text(child.stdout)
  const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'waits_until_stopped', arguments: {} } }
  const client = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'pipe', version: '1' } }
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: client })}\n`)
  child.stdin.write(`${JSON.stringify(call)}\n`)
  let log = ''
  for await (const chunk of child.stderr.setEncoding('utf8')) {
    if (log.includes('"plugin.waiting"')) continue
    log += String(chunk)
    if (log.includes('"plugin.waiting"')) child.kill('SIGTERM')
  }
  assert.match(await stdout, /"text":"finished"/)
  assert.equal(child.exitCode ?? ((await once(child, 'exit')) as [number])[0], 0)
})

test('a call that does not finish within limits.drainMs is told so, and the host ends with 0', async () => {
  await using host = await startPatchbay(IMPATIENT)
  const answer = rawClient(host.url).call('waits_for_ever')
  await host.logged('plugin.waiting')
  const exited = host.stop()
  const { text: body } = await answer
  assert.match(body, /shutting down and the call did not finish in time/)
  assert.equal(await exited, 0)
})

test('a second signal ends the host at once', async () => {
  await using host = await startPatchbay(WAITS)
  const unanswered = assert.rejects(rawClient(host.url).call('waits_for_ever'))
  await host.logged('plugin.waiting')
  host.kill('SIGTERM')
  await host.logged('stopping')
  host.kill('SIGTERM')
  assert.equal(await host.exited, 143)
  await unanswered
})

const APART = `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
import { existsSync, watch } from 'node:fs'
import { join } from 'node:path'
const released = () => new Promise((resolve) => {
  const here = import.meta.dirname
  const watcher = watch(here)
  const look = () => { if (existsSync(join(here, 'release'))) { watcher.close(); resolve() } }
  watcher.on('change', look)
  look()
})
const tool = (name, run) => defineTool({ name, description: name, access: 'read', input: Type.Object({}), run })
export default definePlugin({
  name: 'apart', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}),
  tools: [
    tool('slow', async (_, { log }) => { log.info('begun'); await released(); return 'finished' }),
    tool('late', () => { setTimeout(() => { throw new Error('after its call') }, 20); return 'answered' }),
    tool('late_rejection', () => { setTimeout(() => Promise.reject(new Error('after its call')), 20); return 'answered' }),
  ],
})`

test('a signal to every process of the host leaves calls in isolated plugins to finish', async () => {
  using tree = sourceTree({
    'mcp.config.json': JSON.stringify({ plugins: [{ use: './apart', isolation: 'process' }] }),
    'apart/index.js': APART,
  })
  await using host = await startPatchbay(['--config', tree.path('mcp.config.json')])
  const client = rawClient(host.url)
  const answers = Array.from({ length: 4 }, () => client.call('apart_slow'))
  let begun = 0
  await host.next(0, ({ event }) => event === 'plugin.begun' && ++begun === 4)
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) for (const pid of pluginPids(host.pid)) process.kill(pid, signal)
  const exited = host.stop()
  await host.logged('stopping')
  tree.write('apart/release', '')
  for (const { text: body } of await Promise.all(answers)) assert.match(body, /"text":"finished"/)
  assert.equal(await exited, 0)
})

for (const [tool, kind] of [
  ['late', 'uncaughtException'],
  ['late_rejection', 'unhandledRejection'],
] as const)
  test(`what a plugin throws after its call is logged with its name, calls finish, and the host ends with 1 (${kind})`, async () => {
    using tree = sourceTree({
      'mcp.config.json': JSON.stringify({ plugins: ['./with space/apart', './with space'] }),
      'with space/apart/index.js': APART,
      'with space/index.js': APART.replace(`name: 'apart'`, `name: 'outer'`),
    })
    await using host = await startPatchbay(['--config', tree.path('mcp.config.json')])
    const client = rawClient(host.url)
    const slow = client.call('outer_slow')
    await host.logged('plugin.begun')
    assert.match((await client.call(`apart_${tool}`)).text, /answered/)
    const line = await host.logged('uncaught_error')
    assert.deepEqual([line['plugin'], line['kind']], ['apart', kind])
    tree.write('with space/release', '')
    assert.match((await slow).text, /"text":"finished"/)
    assert.equal(await host.exited, 1)
    assert.deepEqual(host.stray, [], 'nothing but lines of the log is on stderr')
  })

test('with limits.leaveMs a host that was told to stop says not ready, and serves on for so long', async () => {
  using tree = sourceTree({
    'mcp.config.json': JSON.stringify({ plugins: ['./apart'], limits: { leaveMs: 1_500 } }),
    'apart/index.js': APART,
    'apart/release': '',
  })
  await using host = await startPatchbay(['--config', tree.path('mcp.config.json')])
  const ready = new URL('/readyz', host.management)
  assert.equal((await fetch(ready)).status, 200)
  const exited = host.stop()
  await host.logged('leaving')
  assert.equal((await fetch(ready)).status, 503)
  const { text: body, headers } = await rawClient(host.url).call('apart_slow')
  assert.match(body, /"text":"finished"/)
  assert.notEqual(headers.get('connection'), 'close')
  assert.equal(await exited, 0)
})

test('SIGHUP has a host without a terminal read its config again', async () => {
  await using host = await startPatchbay(WAITS)
  host.kill('SIGHUP')
  await host.logged('config_loaded')
  assert.equal(await host.stop(), 0)
})

const SCRIPT = '/usr/bin/script'

test(
  'the end of its terminal ends a host, though nothing can be written there any more',
  { skip: !existsSync(SCRIPT) && 'there is no script(1)' },
  async () => {
    const command = [
      process.execPath,
      join(import.meta.dirname, '../../host/bin/patchbay.mjs'),
      'start',
      '--port',
      '0',
      '--management-port',
      '0',
      ...WAITS,
    ]
    using tree = sourceTree({ log: '' })
    const shell = `exec ${command.join(' ')} 2> ${tree.path('log')}`
    const terminal = spawn(SCRIPT, ['-qfec', shell, '/dev/null'], { stdio: ['pipe', 'ignore', 'ignore'] })
    const log = () => readFileSync(tree.path('log'), 'utf8')
    const written = watch(tree.path('log'))
    while (!log().includes('"listening"')) await once(written, 'change')
    written.close()
    const [pid = 0] = childrenOf(terminal.pid ?? 0)
    assert.ok(isRunning(pid))
    terminal.kill('SIGKILL')
    await until(() => !isRunning(pid))
    assert.deepEqual(
      log()
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { event: string }).event),
      ['listening', 'stopping'],
    )
  },
)

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
}
