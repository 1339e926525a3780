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

test('nothing but messages reaches stdout, wherever and however a plugin prints, and the rest is on stderr', async () => {
  const input = linesOf([initialize, initialized, print(2, 'first'), print(3, 'second')])
  const { code, stdout, stderr } = await runPatchbay(['start', '--transport', 'stdio', ...NOISY], { input })
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
    for (const way of ['log', 'console', 'text', 'bytes', 'kept'])
      assert.match(stderr, new RegExp(`^NOISE ${way} ${place}$`, 'm'))
  assert.equal(code, 0)
})

test('other commands print their answer and nothing of the plugins', async () => {
  const { stdout, stderr } = await runPatchbay(['call', 'noisy_text_print', 'text=hello', ...NOISY])
  assert.equal(stdout, 'hello\n')
  assert.match(stderr, /^NOISE log import$/m)
})
