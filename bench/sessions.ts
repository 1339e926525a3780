/**
 * What do 500 clients of 2025-11-25 cost, each with a session, that come as soon as the server listens and call once a second? Against the
 * SDK's v1. Memory is that of 500 more, which find a server where everything is read and warm.
 *
 *   node bench/sessions.ts
 */
import { figureOf, ratioTo, ROUNDS, table, type FigureAt, type Row } from './lib/report.ts'
import { record } from './lib/results.ts'
import { echoOf, Server } from './lib/server.ts'
import { measureSessions } from './lib/sessions.ts'

const rows: Row[] = []
for (let round = 0; round < Math.min(ROUNDS, 2); round++) {
  for (const name of ['mcp-v1', 'patchbay'] as const) {
    await using server = await Server.start(name)
    const load = { ...server.address, tool: echoOf(name), sessions: 500 }
    const { calls, errors, p50Ms, p99Ms } = await measureSessions({ ...load, seconds: 10 })
    const { errors: later, openMb, afterMb } = await measureSessions({ ...load, seconds: 5 })
    if (errors + later > 0) throw new Error(`${name}: ${errors + later} wrong answers`)
    const values = { 'p99 ms': p99Ms, 'p50 ms': p50Ms, calls, 'MB each, open': openMb, 'MB each, after': afterMb }
    rows.push({ cell: '500 sessions', server: name, round, values })
  }
}
console.log(table('500 sessions of 2025-11-25, a call a second each', rows, 'p99 ms', ['mcp-v1']))
const [p99, memory] = ['p99 ms', 'MB each, after'].map((figure) => ({ cell: '500 sessions', figure })) as [FigureAt, FigureAt]
record({
  'sessions-p99': figureOf(rows, p99),
  'sessions-p99-v1': ratioTo('mcp-v1', rows, p99),
  'session-mb': figureOf(rows, memory),
  'session-v1': ratioTo('mcp-v1', rows, memory),
})
