/**
 * How many calls go through stdio? Echo of 1 KB with 1 and 64 requests in flight.
 *
 *   node bench/stdio.ts
 */
import { measure } from './lib/load.ts'
import { figureOf, ratioTo, ROUNDS, table, valuesOf, type Row } from './lib/report.ts'
import { record } from './lib/results.ts'
import { commandOf, echoOf, SERVERS } from './lib/server.ts'
import { echoCall } from './lib/wire.ts'

const rows: Row[] = []
for (let round = 0; round < ROUNDS; round++) {
  for (const name of SERVERS) {
    for (const concurrency of [1, 64]) {
      const measured = await measure({
        to: commandOf(name, {}),
        rpc: echoCall(echoOf(name), 1_000),
        expect: { echo: 1_000 },
        concurrency,
        warmupMs: 1_200,
        measureMs: 1_200,
      })
      rows.push({ cell: `1 KB, ${concurrency} in flight`, server: name, round, values: valuesOf(measured) })
    }
  }
}
console.log(table('tools/call echo over stdio', rows, 'req/s'))
const at = { cell: '1 KB, 64 in flight', figure: 'req/s' }
record({
  'stdio-rate': figureOf(rows, at),
  'stdio-sdk': ratioTo('mcp-v2', rows, at),
  'stdio-raw': ratioTo('raw', rows, at),
})
