/**
 * What does it cost to have an MCP server on stdio behind the host? Calls of 1 KB to a server alone and through the host, one and 64 in
 * flight; and what a start takes that lists 50 servers and starts none.
 *
 *   node bench/servers.ts
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCounted, useOf } from './lib/counted-host.ts'
import { measure } from './lib/load.ts'
import { median, ROUNDS, table, valuesOf, type Row } from './lib/report.ts'
import { pinned, SERVER_CORE, type Command } from './lib/server.ts'
import { echoCall } from './lib/wire.ts'

const server = join(import.meta.dirname, 'servers/mcp-stdio.ts')
const program = join(import.meta.dirname, '../host/bin/patchbay.mjs')
const COUNTS = [1, 50]
/** Longer than anything here runs. */
const NEVER_MS = 600_000
const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? tmpdir() }

function configOf(count: number, more: object): string {
  const command = [process.execPath, server]
  const plugins = Array.from({ length: count }, (_, index) => ({ use: 'mcp:exec', as: `s${index}`, command }))
  const file = join(folder, `${count}.config.json`)
  writeFileSync(file, JSON.stringify({ plugins, listen: { http: { port: 0 }, management: false }, ...more }))
  return file
}

const through = [program, 'start', '--config', configOf(1, {}), '--transport', 'stdio']
const commands: readonly (readonly [name: 'mcp-stdio' | 'patchbay', command: Command, tool: string])[] = [
  ['mcp-stdio', { argv: [...pinned(SERVER_CORE), process.execPath, server], env }, 'echo'],
  ['patchbay', { argv: [...pinned(SERVER_CORE), process.execPath, ...through], env }, 's0_echo'],
]
const rows: Row[] = []
for (let round = 0; round < ROUNDS; round++)
  for (const [name, to, tool] of commands)
    for (const concurrency of [1, 64]) {
      const load = { rpc: echoCall(tool, 1_000), expect: { echo: 1_000 }, warmupMs: 1_500, measureMs: 1_500 }
      const values = valuesOf(await measure({ to, concurrency, ...load }))
      rows.push({ cell: `1 KB, ${concurrency} in flight`, server: name, round, values })
    }
console.log(table('an MCP server on stdio, alone and through the host', rows, 'req/s', ['mcp-stdio']))

console.log('### Starts that list MCP servers and start none\n')
console.log('| servers | first start, ms | processes | known: start, ms | processes | MB of all |')
console.log(`|${' ---: |'.repeat(6)}`)
for (const count of COUNTS) {
  const config = configOf(count, {
    cache: { store: `sqlite:${join(folder, `${count}.db`)}` },
    limits: { pluginIdleMs: NEVER_MS },
  })
  const first = await startOf(config, count)
  const known: { readonly startMs: number; readonly processes: number; readonly mb: number }[] = []
  for (let round = 0; round < ROUNDS; round++) known.push(await startOf(config, count))
  const of = (key: 'startMs' | 'processes' | 'mb') => median(known.map((one) => one[key]))
  console.log(
    `| ${[count, first.startMs, first.processes, of('startMs'), of('processes'), of('mb')].map(Math.round).join(' | ')} |`,
  )
}

async function startOf(config: string, count: number) {
  const { child, pid, startMs } = await startCounted(config, count)
  await new Promise((resolve) => setTimeout(resolve, 500))
  const use = useOf(pid)
  child.kill('SIGTERM')
  await once(child, 'exit')
  return { startMs, ...use }
}
