// Cases G01, G03, G07, G08, G12, G16 and the canary: what a plugin in its own process can reach.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { CANARY } from '../fixtures/host-under-test.ts'
import { startProbe } from '../fixtures/probe.ts'

test('a plugin in its own process reads its own folder and nothing else, and goes on after it was refused', async (t) => {
  const probe = await startProbe(t, {
    files: { 'mcp.config.ts': 'export default {}', 'probe/data.txt': 'mine', 'other.txt': 'not mine' },
  })
  const read = (path: string) => probe.run(`return require('node:fs').readFileSync(${JSON.stringify(path)}, 'utf8')`)
  assert.deepEqual(await read(probe.tree.path('probe/data.txt')), { value: 'mine' })
  for (const path of [
    '/etc/passwd',
    '/proc/self/environ',
    `/proc/${process.pid}/environ`,
    probe.tree.path('mcp.config.ts'),
    probe.tree.path('other.txt'),
    probe.tree.path('probe/../other.txt'),
    probe.tree.path('neighbour/index.js'),
  ]) {
    const { code, permission } = await read(path)
    assert.deepEqual({ path, code, permission }, { path, code: 'ERR_ACCESS_DENIED', permission: 'FileSystemRead' })
  }
  for (const code of [
    `require('node:fs').writeFileSync(${JSON.stringify(probe.tree.path('probe/new.txt'))}, 'x')`,
    `require('node:fs').writeFileSync('/tmp/new.txt', 'x')`,
    `require('node:fs').symlinkSync('/etc/passwd', ${JSON.stringify(probe.tree.path('probe/link'))})`,
  ])
    assert.equal((await probe.run(code)).code, 'ERR_ACCESS_DENIED', code)
  assert.deepEqual(await probe.run('return 1 + 1'), { value: 2 })
})

test('the environment of a plugin process is what its entry grants', async (t) => {
  process.env['PROBE_GRANTED'] = 'not this one'
  t.after(() => delete process.env['PROBE_GRANTED'])
  const probe = await startProbe(t)
  assert.deepEqual(await probe.run('return process.env'), { value: {} })
})

test('a plugin process starts no process, thread, addon or inspector', async (t) => {
  const probe = await startProbe(t)
  for (const code of [
    `require('node:child_process').execFileSync('/bin/true')`,
    `require('node:child_process').spawnSync(process.execPath, ['-v'])`,
    `process.execve('/bin/true', ['true'], {})`,
    `new (require('node:worker_threads').Worker)('1', { eval: true, execArgv: ['--no-permission'] })`,
    `require('node:cluster').fork()`,
    `process.dlopen({ exports: {} }, '/tmp/x.node')`,
    `new (require('node:wasi').WASI)({ version: 'preview1' })`,
    `const s = new (require('node:inspector').Session)(); s.connect()`,
    `require('node:sqlite')`,
  ]) {
    const outcome = await probe.run(code)
    assert.ok('message' in outcome, `${code} gave ${JSON.stringify(outcome)}`)
    assert.match(
      outcome.code ?? '',
      /^ERR_(?:ACCESS_DENIED|DLOPEN_DISABLED|UNKNOWN_BUILTIN_MODULE)$|^MODULE_NOT_FOUND$/,
      `${code}: ${outcome.message}`,
    )
  }
})

test(
  'a plugin process reaches no network, not even this machine',
  { skip: process.versions.node.startsWith('24.') },
  async (t) => {
    const server = createServer(() => assert.fail('a plugin came through')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const { port } = server.address() as { port: number }
    const probe = await startProbe(t)
    const attempt = (start: string) =>
      probe.run(`return new Promise((resolve, reject) => {
      process.once('uncaughtException', reject)
      ${start}
    })`)
    for (const start of [
      `require('node:net').connect(${port}, '127.0.0.1', () => resolve('in')).on('error', reject)`,
      `require('node:net').createServer().listen('/tmp/x.sock', () => resolve('in')).on('error', reject)`,
      `require('node:net').connect('/tmp/x.sock').on('error', reject)`,
      `require('node:net').createServer().listen('\\0abstract', () => resolve('in')).on('error', reject)`,
      `require('node:dgram').createSocket('udp4').on('error', reject).bind(() => resolve('in'))`,
      `require('node:dns').promises.lookup('localhost').then(resolve, reject)`,
      `fetch('http://127.0.0.1:${port}').then(resolve, (error) => reject(error.cause ?? error))`,
      `const socket = new WebSocket('ws://127.0.0.1:${port}'); socket.onerror = () => reject(Object.assign(new Error('refused'), { code: 'ERR_ACCESS_DENIED' })); socket.onopen = () => resolve('in')`,
    ]) {
      const outcome = await attempt(start)
      assert.equal(outcome.code, 'ERR_ACCESS_DENIED', `${start} gave ${JSON.stringify(outcome)}`)
    }
  },
)

test('what a plugin does to its own globals nobody else notices', async (t) => {
  const probe = await startProbe(t)
  await probe.run(`
    Object.prototype.polluted = true
    Array.prototype.map = () => { throw new Error('broken') }
    globalThis.Promise = class {}
    JSON.parse = () => ({ polluted: true })`)
  assert.equal(Reflect.get({}, 'polluted'), undefined)
  assert.match((await probe.client.call('neighbour_list')).text, /1,2/)
  assert.match((await probe.client.call('healthy_pulse_check')).text, /alive/)
})

test('a plugin that takes the checks out of its own copy of the contract is checked all the same', async (t) => {
  const probe = await startProbe(t, { entry: { readOnly: true } })
  await probe.run(`const api = require('@mcp-patchbay/plugin-api'); api.SecretValue.prototype.reveal = () => 'mine'`)
  const { code, message } = await probe.run(`return ctx.client.text('/things', { method: 'POST' })`)
  assert.deepEqual([code, /may only read/.test(message ?? '')], ['PERMISSION_DENIED', true])
  const sent = await probe.run(`return ctx.client.text('https://elsewhere.example/x')`)
  assert.match(sent.message ?? '', /leads to a host this plugin was not granted/)
})

test('a secret of the host is nowhere in the process of the plugin that uses it', async (t) => {
  const probe = await startProbe(t)
  const { value } = await probe.run(`
    const { inspect } = require('node:util')
    const seen = [process.env, process.argv, process.execArgv, ctx.config, String(ctx.config.apiKey), ctx.principal, ctx]
    let revealed
    try { revealed = ctx.config.apiKey.reveal() } catch (error) { revealed = error.code }
    return { revealed, all: inspect(seen, { depth: 12, showHidden: true }) }`)
  const { revealed, all } = value as { revealed: string; all: string }
  assert.equal(revealed, 'PERMISSION_DENIED')
  assert.ok(!all.includes(CANARY))
})

test('a secret is revealed only to a plugin that declares it and whose entry grants it', async (t) => {
  const probe = await startProbe(t, { entry: { capabilities: { credentials: 'raw' } } })
  const { code } = await probe.run(`return ctx.config.apiKey.reveal()`)
  assert.equal(code, 'PERMISSION_DENIED')
})
