/**
 * What stalls the event loop once a host listens? The longest turn, in ms of CPU: in the two seconds after `listening`, with the first
 * `initialize` of 2025, with the first call of a tool, and up to the 600th. A deployment as it starts: one `.ts` plugin, frozen.
 *
 *   node bench/stalls.ts
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { lockedProject } from './lib/locked-project.ts'
import { median, ROUNDS } from './lib/report.ts'
import { record } from './lib/results.ts'
import { freePort } from './lib/server.ts'
import { requestOf } from './lib/wire.ts'

const PHASES = ['two seconds after listening', 'first initialize of 2025', 'first call of a tool', '600 calls'] as const
const INITIALIZE = {
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1.0.0' } },
  }),
}
const CALL = requestOf({ method: 'tools/call', params: { name: 'bench_search_items_1', arguments: { query: 'x' } } })
const longest = new Map(PHASES.map((phase): [string, number[]] => [phase, []]))
using project = lockedProject(10)
for (let round = 0; round < ROUNDS + 2; round++) await measure()
console.log(
  '### The longest turn of the event loop once it listens\n\n| while | CPU, ms | the worst of all rounds |\n| --- | ---: | ---: |',
)
for (const [phase, values] of longest)
  console.log(`| ${phase} | ${median(values).toFixed(1)} | ${Math.max(...values).toFixed(1)} |`)
record({ stall: median(longest.get(PHASES[0]) ?? []), 'stall-initialize': median(longest.get(PHASES[1]) ?? []) })

async function measure(): Promise<void> {
  const port = await freePort()
  const { argv, env } = project.command(port)
  const at = argv.indexOf(process.execPath) + 1
  const preload = ['--import', join(import.meta.dirname, 'lib/longest-turn.ts')]
  const child = spawn(argv[0] ?? '', [...argv.slice(1, at), ...preload, ...argv.slice(at)], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const lines = createInterface({ input: child.stderr })
  const listening = Promise.withResolvers<void>()
  let told = Promise.withResolvers<number>()
  lines.on('line', (line) => {
    const { event, longestMs } = JSON.parse(line) as { event?: string; longestMs?: number }
    if (event === 'listening') listening.resolve()
    if (longestMs !== undefined) told.resolve(longestMs)
  })
  const note = async (): Promise<number> => {
    told = Promise.withResolvers()
    child.kill('SIGUSR2')
    return told.promise
  }
  const post = async (request: RequestInit) => {
    const answer = await fetch(`http://127.0.0.1:${port}/mcp`, { method: 'POST', ...request })
    const text = await answer.text()
    if (!answer.ok || !text.includes('"result"')) throw new Error(`A wrong answer: ${text.slice(0, 300)}`)
  }
  await listening.promise
  await note()
  for (const [phase, work] of [
    [PHASES[0], () => new Promise((resolve) => setTimeout(resolve, 2_000))],
    [PHASES[1], () => post(INITIALIZE)],
    [PHASES[2], () => post(CALL)],
    [
      PHASES[3],
      async () => {
        for (let call = 0; call < 600; call++) await post(CALL)
      },
    ],
  ] as const) {
    await work()
    await new Promise((resolve) => setTimeout(resolve, 50))
    longest.get(phase)?.push(await note())
  }
  child.kill('SIGKILL')
  await once(child, 'exit')
}
