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
import { figureOf, median, ratioTo, ROUNDS, table, valuesOf, type Row } from './lib/report.ts'
import { record } from './lib/results.ts'
import { pinned, SERVER_CORE, type Command, type ServerName } from './lib/server.ts'
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

/** By hand, which costs next to nothing, and on the SDK, as most are. */
const PROGRAMS = { 'mcp-stdio': server, 'mcp-v2': join(import.meta.dirname, 'servers/mcp-v2.ts') }
const settings = { TRANSPORT: 'stdio', FILLERS: '0' }
const sides = Object.entries(PROGRAMS).flatMap(([name, file]) => {
  const config = join(folder, `${name}.config.json`)
  const entry = { use: 'mcp:exec', as: 'bench', command: [process.execPath, file], env: settings }
  writeFileSync(config, JSON.stringify({ plugins: [entry], listen: { http: { port: 0 }, management: false } }))
  const through = [program, 'start', '--config', config, '--transport', 'stdio']
  const command = (words: readonly string[]): Command => ({
    argv: [...pinned(SERVER_CORE), process.execPath, ...words],
    env: { ...env, ...settings },
  })
  return [
    { of: name, server: 'alone', to: command([file]), tool: 'echo' },
    { of: name, server: 'patchbay', to: command(through), tool: 'bench_echo' },
  ] as const
})
const rows: Row[] = []
for (let round = 0; round < ROUNDS; round++)
  for (const { of, server: side, to, tool } of sides)
    for (const concurrency of [1, 64]) {
      const load = { rpc: echoCall(tool, 1_000), expect: { echo: 1_000 }, warmupMs: 1_000, measureMs: 1_000 }
      const values = valuesOf(await measure({ to, concurrency, ...load }))
      rows.push({ cell: `${of}, 1 KB, ${concurrency} in flight`, server: side, round, values })
    }
console.log(table('an MCP server on stdio, alone and through the host', rows, 'req/s', ['alone']))
const timeOf = (server: ServerName) => 1e3 / figureOf(rows, { cell: 'mcp-v2, 1 KB, 1 in flight', server, figure: 'req/s' })
record({
  'server-added': timeOf('patchbay') - timeOf('alone'),
  'server-64': ratioTo('alone', rows, { cell: 'mcp-v2, 1 KB, 64 in flight', figure: 'req/s' }),
})

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
