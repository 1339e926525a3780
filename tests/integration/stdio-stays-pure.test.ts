import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { runPatchbay } from '../fixtures/projects/patchbay-process.ts'

const NOISY = ['--config', join(import.meta.dirname, '../fixtures/noisy/mcp.config.json')]

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'pipe', version: '1' } },
}
const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' }
const print = (id: number, said: string) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name: 'noisy_text_print', arguments: { text: said } },
})
const linesOf = (messages: readonly object[]) => messages.map((message) => `${JSON.stringify(message)}\n`).join('')

/** Where the fixture prints, besides its calls. */
const PLACES = ['import', 'isAuthConfigured', 'createClient', 'start', 'disposal']

const STDIO_BY_CONFIG = ['--config', join(import.meta.dirname, '../fixtures/noisy/stdio.config.json')]
const WAYS: readonly (readonly [how: string, args: readonly string[]])[] = [
  ['--transport stdio', ['start', '--transport', 'stdio', ...NOISY]],
  ['--stdio', ['start', '--stdio', ...NOISY]],
  ['its config', ['start', ...STDIO_BY_CONFIG]],
]

for (const [how, args] of WAYS)
  test(`nothing but messages reaches the client of a host that serves stdio by ${how}, whoever prints, and the rest is on stderr`, async () => {
    const input = linesOf([initialize, initialized, print(2, 'first'), print(3, 'second')])
    const { code, stdout, stderr } = await runPatchbay(args, { input, env: { PRINT_TO_DESCRIPTOR: '1' } })
    const messages = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { jsonrpc: string; id: number; result: { content?: unknown } })
      .toSorted((a, b) => a.id - b.id) // two calls at the same time are answered in either order
    assert.deepEqual(
      messages.map(({ jsonrpc, id, result }) => [jsonrpc, id, result.content]),
      [
        ['2.0', 1, undefined],
        ['2.0', 2, [{ type: 'text', text: 'first' }]],
        ['2.0', 3, [{ type: 'text', text: 'second' }]],
      ],
    )
    assert.doesNotMatch(stdout, /NOISE/)
    for (const place of [...PLACES, 'first', 'after first', 'second'])
      for (const way of ['log', 'console', 'text', 'bytes', 'kept', 'descriptor', 'child'])
        assert.match(stderr, new RegExp(`^NOISE ${way} ${place}$`, 'm'))
    assert.equal(code, 0)
  })

test('other commands print their answer and nothing of the plugins', async () => {
  const { stdout, stderr } = await runPatchbay(['call', 'noisy_text_print', 'text=hello', ...NOISY])
  assert.equal(stdout, 'hello\n')
  assert.match(stderr, /^NOISE log import$/m)
})

test('a host that serves HTTP tells a client that speaks MCP on stdin, once in the log, and ends with it', async () => {
  const input = linesOf([initialize, initialized, print(2, 'never')])
  const args = ['start', '--port', '0', '--management-port', '0', ...NOISY]
  const { code, stdout, stderr } = await runPatchbay(args, { input })
  const answers = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: number; error: { message: string } })
  assert.deepEqual(
    answers.map(({ id, error }) => [id, /serves HTTP at http:.* --stdio/.test(error.message)]),
    [
      [1, true],
      [2, true],
    ],
  )
  assert.equal(stderr.split('"stdin_not_served"').length, 2)
  assert.equal(code, 0)
})
