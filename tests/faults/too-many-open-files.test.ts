import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { startPatchbay } from '../fixtures/projects/patchbay-process.ts'
import { pluginPids } from '../fixtures/plugins/plugin-processes.ts'
import { rawClient } from '../fixtures/http/raw-client.ts'
import { configJson, revisionPlugin } from '../fixtures/plugins/reloading.ts'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'

const LIMIT = 128

test(
  'a host that may open no more files goes on, and serves and reloads again once it may',
  { skip: process.platform !== 'linux' && 'there is no /proc' },
  async (t) => {
    using tree = sourceTree({
      'mcp.config.json': configJson({ plugins: [{ use: './apart', isolation: 'process' }], listen: { http: { port: 0 } } }),
      'apart/index.ts': revisionPlugin('apart', 1),
      'plugins/a/index.ts': revisionPlugin('a', 1),
    })
    await using host = await startPatchbay(['--watch', '--config', tree.path('mcp.config.json')], {
      cwd: tree.root,
      openFiles: LIMIT,
    })
    const client = rawClient(host.url)
    assert.match((await client.call('a_rev')).text, /"text":"1"/)

    assert.match((await client.call('apart_rev')).text, /"text":"1"/)
    assert.equal(pluginPids(host.pid).length > 0, true)

    const sockets: Socket[] = []
    t.after(() => sockets.forEach((socket) => socket.destroy()))
    // One that is closed at once was one too many.
    for (let refused = false; !refused;) {
      assert.ok(sockets.length < LIMIT, 'the limit was never reached')
      const socket = connect(Number(host.url.port), '127.0.0.1')
      sockets.push(socket)
      refused = await isRefused(socket)
    }
    tree.write('plugins/a/index.ts', revisionPlugin('a', 2))
    await host.logged('plugin_kept')
    assert.match((await client.call('a_rev')).text, /"text":"1"/, 'a folder that cannot be listed has not lost its plugins')

    tree.write('plugins/new/index.ts', revisionPlugin('new', 1))
    // What serves in a process of its own dies: the next one cannot be started yet, which is not its fault however often it is tried.
    for (const pid of pluginPids(host.pid)) process.kill(pid, 'SIGKILL')
    await host.logged('plugin_restart_failed', ({ error }) => /could not be started: .*EMFILE/.test(JSON.stringify(error)))
    // The process that died gave files back: they may be enough for the edit.
    assert.match((await client.call('a_rev')).text, /"text":"[12]"/)

    for (const socket of sockets) socket.destroy()
    await host.logged('plugin_restarted')
    assert.match((await client.call('apart_rev')).text, /"text":"1"/)
    tree.write('plugins/a/index.ts', revisionPlugin('a', 3))
    // The edit before this one may be served first.
    await host.logged('plugin_reloaded')
    await host.retried(async () => (await client.call('a_rev')).text.includes('"text":"3"'))
    assert.equal((await client.post('resources/list')).status, 200, 'what could not be read when it was wanted is read now')
  },
)

/** Whether the other side closes it; not if it answers. */
function isRefused(socket: Socket): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  socket.on('data', () => resolve(false))
  socket.on('error', () => resolve(true))
  socket.on('close', () => resolve(true))
  socket.write('GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')
  return promise
}
