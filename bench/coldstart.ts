/**
 * How long from the spawn to the first `tools/list`? Patchbay with ten plugins, the others with the same tools.
 *
 *   node bench/coldstart.ts
 */
import { ROUNDS, table, type Row } from './lib/report.ts'
import { Server, SERVERS } from './lib/server.ts'

const rows: Row[] = []
for (let round = 0; round < ROUNDS + 2; round++) {
  for (const name of SERVERS) {
    await using server = await Server.start(name, { fillers: 10, plugins: name === 'patchbay' ? 10 : 1 })
    rows.push({ cell: '10 plugins', server: name, round, values: { ms: server.readyMs } })
  }
}
console.log(table('Cold start', rows, 'ms'))
