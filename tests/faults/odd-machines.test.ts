import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { rawClient } from '../fixtures/http/raw-client.ts'
import { runPatchbay, startPatchbay } from '../fixtures/projects/patchbay-process.ts'
import { revisionPlugin } from '../fixtures/plugins/reloading.ts'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'

const PATCHBAY = join(import.meta.dirname, '../../host/bin/patchbay.mjs')
const SETPRIV = '/usr/bin/setpriv'
const cannotSwitch = (process.getuid?.() !== 0 || !existsSync(SETPRIV)) && 'only root can be somebody else'

test(
  'a user without a name, a home and the right to read .patchbay runs a host and lists it',
  { skip: cannotSwitch },
  async () => {
    using tree = sourceTree({
      'mcp.config.json': JSON.stringify({ plugins: ['./a', { use: './b', isolation: 'process' }] }),
      'a/index.ts': revisionPlugin('a', 1),
      'b/index.ts': revisionPlugin('b', 1),
    })
    chmodSync(tree.root, 0o755)
    mkdirSync(tree.path('.patchbay'), { mode: 0o700 })
    const within = [SETPRIV, '--reuid', '12345', '--clear-groups', 'env', '-u', 'HOME', '-u', 'NODE_COMPILE_CACHE']
    const listed = await runPatchbay(['list'], { cwd: tree.root, within })
    assert.equal(listed.code, 0, listed.stderr)
    assert.match(listed.stdout, /^a .*active[^]*^b .*active/m)
    assert.match(listed.stderr, /^\S+\.patchbay cannot be used by this user \(EACCES\): .*\n$/)
    await using host = await startPatchbay([], { cwd: tree.root, within })
    for (const name of ['a_rev', 'b_rev']) assert.match((await rawClient(host.url).call(name)).text, /"text":"1"/)
    assert.equal(host.stray.length, 1)
  },
)

test('a balancer that asks in HTTP/1.0 without a Host is answered, and a page of another origin is not', async () => {
  using tree = sourceTree({ 'mcp.config.json': '{ "plugins": ["./a"] }', 'a/index.ts': revisionPlugin('a', 1) })
  await using host = await startPatchbay(['--config', tree.path('mcp.config.json')])
  const ask = async (request: string, url = host.management) => {
    const socket = connect(Number(url.port), url.hostname)
    socket.write(request)
    const answer = await text(socket)
    return answer.split('\r\n', 1)[0]
  }
  for (const [request, status] of [
    ['GET /readyz HTTP/1.0\r\n\r\n', 200],
    ['OPTIONS /readyz HTTP/1.0\r\n\r\n', 405],
    ['GET /readyz HTTP/1.0\r\norigin: https://evil.example\r\n\r\n', 403],
    ['GET /readyz HTTP/1.0\r\nhost: evil.example\r\n\r\n', 403],
    ['GET /readyz HTTP/1.1\r\nconnection: close\r\n\r\n', 400],
  ] as const)
    assert.match((await ask(request)) ?? '', new RegExp(`^HTTP/1\\.1 ${status} `), request)
  assert.match((await ask('GET /healthz HTTP/1.0\r\n\r\n', host.url)) ?? '', / 400 /, 'callers name whom they call')
})

test(
  'a descriptor that the host was started with does not reach the process of a plugin',
  { skip: process.platform !== 'linux' && 'elsewhere the system closes them' },
  async (t) => {
    using tree = sourceTree({
      'mcp.config.json': JSON.stringify({ plugins: [{ use: './b', isolation: 'process' }] }),
      'b/index.js': `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
import fs from 'node:fs'
const read = (fd) => { const bytes = Buffer.alloc(100); try { return bytes.toString('utf8', 0, fs.readSync(fd, bytes, 0, 100, 0)) } catch (error) { return error.code } }
export default definePlugin({ name: 'b', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}),
  tools: [defineTool({ name: 'read', description: 'Reads.', access: 'read', input: Type.Object({}), run: () => JSON.stringify([9, 20, 40].map(read)) })] })`,
      'secret.txt': 'canary-secret',
    })
    const secret = openSync(tree.path('secret.txt'), 'r')
    const stdio = Array.from({ length: 41 }, (_, fd) => (fd === 2 ? 'pipe' : [9, 20, 40].includes(fd) ? secret : 'ignore'))
    const child = spawn(process.execPath, [PATCHBAY, 'start', '--port', '0', '--config', tree.path('mcp.config.json')], { stdio })
    t.after(() => child.kill('SIGKILL'))
    assert.ok(child.stderr)
    const [line] = (await once(createInterface(child.stderr), 'line')) as [string]
    const { text: answer } = await rawClient(new URL((JSON.parse(line) as { url: string }).url)).call('b_read')
    assert.match(answer, /\[.*\]/)
    assert.doesNotMatch(answer, /canary/)
  },
)
