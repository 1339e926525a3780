import assert from 'node:assert/strict'
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { stdioClients } from '../fixtures/http/mcp-clients.ts'

const args = ['--conditions=@mcp-patchbay/source', `${import.meta.dirname}/../fixtures/http/stdio-server.ts`]
const server = { command: process.execPath, args }

for (const [name, connect] of Object.entries(stdioClients))
  test(`serves ${name} on stdio`, async (t) => {
    const errors: Error[] = []
    const client = await connect(t, server, {
      answers: (message) => (message === 'Your name?' ? 'Ada' : 'blue'),
      onerror: (error) => errors.push(error),
    })
    await t.test('with questions back', async () => {
      assert.ok((await client.tools()).includes('demo_admin'))
      assert.equal(await client.call('demo_whoami'), 'local of nobody')
      assert.equal(await client.call('demo_ask'), 'Ada likes blue, says local')
      assert.equal(await client.read('demo://pages/3'), 'Page 3')
      assert.match(client.instructions ?? '', /- demo: /)
    })
    await t.test('and keeps what a tool prints out of its way', async () => {
      assert.equal(await client.call('demo_print'), 'printed')
    })
    await t.test('and tells it of a changed list', async () => {
      const heard = await client.changes()
      process.kill(client.pid ?? 0, 'SIGUSR2')
      await heard.until('tools')
      assert.equal(await client.call('demo_extra'), 'new')
      assert.deepEqual(heard.all, ['tools'])
    })
    assert.deepEqual(errors, [])
  })

test('writes only messages to stdout, and what a tool prints to stderr', async (t) => {
  const child = await start(t)
  child.send(call(1, 'demo_print'))
  assert.equal((await child.message()).id, 1)
  await child.said('printed by console.log')
  await child.said('printed by process.stdout')
})

test('answers what came before the end of its input, then exits', async (t) => {
  const child = await start(t)
  child.send(call(1, 'demo_whoami'))
  child.stdin.end(JSON.stringify(call(2, 'demo_echo', { text: 'no newline' })))
  assert.deepEqual([(await child.message()).id, (await child.message()).id], [1, 2])
  assert.deepEqual(await child.exited, [0, null])
})

test('exits at the end of its input although a call hangs and a message is cut off', async (t) => {
  const child = await start(t)
  child.send(call(1, 'demo_wait', { key: 'a' }))
  await child.said('started a')
  child.stdin.end('{"jsonrpc":')
  assert.deepEqual(await child.exited, [0, null])
})

test('exits when nobody reads its output any more', async (t) => {
  const child = await start(t)
  child.stdout.destroy()
  child.send(call(1, 'demo_whoami'))
  child.send(call(2, 'demo_whoami'))
  assert.deepEqual(await child.exited, [0, null])
})

test('tells a call that outlasts the grace that the host is closing', async (t) => {
  const child = await start(t)
  child.send(call(1, 'demo_wait', { key: 'a' }))
  await child.said('started a')
  child.kill('SIGTERM')
  const { result } = await child.message()
  assert.equal(result?.isError, true)
  assert.match(result?.content[0]?.text ?? '', /host is shutting down/)
  child.stdin.end()
  assert.deepEqual(await child.exited, [0, null])
})

interface Message {
  readonly id: number | string | null
  readonly result?: {
    readonly content: readonly { readonly text: string }[]
    readonly isError?: boolean
    readonly structuredContent?: unknown
  }
  readonly error?: { readonly code: number }
}

type Child = ChildProcessWithoutNullStreams & {
  readonly exited: Promise<unknown[]>
  send(message: object): void
  /** The next line of stdout; fails when it is not JSON. */
  message(): Promise<Message>
  /** Resolves when stderr has said this line. */
  said(line: string): Promise<void>
}

async function start(t: TestContext): Promise<Child> {
  const child = spawn(process.execPath, args)
  t.after(() => child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const stderr = createInterface({ input: child.stderr })
  const saidLines: string[] = []
  stderr.on('line', (line) => saidLines.push(line))
  const started = Object.assign(child, {
    exited,
    send: (message: object) => void child.stdin.write(`${JSON.stringify(message)}\n`),
    message: async () => JSON.parse(String((await lines.next()).value)) as Message,
    async said(line: string) {
      while (!saidLines.includes(line)) await once(stderr, 'line')
    },
  })
  child.stdin.on('error', () => {})
  await started.said('ready')
  return started
}

function call(id: number, name: string, input: object = {}): object {
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: input, _meta: meta } }
}
