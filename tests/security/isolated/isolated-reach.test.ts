import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { isolatedHost } from '../../fixtures/plugins/isolated-host.ts'

const at = await isolatedHost({
  entry: { capabilities: { env: ['GRANTED'] } },
  env: { GRANTED: 'granted' },
  files: { 'hostile/data.txt': 'mine', 'outside.js': 'export default 1', 'outside.cjs': 'module.exports = 1' },
})
const outside = (path: string) => JSON.stringify(at.tree.path(path))
const network = { skip: process.versions.node.startsWith('24.') && 'Node 24 cannot forbid it' }

async function assertDenied(attempts: readonly string[], codes = /^ERR_ACCESS_DENIED$/): Promise<void> {
  for (const code of attempts) {
    const outcome = await at.run(code)
    assert.match(outcome.code ?? 'not denied', codes, `${code} gave ${JSON.stringify(outcome)}`)
  }
  assert.deepEqual(await at.run(`return require('node:fs').readFileSync('data.txt', 'utf8')`), { value: 'mine' })
}

test('a plugin reads nothing outside of its folder, however it spells it, and goes on', { timeout: 60_000 }, () =>
  assertDenied([
    ...[
      '"/etc/passwd"',
      '"/etc/../etc/passwd"',
      'Buffer.from("/etc/passwd")',
      'new URL("file:///etc/passwd")',
      '"/proc/self/environ"',
      '"/proc/self/cmdline"',
      '"/proc/self/mem"',
      '"/proc/1/environ"',
      '`/proc/${process.ppid}/environ`',
      '`/proc/${process.ppid}/mem`',
      '"/dev/fd/0"',
      '"../mcp.config.ts"',
      '"../neighbour/secret.txt"',
      outside('mcp.config.ts'),
      outside('neighbour/secret.txt'),
      outside('hostile/../neighbour/secret.txt'),
      // Another folder whose name begins with that of its own.
      outside('hostile2/data.txt'),
    ].map((path) => `return require('node:fs').readFileSync(${path}, 'utf8')`),
    `return require('node:fs').promises.readFile('/etc/passwd')`,
    `return new Promise((resolve, reject) => require('node:fs').createReadStream('/etc/passwd').on('error', reject).on('data', resolve))`,
    `return require('node:fs').openSync('/etc/passwd', 'r')`,
    `return require('node:fs').openAsBlob('/etc/passwd').then((blob) => blob.text())`,
    `return require('node:fs').readdirSync('..')`,
    `return require('node:fs').opendirSync('/')`,
    `return require('node:fs').statSync('/etc/passwd').size`,
    `return require('node:fs').cpSync('/etc', './etc', { recursive: true })`,
    `return require('node:fs').copyFileSync('/etc/passwd', 'data.txt')`,
    `return require('node:fs').watch('/etc')`,
    `return require(${outside('outside.cjs')})`,
    `return import(${outside('outside.js')})`,
    `return import('file:///etc/passwd')`,
    `process.chdir('/'); return process.cwd()`,
    `process.loadEnvFile('/proc/self/environ')`,
  ]),
)

test('a plugin writes nowhere, not even in its own folder', () =>
  assertDenied([
    ...[
      outside('hostile/data.txt'),
      outside('hostile/index.js'),
      outside('new.txt'),
      '"/tmp/patchbay-new.txt"',
      '"/dev/shm/new"',
    ].map((path) => `require('node:fs').writeFileSync(${path}, 'x')`),
    `require('node:fs').truncateSync('index.js', 0)`,
    `require('node:fs').rmSync('index.js')`,
    `require('node:fs').renameSync('index.js', 'other.js')`,
    `require('node:fs').chmodSync('index.js', 0o777)`,
    `require('node:fs').mkdirSync('new')`,
    `require('node:fs').mkdtempSync('/tmp/new')`,
    `require('node:fs').symlinkSync('/etc/passwd', 'link')`,
    `require('node:fs').linkSync('/etc/passwd', 'link')`,
    `require('node:fs').utimesSync('index.js', 0, 0)`,
    `process.report.writeReport('report.json')`,
    `require('node:v8').writeHeapSnapshot('heap.heapsnapshot')`,
  ]))

test('the environment of a plugin is what its entry grants, and its arguments say nothing', async () => {
  assert.deepEqual(await at.run(`return process.env`), { value: { GRANTED: 'granted' } })
  const { value } = await at.run(`return JSON.stringify([process.argv, process.execArgv, process.title])`)
  assert.doesNotMatch(String(value), /canary/)
})

test('a plugin starts no process, thread, addon or inspector', { timeout: 60_000 }, () =>
  assertDenied(
    [
      `require('node:child_process').execFileSync('/bin/true')`,
      `require('node:child_process').execSync('true')`,
      `require('node:child_process').spawnSync(process.execPath, ['-v'])`,
      `require('node:child_process').spawn('/bin/true')`,
      `require('node:child_process').fork('./index.js')`,
      `process.execve('/bin/true', ['true'], {})`,
      `require('node:cluster').fork()`,
      `new (require('node:worker_threads').Worker)('1', { eval: true })`,
      `new (require('node:worker_threads').Worker)('1', { eval: true, execArgv: ['--no-permission'] })`,
      `process.dlopen({ exports: {} }, '/usr/lib/libc.so.6')`,
      `require('./addon.node')`,
      `new (require('node:wasi').WASI)({ version: 'preview1', preopens: { '/': '/' } })`,
      `require('node:inspector').open(0)`,
      `new (require('node:inspector').Session)().connect()`,
      `process.binding('spawn_sync').spawn({ file: '/bin/true', args: [], stdio: [] })`,
      `require('node:sqlite')`,
      `require('node:ffi').dlopen('libc.so.6', {})`,
      `process.permission.has = () => true; require('node:child_process').execFileSync('/bin/true')`,
    ],
    /^(?:ERR_ACCESS_DENIED|ERR_DLOPEN_DISABLED|ERR_DLOPEN_FAILED|ERR_UNKNOWN_BUILTIN_MODULE|MODULE_NOT_FOUND)$/,
  ),
)

