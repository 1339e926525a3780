/**
 * What does a registry cost that grows? Echo among 10, 1,000 and 10,000 tools, and the start with 1, 10 and 100 plugins.
 *
 *   node bench/scale.ts
 */
import { measure } from './lib/load.ts'
import { ROUNDS, table, valuesOf, type Row } from './lib/report.ts'
import { echoOf, Server, type ServerName } from './lib/server.ts'
import { echoCall } from './lib/wire.ts'

const calls: Row[] = []
const starts: Row[] = []
for (let round = 0; round < ROUNDS; round++) {
  for (const fillers of [10, 1_000, 10_000]) {
    // The SDK's handler takes seconds for each call among 10,000.
    const servers: readonly ServerName[] = fillers > 1_000 ? ['raw', 'patchbay'] : ['raw', 'mcp-v2', 'patchbay']
    for (const name of servers) {
      await using server = await Server.start(name, { fillers })
      const measured = await measure({
        to: server.address,
        rpc: echoCall(echoOf(name), 1_000),
        expect: { echo: 1_000 },
        concurrency: 16,
        warmupMs: 1_500,
        measureMs: 1_500,
      })
      calls.push({ cell: `echo among ${fillers} × 16`, server: name, round, values: valuesOf(measured) })
    }
  }
  for (const plugins of [1, 10, 100]) {
    await using server = await Server.start('patchbay', { fillers: 1_000, plugins })
    starts.push({
      cell: `${plugins} plugins, 1,000 tools`,
      server: 'patchbay',
      round,
      values: { ms: server.readyMs, 'RSS MB': server.rssMb },
    })
  }
}
console.log(table('tools/call among many tools', calls, 'req/s'))
console.log(table('Start with many plugins', starts, 'ms'))
