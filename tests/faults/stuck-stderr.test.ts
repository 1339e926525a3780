import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { rawClient } from '../fixtures/http/raw-client.ts'
import { spawnPatchbay } from '../fixtures/projects/patchbay-process.ts'
import { revisionPlugin } from '../fixtures/plugins/reloading.ts'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'

/** Larger than the pipe and what a host keeps for its reader. */
const LINES = 4_000
const PADDING = 4_000

const NOISY = revisionPlugin('noisy', 1).replace(
  /run: \(\) => "1"/,
  `run: (_, { log }) => { console.error('printed'.repeat(50)); log.warn('said', { padding: 'x'.repeat(${PADDING}) }); return 'said' }`,
)

test('a reader of stderr that is stuck stops nothing: lines wait, are dropped and counted, and those of the audit are not', async (t) => {
  using tree = sourceTree({
    'mcp.config.json': JSON.stringify({ plugins: ['./noisy.ts'], log: { audit: true } }),
    'noisy.ts': NOISY,
  })
  const child = spawnPatchbay(['start', '--port', '0', '--management-port', '0', '--config', tree.path('mcp.config.json')])
  t.after(() => child.kill('SIGKILL'))
  const lines = createInterface(child.stderr)
  const [first] = (await once(lines, 'line')) as [string]
  const { url, management } = JSON.parse(first) as { url: string; management: string }
  lines.pause()

  const client = rawClient(new URL(url))
  for (let call = 0; call < LINES; call += 50) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => client.call('noisy_rev')))
    for (const { text } of answers) assert.match(text, /"text":"said"/)
  }
  assert.equal((await fetch(`${management}/healthz`)).status, 200)
  const [, dropped] = /^patchbay_log_lines_dropped_total (\d+)$/m.exec(await (await fetch(`${management}/metrics`)).text()) ?? []
  assert.ok(Number(dropped) > 1_000, `${dropped} lines were dropped`)

  const counts = { audit: 0, said: 0, printed: 0, told: 0 }
  lines.on('line', (line) => {
    if (line.includes('"event":"audit"')) counts.audit++
    else if (line.includes('"event":"plugin.said"')) counts.said++
    else if (line.startsWith('printed')) counts.printed++
    else if (line.includes('"event":"log_lines_dropped"')) counts.told += (JSON.parse(line) as { lines: number }).lines
  })
  const over = once(lines, 'close')
  lines.resume()
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
  await over
  assert.equal(counts.audit, LINES)
  assert.equal(counts.said + counts.printed + counts.told, 2 * LINES, 'every line is there or counted')
})

test('a host whose reader is stuck ends when it is told to', async (t) => {
  using tree = sourceTree({ 'mcp.config.json': JSON.stringify({ plugins: ['./noisy.ts'] }), 'noisy.ts': NOISY })
  const child = spawnPatchbay(['start', '--port', '0', '--config', tree.path('mcp.config.json')])
  t.after(() => child.kill('SIGKILL'))
  const lines = createInterface(child.stderr)
  const [first] = (await once(lines, 'line')) as [string]
  lines.pause()
  const client = rawClient(new URL((JSON.parse(first) as { url: string }).url))
  await Promise.all(Array.from({ length: 100 }, () => client.call('noisy_rev')))
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
})
