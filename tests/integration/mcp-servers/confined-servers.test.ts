import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import type { AddressInfo } from 'node:net'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import type { HostConfig } from '../../../host/src/config/schema/schema.ts'
import { createHost } from '../../../host/src/host.ts'
import type { Host } from '../../../host/src/types.ts'
import { until } from '../../fixtures/plugins/plugin-processes.ts'
import { pinnedProject, type PinnedProject, type StartedHost } from '../../fixtures/projects/pinned-project.ts'

/** A server without packages, which tries whatever it is told to try. */
const source = `
import { createInterface } from 'node:readline'
import { readFileSync, writeFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n')
console.error('server started')
const tries = {
  read: ({ path }) => readFileSync(path, 'utf8'),
  list: ({ path }) => readdirSync(path).join(),
  write: ({ path }) => writeFileSync(path, 'written') ?? 'written',
  own: () => readFileSync(fileURLToPath(import.meta.url), 'utf8').slice(0, 10) && 'own',
  env: () => JSON.stringify([process.env, process.argv.slice(2)]),
  fetch: async ({ path }) => (await fetch(path)).text(),
  spawn: async () => (await import('node:child_process')).execFileSync('/bin/echo', ['spawned']).toString(),
  worker: async () => new (await import('node:worker_threads')).Worker('0', { eval: true }) && 'worker',
  sqlite: async ({ path }) => new (await import('node:sqlite')).DatabaseSync(path) && 'opened',
}
const inputSchema = { type: 'object', properties: { path: { type: 'string' } } }
createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, method, params } = JSON.parse(line)
  if (method === 'initialize') return send({ id, result: { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } } })
  if (method === 'tools/list') return send({ id, result: { tools: Object.keys(tries).map((name) => ({ name, inputSchema })) } })
  if (method !== 'tools/call') return id === undefined || send({ id, error: { code: -32601, message: 'Method not found' } })
  try {
    send({ id, result: { content: [{ type: 'text', text: await tries[params.name](params.arguments ?? {}) }] } })
  } catch (error) {
    send({ id, result: { isError: true, content: [{ type: 'text', text: String(error.code ?? error.cause?.code) + ' ' + error.message }] } })
  }
})
`
const at = (name: string) => `.patchbay/servers/${name}@1.0.0/node_modules/${name}`
const manifest = (name: string) => JSON.stringify({ name, version: '1.0.0', type: 'module', bin: './server.js' })
const entry = { use: 'mcp:npm:narrow', version: '1.0.0' }
const config = {
  plugins: [
    { ...entry, as: 'narrow', args: ['--one', 'two'], env: { PLAIN: 'value' } },
    { ...entry, as: 'wide', capabilities: { fs: { read: ['./given'], write: ['./given'] }, hosts: ['http://127.0.0.1'] } },
    { ...entry, as: 'brief', idleMs: 20 },
    { use: 'mcp:npm:missing', version: '1.0.0', as: 'missing' },
  ],
}
let project: PinnedProject
let started: StartedHost

before(async () => {
  process.env['PATCHBAY_TEST_CANARY'] = 'canary'
  project = pinnedProject(
    {
      [`${at('narrow')}/server.js`]: source,
      [`${at('narrow')}/package.json`]: manifest('narrow'),
      [`${at('other')}/server.js`]: 'canary of another server',
      'given/note.txt': 'given',
      'secret.txt': 'canary of the project',
      '.env': 'CANARY=canary',
    },
    config,
  )
  started = await project.start({ ...config, frozen: false })
})
after(async () => {
  await started[Symbol.asyncDispose]()
  project[Symbol.dispose]()
  delete process.env['PATCHBAY_TEST_CANARY']
})

async function call(name: string, path?: string): Promise<string> {
  const answer = await started.host.call(name, path === undefined ? {} : { path })
  const { content } = (answer as unknown as { readonly result: { content: { text?: string }[] } }).result
  return content.map(({ text }) => text).join('')
}
const listing = (name: string) => started.host.list().plugins.find((one) => one.name === name) ?? assert.fail(name)

test('a server from npm runs by this Node, with its words and variables and nothing of the host', async () => {
  assert.equal(listing('narrow').state, 'active', JSON.stringify(listing('narrow').reason))
  assert.equal(listing('narrow').isolation, 'process')
  assert.equal(listing('narrow').version, '1.0.0')
  assert.deepEqual(listing('narrow').rights, [])
  assert.equal(await call('narrow_own'), 'own')
  assert.deepEqual(JSON.parse(await call('narrow_env')), [{ PLAIN: 'value' }, ['--one', 'two']])
})

