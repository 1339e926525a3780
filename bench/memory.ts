/**
 * How much memory does it take: idle for two seconds, and after 50,000 calls on 8 connections?
 *
 *   node bench/memory.ts
 */
import { setTimeout as delay } from 'node:timers/promises'
import { measure } from './lib/load.ts'
import { figureOf, ratioTo, table, type FigureAt, type Row } from './lib/report.ts'
import { record } from './lib/results.ts'
import { echoOf, Server, SERVERS } from './lib/server.ts'
import { echoCall } from './lib/wire.ts'

const rows: Row[] = []
for (const name of SERVERS) {
  await using server = await Server.start(name)
  await delay(2_000)
  const idle = server.rssMb
  await measure({
    to: server.address,
    rpc: echoCall(echoOf(name), 1_000),
    expect: { echo: 1_000 },
    concurrency: 8,
    warmupMs: 0,
    measureMs: 120_000,
    requests: 50_000,
  })
  await delay(1_000)
  rows.push({ cell: 'idle', server: name, round: 0, values: { 'RSS MB': idle } })
  rows.push({ cell: 'after 50,000 calls', server: name, round: 0, values: { 'RSS MB': server.rssMb } })
}
console.log(table('Memory', rows, 'RSS MB'))
const [idle, used] = ['idle', 'after 50,000 calls'].map((cell) => ({ cell, figure: 'RSS MB' })) as [FigureAt, FigureAt]
record({
  'idle-mb': figureOf(rows, idle),
  'idle-sdk': ratioTo('mcp-v2', rows, idle),
  'used-mb': figureOf(rows, used),
  'used-sdk': ratioTo('mcp-v2', rows, used),
})
