/**
 * How much does a `tools/list` cost, with 10, 100 and 1,000 tools, 16 connections?
 *
 *   node bench/list.ts
 */
import { measure } from './lib/load.ts'
import { figureOf, ratioTo, ROUNDS, table, valuesOf, type Row } from './lib/report.ts'
import { record } from './lib/results.ts'
import { Server, SERVERS } from './lib/server.ts'

const rows: Row[] = []
for (let round = 0; round < ROUNDS; round++) {
  for (const fillers of [10, 100, 1_000]) {
    for (const name of SERVERS) {
      await using server = await Server.start(name, { fillers })
      const measured = await measure({
        to: server.address,
        rpc: { method: 'tools/list', params: {} },
        expect: { tools: fillers + 1 },
        concurrency: 16,
        warmupMs: 1_200,
        measureMs: 1_200,
      })
      rows.push({ cell: `${fillers} tools × 16`, server: name, round, values: valuesOf(measured) })
    }
  }
}
console.log(table('tools/list over HTTP', rows, 'req/s'))
for (const fillers of [10, 100, 1_000]) {
  const at = { cell: `${fillers} tools × 16`, figure: 'req/s' }
  record({
    [`list-${fillers}-rate`]: figureOf(rows, at),
    [`list-${fillers}-sdk`]: ratioTo('mcp-v2', rows, at),
    [`list-${fillers}-raw`]: ratioTo('raw', rows, at),
  })
}
