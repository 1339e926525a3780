// The recipe of docs/mcp-servers.md for a command in a container, with a stand-in for docker: it takes the words of the page, and what it
// starts is not its child, as with the real one. There is no daemon where these tests run.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { rawClient } from '../fixtures/http/raw-client.ts'
import { blocksOf } from '../fixtures/markdown-blocks.ts'
import { sourceTree, type SourceTree } from '../fixtures/plugins/source-tree.ts'
import { startPatchbay, type PatchbayProcess } from '../fixtures/projects/patchbay-process.ts'

const server = join(import.meta.dirname, '../fixtures/servers/raw-server.mjs')
const [recipe] = blocksOf(join(import.meta.dirname, '../../docs/mcp-servers.md')).filter(({ text }) => text.includes("'docker'"))

/** `docker run`: the container is in another session; it gets the input, and with `--init` SIGTERM, and goes on when the client is killed. */
const docker = (how: string, port: number) => `#!${process.execPath}
const { spawn } = require('node:child_process')
const { writeFileSync } = require('node:fs')
const args = process.argv.slice(2)
writeFileSync(__dirname + '/argv.json', JSON.stringify({ args, env: Object.keys(process.env) }))
const container = spawn(process.execPath, [${JSON.stringify(server)}, ${JSON.stringify(how)}, '${port}'], { detached: true, stdio: ['pipe', 'pipe', 'inherit'] })
process.stdin.pipe(container.stdin)
container.stdout.pipe(process.stdout)
container.on('exit', (code) => process.exit(code ?? 143))
process.on('SIGTERM', () => args.includes('--init') && container.kill('SIGTERM'))
`

interface Started {
  readonly tree: SourceTree
  readonly host: PatchbayProcess
  /** Ends with the container. */
  readonly container: Socket
}

async function start(t: TestContext, how: string): Promise<Started> {
  const lives = createServer().listen(0, '127.0.0.1')
  await once(lives, 'listening')
  const connected = once(lives, 'connection') as Promise<[Socket]>
  const tree = sourceTree({
    'mcp.config.ts': recipe?.text ?? assert.fail('the page has a recipe'),
    'bin/docker': docker(how, (lives.address() as AddressInfo).port),
  })
  chmodSync(tree.path('bin/docker'), 0o755)
  const host = await startPatchbay(['--watch'], { cwd: tree.root, env: { PATH: `${tree.path('bin')}:${process.env['PATH']}` } })
  const [container] = await connected
  t.after(async () => {
    await host[Symbol.asyncDispose]()
    lives.close()
    tree[Symbol.dispose]()
  })
  return { tree, host, container: container.resume() }
}

test('the command gets the words of the page and no variable but PATH, and the server speaks through it', async (t) => {
  const { tree, host, container } = await start(t, 'alive')
  const { args, env } = JSON.parse(readFileSync(tree.path('bin/argv.json'), 'utf8')) as { args: string[]; env: string[] }
  const written = [...(recipe?.text ?? '').matchAll(/'([^']+)'/g)].map(([, word]) => word)
  const from = written.indexOf('docker') + 1
  assert.deepEqual(args, written.slice(from, from + args.length))
  assert.deepEqual(args.at(-1)?.slice(0, 15), 'mcp/git@sha256:')
  assert.deepEqual(
    env.filter((name) => !name.startsWith('__')),
    ['PATH'],
  )
  assert.match((await rawClient(host.url).call('git_echo')).text, /"text":"echo /)
  const ended = once(container, 'close')
  assert.equal(await host.stop(), 0)
  await ended
})

test('the container of a host that is killed ends, since its input does', async (t) => {
  const { host, container } = await start(t, 'alive')
  const ended = once(container, 'close')
  host.kill('SIGKILL')
  await ended
})

test('a server that does not hear that its input ended is ended by the signal that docker passes on', async (t) => {
  const { host, container } = await start(t, 'clinging')
  const ended = once(container, 'close')
  assert.equal(await host.stop(), 0)
  await ended
})