test('it reads no file beyond its own tree, writes none, and starts nothing', async () => {
  const canaries = [
    project.path('secret.txt'),
    project.path('.env'),
    project.path(`${at('other')}/server.js`),
    '/etc/passwd',
    `/proc/${process.pid}/environ`,
  ]
  for (const path of canaries) assert.match(await call('narrow_read', path), /^ERR_ACCESS_DENIED/, path)
  assert.match(await call('narrow_list', project.path('.')), /^ERR_ACCESS_DENIED/)
  assert.match(await call('narrow_write', project.path(`${at('narrow')}/server.js`)), /^ERR_ACCESS_DENIED/)
  assert.match(await call('narrow_write', project.path('given/new.txt')), /^ERR_ACCESS_DENIED/)
  assert.match(await call('narrow_spawn'), /^ERR_ACCESS_DENIED/)
  assert.match(await call('narrow_worker'), /^ERR_ACCESS_DENIED/)
  assert.doesNotMatch(await call('narrow_sqlite', project.path('given/new.db')), /opened/)
})

test('it has the network only where its entry names hosts, and then all of it, which the listing says', async () => {
  const server = createServer((_, response) => response.end('reached')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  assert.match(await call('narrow_fetch', url), /ERR_ACCESS_DENIED/)
  assert.equal(await call('wide_fetch', url), 'reached')
  assert.deepEqual(listing('wide').rights, ['reads ./given', 'writes ./given', 'the whole network'])
  server.close()
})

test('it reads and writes what is granted', async () => {
  assert.equal(await call('wide_read', project.path('given/note.txt')), 'given')
  assert.equal(await call('wide_write', project.path('given/new.txt')), 'written')
  assert.match(await call('wide_read', project.path('secret.txt')), /^ERR_ACCESS_DENIED/)
})

test('one that is not called is ended, stays listed, and is started by the next call', async () => {
  await until(() => listing('brief').state === 'idle')
  assert.equal(listing('brief').tools.length, 9)
  assert.equal(await call('brief_own'), 'own')
  await until(() => listing('brief').state === 'idle')
})

test('one that is not installed says what to run', () => {
  assert.equal(listing('missing').reason?.code, 'SERVER_NOT_INSTALLED')
})

test('a frozen host runs it as it was locked, and not with another byte', async () => {
  const locked = { plugins: [config.plugins[0] ?? entry] }
  project.write('mcp.config.json', JSON.stringify(locked))
  await project.lock()
  {
    await using frozen = await project.start({ ...locked, frozen: true })
    assert.equal(frozen.plugin('narrow').state, 'active', JSON.stringify(frozen.plugin('narrow').reason))
    assert.equal(frozen.plugin('narrow').pinned, 'pinned')
  }
  project.write(`${at('narrow')}/server.js`, `${source}\n`)
  await using changed = await project.start({ ...locked, frozen: true })
  assert.equal(changed.plugin('narrow').state, 'failed')
  assert.equal(changed.plugin('narrow').reason?.code, 'PIN_INTEGRITY')
})

test('servers that are as they were are listed without being started, and started by their first call', async () => {
  const names = ['one', 'two', 'three']
  const many: HostConfig = { plugins: names.map((as) => ({ ...entry, as })) }
  const startMany = async (frozen: boolean) => {
    const log = fakeLog()
    const host = await createHost(resolveConfig({ ...many, frozen }), {
      file: project.path('mcp.config.json'),
      env: {},
      log,
      patienceMs: Infinity,
      keepRegistry: true,
    })
    const starts = () => log.lines.filter(({ fields }) => fields['line'] === 'server started').length
    return { host, starts, [Symbol.asyncDispose]: () => host.close({ graceMs: 0 }) }
  }
  project.write(`${at('narrow')}/server.js`, source)
  project.write('mcp.config.json', JSON.stringify(many))
  await project.lock()
  const tools = (host: Host) => host.list().plugins.map((one) => one.tools.length)
  {
    await using first = await startMany(true)
    assert.equal(first.starts(), 3)
  }
  {
    await using second = await startMany(true)
    assert.deepEqual(tools(second.host), [9, 9, 9])
    assert.equal(second.starts(), 0)
    assert.deepEqual(new Set(second.host.list().plugins.map(({ state }) => state)), new Set(['idle']))
    const answer = JSON.stringify(await second.host.call('two_own'))
    assert.match(answer, /"text":"own"/)
    assert.equal(second.starts(), 1)
  }
  project.write(`${at('narrow')}/server.js`, `${source}\n// another byte`)
  await using third = await startMany(true)
  assert.deepEqual(tools(third.host), [9, 9, 9])
  assert.match(JSON.stringify(await third.host.call('two_own')), /differ from mcp\.lock\.json/)
  assert.equal(third.starts(), 0, 'its files were read before it was started')
  assert.equal(third.host.list().plugins.find(({ name }) => name === 'two')?.reason?.code, 'PIN_INTEGRITY')
})