test('a plugin opens no connection, listens nowhere and resolves no name', { ...network, timeout: 60_000 }, async (t) => {
  const server = createServer()
  const connected: unknown[] = []
  server.on('connection', (socket) => {
    connected.push(socket)
    socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const path = at.tree.path('service.sock')
  const local = createServer((socket) => void connected.push(socket)).listen(path)
  await once(local, 'listening')
  t.after(() => local.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const inTime = (start: string) => `return await new Promise((resolve, reject) => { ${start} })`
  await assertDenied(
    [
      inTime(`require('node:net').connect(${port}, '127.0.0.1', () => resolve('in')).on('error', reject)`),
      inTime(`require('node:net').connect({ path: ${JSON.stringify(path)} }, () => resolve('in')).on('error', reject)`),
      inTime(`require('node:net').connect({ path: '\\0abstract' }, () => resolve('in')).on('error', reject)`),
      inTime(`require('node:tls').connect(${port}, '127.0.0.1', () => resolve('in')).on('error', reject)`),
      inTime(
        `const socket = require('node:dgram').createSocket('udp4').on('error', reject); socket.send('x', ${port}, '127.0.0.1', (error) => error ? reject(error) : resolve('in'))`,
      ),
      inTime(`require('node:dns').lookup('localhost', (error, found) => error ? reject(error) : resolve(found))`),
      `return require('node:dns').promises.resolve4('example.com')`,
      `return fetch('http://127.0.0.1:${port}').catch(({ cause }) => { throw cause })`,
      inTime(`require('node:http').get('http://127.0.0.1:${port}', resolve).on('error', reject)`),
      inTime(`require('node:http2').connect('http://127.0.0.1:${port}', resolve).on('error', reject)`),
      // Refused outside of the call that asked, where nothing of the contract catches it.
      ...[
        `require('node:net').createServer().listen(0, () => resolve('in'))`,
        `require('node:net').createServer().listen(${outside('x.sock')}, () => resolve('in'))`,
        `require('node:net').createServer().listen('\\0abstract', () => resolve('in'))`,
        `require('node:dgram').createSocket('udp4').bind(0, () => resolve('in'))`,
        `const socket = new WebSocket('ws://127.0.0.1:${port}'); socket.onopen = () => resolve('in'); socket.onerror = () => reject({ code: 'ERR_ACCESS_DENIED' })`,
      ].map((start) => inTime(`process.once('uncaughtException', reject); ${start}`)),
    ],
    /^ERR_ACCESS_DENIED$/,
  )
  assert.deepEqual(connected, [])
})

test('what a plugin was refused is in the log, with the permission and what it was for, each once however often it tries', async () => {
  at.passMinute()
  const denied = () => at.lines.all.filter(({ event }) => event === 'plugin_access_denied')
  const before = denied().length
  // It looks at none but the last.
  await at.run(`
    const fs = require('node:fs')
    for (let i = 0; i < 100; i++) try { fs.readFileSync('/etc/passwd') } catch {}
    fs.readFile('/proc/self/environ', () => {})
    fs.writeFileSync('/tmp/' + 'x'.repeat(1_000), 'x')`)
  const lines = denied().slice(before)
  assert.deepEqual(
    lines.map(({ level, plugin, permission, resource }) => [level, plugin, permission, String(resource).slice(0, 18)]),
    [
      ['warn', 'hostile', 'FileSystemRead', '/etc/passwd'],
      ['warn', 'hostile', 'FileSystemRead', '/proc/self/environ'],
      ['warn', 'hostile', 'FileSystemWrite', '/tmp/xxxxxxxxxxxxx'],
    ],
  )
  assert.ok(lines.every(({ call, resource }) => typeof call === 'string' && String(resource).length <= 500))
})

test('a plugin that tries every file is a few lines in the log, and how many more there were', async () => {
  at.passMinute()
  const before = at.lines.all.length
  await at.run(`for (let i = 0; i < 500; i++) try { require('node:fs').statSync('/etc/' + i) } catch {}`)
  at.passMinute()
  await at.run(`require('node:fs').statSync('/etc/again')`)
  const said = at.lines.all.slice(before)
  assert.equal(said.filter(({ event }) => event === 'plugin_access_denied').length, 21)
  assert.equal(said.findLast(({ event }) => event === 'plugin_denials_dropped')?.['times'], 480)
})

test('a plugin finds no descriptor of the host but its channel', async () => {
  const { value } = await at.run(`
    const fs = require('node:fs')
    return Array.from({ length: 64 }, (_, fd) => fd).filter((fd) => { try { return fs.fstatSync(fd).isFile() } catch { return false } })`)
  assert.deepEqual(value, [])
})
