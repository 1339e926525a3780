/**
 * How much does a `tools/call` cost? Echo with 1 KB and 100 KB over HTTP, against a server that does nothing else and the SDK's handler.
 *
 *   node bench/call.ts
 */
import { measure } from './lib/load.ts'
import { ROUNDS, table, valuesOf, type Row } from './lib/report.ts'
import { echoOf, Server, SERVERS } from './lib/server.ts'
import { echoCall } from './lib/wire.ts'

const rows: Row[] = []
for (let round = 0; round < ROUNDS; round++) {
  for (const name of SERVERS) {
    await using server = await Server.start(name)
    for (const [bytes, concurrency] of [
      [1_000, 1],
      [1_000, 32],
      [100_000, 32],
    ] as const) {
      const measured = await measure({
        to: server.address,
        rpc: echoCall(echoOf(name), bytes),
        expect: { echo: bytes },
        concurrency,
        warmupMs: 1_500,
        measureMs: 1_500,
      })
      rows.push({ cell: `${bytes / 1_000} KB × ${concurrency}`, server: name, round, values: valuesOf(measured) })
    }
  }
}
console.log(table('tools/call echo over HTTP', rows, 'req/s'))
console.log(table('CPU of the server per call', rows, 'CPU µs'))
