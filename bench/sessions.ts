/**
 * What do 500 clients of 2025-11-25 cost, each with a session, that call once a second for 20 seconds? Against the SDK's v1.
 *
 *   node bench/sessions.ts
 */
import { setTimeout as delay } from 'node:timers/promises'
import { ROUNDS, table, type Row } from './lib/report.ts'
import { echoOf, Server } from './lib/server.ts'
import { measureSessions } from './lib/sessions.ts'

const rows: Row[] = []
for (let round = 0; round < Math.min(ROUNDS, 2); round++) {
  for (const name of ['mcp-v1', 'patchbay'] as const) {
    await using server = await Server.start(name)
    await delay(2_000)
    const { calls, errors, p50Ms, p99Ms, openMb, afterMb } = await measureSessions({
      ...server.address,
      tool: echoOf(name),
      sessions: 500,
      seconds: 20,
    })
    if (errors > 0) throw new Error(`${name}: ${errors} wrong answers`)
    const values = { 'p99 ms': p99Ms, 'p50 ms': p50Ms, calls, 'MB each, open': openMb, 'MB each, after': afterMb }
    rows.push({ cell: '500 sessions', server: name, round, values })
  }
}
console.log(table('500 sessions of 2025-11-25, a call a second each', rows, 'p99 ms', ['mcp-v1']))
