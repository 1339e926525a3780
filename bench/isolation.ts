/**
 * What does a plugin in its own process cost? Echo over HTTP and stdio, with host and plugin on one core, beside the same plugin in the
 * host's process, and beside a server of two processes that does nothing else, which is the limit.
 *
 *   node bench/isolation.ts
 *
 * CELLS=1KB,100KB, TRANSPORTS=http,stdio and AT_ONCE=1,32,128 pick some of it.
 */
import { measure } from './lib/load.ts'
import { figureOf, ratioTo, ROUNDS, table, valuesOf, type Row } from './lib/report.ts'
import { record } from './lib/results.ts'
import { commandOf, echoOf, Server, type ServerName } from './lib/server.ts'
import { echoCall } from './lib/wire.ts'

const NAMES: readonly ServerName[] = ['patchbay', 'patchbay-isolated', 'raw-piped']
const SIZES = { '1KB': 1_000, '100KB': 100_000 } as const
const sizes = (process.env['CELLS'] ?? '1KB,100KB').split(',').map((name) => SIZES[name as keyof typeof SIZES])
const transports = (process.env['TRANSPORTS'] ?? 'http,stdio').split(',')
const atOnce = (process.env['AT_ONCE'] ?? '1,32,128').split(',').map(Number)
const MEASURE_MS = Number(process.env['MEASURE_MS'] ?? 1_000)
const rows: Record<'http' | 'stdio', Row[]> = { http: [], stdio: [] }

for (let round = 0; round < ROUNDS; round++)
  for (const name of NAMES) {
    if (transports.includes('http')) {
      await using server = await Server.start(name)
      for (const bytes of sizes)
        for (const concurrency of atOnce) await run('http', { name, round, bytes, concurrency }, server.address)
    }
    if (transports.includes('stdio'))
      for (const bytes of sizes)
        for (const concurrency of [1, 64]) await run('stdio', { name, round, bytes, concurrency }, commandOf(name, {}))
  }

for (const [transport, found] of Object.entries(rows))
  if (found.length > 0)
    console.log(table(`Isolated over ${transport}, all on one core: rate`, found, 'req/s', ['patchbay', 'raw-piped']))
for (const [transport, found] of Object.entries(rows))
  if (found.length > 0) {
    console.log(table(`Isolated over ${transport}: CPU of all processes per call`, found, 'CPU µs', ['patchbay', 'raw-piped']))
    console.log(table(`Isolated over ${transport}: p99`, found, 'p99 ms', ['patchbay', 'raw-piped']))
  }
const isolated = (cell: string, figure: string) => ({ cell, server: 'patchbay-isolated', figure }) as const
const timeOf = (server: ServerName) => 1e6 / figureOf(rows.http, { ...isolated('1 KB × 1', 'req/s'), server })
record({
  'isolated-added': timeOf('patchbay-isolated') - timeOf('patchbay'),
  'isolated-1kb': ratioTo('patchbay', rows.http, isolated('1 KB × 32', 'req/s')),
  'isolated-100kb': ratioTo('patchbay', rows.http, isolated('100 KB × 32', 'req/s')),
  'isolated-p99': ratioTo('patchbay', rows.http, isolated('1 KB × 32', 'p99 ms')),
})

interface Cell {
  readonly name: ServerName
  readonly round: number
  readonly bytes: number
  readonly concurrency: number
}

async function run(
  transport: 'http' | 'stdio',
  { name, round, bytes, concurrency }: Cell,
  to: Parameters<typeof measure>[0]['to'],
) {
  const rpc = echoCall(echoOf(name), bytes)
  const measured = await measure({ to, rpc, expect: { echo: bytes }, concurrency, warmupMs: 700, measureMs: MEASURE_MS })
  rows[transport].push({ cell: `${bytes / 1_000} KB × ${concurrency}`, server: name, round, values: valuesOf(measured) })
}
