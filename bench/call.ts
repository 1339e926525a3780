/**
 * How much does a `tools/call` cost? Echo with 1 KB and 100 KB over HTTP, against a server that does nothing else and the SDK's handler; the
 * same with API keys and the audit lines that they bring.
 *
 *   node bench/call.ts
 */
import { keyedProject } from './lib/keyed-project.ts'
import { measure } from './lib/load.ts'
import { figureOf, ratioTo, ROUNDS, table, valuesOf, type Row } from './lib/report.ts'
import { record } from './lib/results.ts'
import { echoOf, Server, SERVERS, type ServerName } from './lib/server.ts'
import { echoCall } from './lib/wire.ts'

const KEYED = '1 KB × 32, keys and audit'
const rows: Row[] = []
using project = keyedProject(['bench'])
const key = project.keyOf('bench')
for (let round = 0; round < ROUNDS; round++) {
  for (const name of SERVERS) {
    await using server = await Server.start(name)
    for (const [bytes, concurrency] of [
      [1_000, 1],
      [1_000, 32],
      [100_000, 32],
    ] as const)
      await run({ cell: `${bytes / 1_000} KB × ${concurrency}`, name, server, round, bytes, concurrency })
  }
  await using keyed = await Server.start('patchbay', { config: project.config, key })
  await run({ cell: KEYED, name: 'patchbay', server: keyed, round, bytes: 1_000, concurrency: 32, key })
  const beside = rows.find(({ cell, server, round: of }) => cell === '1 KB × 32' && server === 'raw' && of === round)
  if (beside) rows.push({ ...beside, cell: KEYED })
}
console.log(table('tools/call echo over HTTP', rows, 'req/s'))
console.log(table('CPU of the server per call', rows, 'CPU µs'))
const [rate, small, large] = ['req/s', '1 KB × 32', '100 KB × 32'] as const
record({
  'call-1kb-rate': figureOf(rows, { cell: small, figure: rate }),
  'call-1kb-sdk': ratioTo('mcp-v2', rows, { cell: small, figure: rate }),
  'call-1kb-raw': ratioTo('raw', rows, { cell: small, figure: rate }),
  'call-keys-raw': ratioTo('raw', rows, { cell: KEYED, figure: rate }),
  'call-cpu': figureOf(rows, { cell: small, figure: 'CPU µs' }),
  'call-cpu-raw': ratioTo('raw', rows, { cell: small, figure: 'CPU µs' }),
  'call-p99': figureOf(rows, { cell: small, figure: 'p99 ms' }),
  'call-p99-sdk': ratioTo('mcp-v2', rows, { cell: small, figure: 'p99 ms' }),
  'call-100kb-rate': figureOf(rows, { cell: large, figure: rate }),
  'call-100kb-sdk': ratioTo('mcp-v2', rows, { cell: large, figure: rate }),
  'call-100kb-raw': ratioTo('raw', rows, { cell: large, figure: rate }),
})

interface Cell {
  readonly cell: string
  readonly name: ServerName
  readonly server: Server
  readonly round: number
  readonly bytes: number
  readonly concurrency: number
  readonly key?: string
}

async function run({ cell, name, server, round, bytes, ...more }: Cell): Promise<void> {
  const load = {
    to: server.address,
    rpc: echoCall(echoOf(name), bytes),
    expect: { echo: bytes },
    warmupMs: 1_200,
    measureMs: 1_200,
  }
  rows.push({ cell, server: name, round, values: valuesOf(await measure({ ...load, ...more })) })
}
