import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'

const program = join(import.meta.dirname, '../../host/bin/patchbay.mjs')
const FULL = '/dev/full'

test('a log on a disk that is full, and a plugin that prints there, stop nothing', { skip: !existsSync(FULL) }, async (t) => {
  using project = sourceTree({
    'mcp.config.json': JSON.stringify({ plugins: ['./noisy.ts'], log: { level: 'debug' } }),
    'noisy.ts': `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
export default definePlugin({
  name: 'noisy', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}),
  tools: [defineTool({ name: 'say', description: 'Prints.', access: 'read', input: Type.Object({}),
    run: (_, { log }) => { console.error('printed'); log.warn('logged'); return 'said' } })],
})`,
  })
  const full = openSync(FULL, 'w')
  const child = spawn(process.execPath, [program, 'start', '--transport', 'stdio', '--config', project.path('mcp.config.json')], {
    stdio: ['pipe', 'pipe', full],
  })
  t.after(() => child.kill('SIGKILL'))
  closeSync(full)
  const { stdin, stdout } = child
  assert.ok(stdin && stdout)
  const answers = new EventEmitter()
  createInterface(stdout).on(
    'line',
    (line) => void answers.emit((JSON.parse(line) as { id?: string }).id ?? 'notification', line),
  )
  const ask = async (method: string, params: object) => {
    const answered = once(answers, method, { signal: t.signal })
    stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: method, method, params })}\n`)
    return String((await answered)[0])
  }
  const clientInfo = { name: 'test', version: '1.0.0' }
  await ask('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo })
  for (let call = 0; call < 3; call += 1) assert.match(await ask('tools/call', { name: 'noisy_say', arguments: {} }), /"said"/)
  stdin.end()
  assert.deepEqual(await once(child, 'exit'), [0, null])
})
