/**
 * What does it cost to have an MCP server on stdio behind the host? Calls of 1 KB to a server alone, through the host and through a bare
 * relay, which is the least that can stand between; and what a start takes that lists 50 servers and starts none.
 *
 * A server alone has a core. With something between, both share that core, so the rate is bound by the sum of what they take; or the server
 * keeps it, and what is between shares the other one with the load, which is nearer to a machine with more cores. `own CPU µs` is what
 * the process between takes for a call.
 *
 *   node bench/servers.ts
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCounted, useOf } from './lib/counted-host.ts'
import { measure, type Load } from './lib/load.ts'
import { figureOf, median, ratioTo, ROUNDS, table, valuesOf, type Row } from './lib/report.ts'
import { record } from './lib/results.ts'
import { freePort, LOAD_CORE, pinned, SERVER_CORE, type Command, type ServerName } from './lib/server.ts'
import { echoCall, requestOf } from './lib/wire.ts'

const server = join(import.meta.dirname, 'servers/mcp-stdio.ts')
const patchbay = join(import.meta.dirname, '../host/bin/patchbay.mjs')
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
const relay = join(import.meta.dirname, 'servers/bare-relay.ts')
const settings = { FILLERS: '0' }
/** Where the processes run. The load has the other core for itself, or shares it with what is between. */
const PLACES = [
  { place: 'one core', between: SERVER_CORE, loads: [1, 64] },
  { place: 'the server has a core', between: LOAD_CORE, loads: [64] },
] as const
type Side = 'alone' | 'bare-relay' | 'patchbay'
const SIDES: readonly Side[] = ['alone', 'bare-relay', 'patchbay']

/** How a server is started by itself, or what stands before it. */
function commandOf(side: Side, program: string, { between, port }: { between: string; port?: number }): Command {
  const itself = [...pinned(SERVER_CORE), 'env', 'TRANSPORT=stdio', process.execPath, program]
  if (side === 'alone') return { argv: itself, env: { ...env, ...settings } }
  const listen = port === undefined ? { TRANSPORT: 'stdio' } : { PORT: String(port) }
  const start = [...pinned(between), process.execPath]
  if (side === 'bare-relay') return { argv: [...start, relay, ...itself], env: { ...env, ...settings, ...listen } }
  const config = join(folder, 'relayed.config.json')
  const plugins = [{ use: 'mcp:exec', as: 'bench', command: itself, env: settings }]
  writeFileSync(config, JSON.stringify({ plugins, listen: { http: { port: port ?? 0 }, management: false } }))
  const words = port === undefined ? ['--transport', 'stdio'] : []
  return { argv: [...start, patchbay, 'start', '--config', config, ...words], env }
}

async function measured(side: Side, to: Load['to'], concurrency: number): Promise<Row['values']> {
  const rpc = echoCall(side === 'patchbay' ? 'bench_echo' : 'echo', 1_000)
  const one = await measure({ to, rpc, expect: { echo: 1_000 }, concurrency, warmupMs: 1_000, measureMs: 1_000 })
  return { ...valuesOf(one), 'own CPU µs': side === 'alone' ? Number.NaN : one.ownCpuUs }
}

/** The same for clients over HTTP. */
async function measuredOverHttp(side: Side, program: string): Promise<Row['values']> {
  const port = await freePort()
  const { argv, env: variables } = commandOf(side, program, { between: SERVER_CORE, port })
  const child = spawn(argv[0] ?? '', argv.slice(1), { env: variables, stdio: 'ignore' })
  try {
    const { headers, body } = requestOf({ method: 'tools/list', params: {} })
    const list = () => fetch(`http://127.0.0.1:${port}/mcp`, { method: 'POST', headers, body }).then((answer) => answer.text())
    while (!(await list().catch(() => '')).includes('jsonrpc')) await new Promise((resolve) => setTimeout(resolve, 20))
    return await measured(side, { port, pid: child.pid ?? 0 }, 64)
  } finally {
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
}

const rows: Row[] = []
for (let round = 0; round < ROUNDS; round++)
  for (const [name, program] of Object.entries(PROGRAMS)) {
    for (const { place, between, loads } of PLACES)
      for (const concurrency of loads)
        for (const side of SIDES) {
          const values = await measured(side, commandOf(side, program, { between }), concurrency)
          rows.push({ cell: `${name}, ${place}, ${concurrency} in flight`, server: side, round, values })
        }
    for (const side of ['bare-relay', 'patchbay'] as const)
      rows.push({
        cell: `${name}, one core, HTTP, 64 in flight`,
        server: side,
        round,
        values: await measuredOverHttp(side, program),
      })
  }
console.log(
  table('an MCP server on stdio, 1 KB: alone, behind a bare relay and behind the host', rows, 'req/s', ['alone', 'bare-relay']),
)
const timeOf = (server: ServerName) => 1e3 / figureOf(rows, { cell: 'mcp-v2, one core, 1 in flight', server, figure: 'req/s' })
record({
  'server-added': timeOf('patchbay') - timeOf('alone'),
  'server-64': ratioTo('alone', rows, { cell: 'mcp-v2, the server has a core, 64 in flight', figure: 'req/s' }),
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
