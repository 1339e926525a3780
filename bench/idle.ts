/**
 * How much memory do plugins in their own processes use that are never called? Memory of the host and all its children with none, 20 and
 * 100 of them: all
 * running, when they are idle, after a start that knows them, and once three of those were called; how long the first call of one takes that
 * is idle, on the clock and of CPU.
 *
 *   node bench/idle.ts
 */
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCounted, useOf } from './lib/counted-host.ts'
import { median } from './lib/report.ts'
import { record } from './lib/results.ts'
import { childrenOf, cpuMs } from './lib/server.ts'
import { requestOf } from './lib/wire.ts'

const COUNTS = (process.env['COUNTS'] ?? '0,3,20,100').split(',').map(Number)
/** The default of `limits.pluginIdleMs`; nothing runs as long here. */
const NEVER_MS = 600_000
/** Soon, for the run in which they become idle. */
const IDLE_MS = 1_000
/** So many are called. */
const USED = 3
const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

mkdirSync(join(folder, 'echo'))
writeFileSync(
  join(folder, 'echo/index.js'),
  `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
export default definePlugin({
  name: 'echo', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}),
  tools: [defineTool({ name: 'back', description: 'Gives back what it is given', access: 'read', input: Type.Object({}), run: () => 'back' })],
})`,
)

console.log('### Plugins in their own processes that are never called\n')
console.log(
  `| ${['plugins', 'start, ms', 'processes', 'MB of all', 'idle: processes', 'MB of all', 'first call, ms', 'its CPU, ms'].join(' | ')} | known: start, ms | processes | MB of all | 3 of them used: processes | MB of all |`,
)
console.log(`|${' ---: |'.repeat(13)}`)
const counted = new Map<number, { readonly idleMb: number; readonly firstMs: number; readonly usedMb: number }>()
for (const count of COUNTS) {
  const running = await run(count, 'kept', NEVER_MS)
  const ended = await run(count, 'other', IDLE_MS)
  const known = await run(count, 'kept', NEVER_MS)
  const { first } = ended
  counted.set(count, { idleMb: ended.mb, firstMs: first.ms, usedMb: known.used.mb })
  console.log(
    `| ${[count, running.startMs, running.processes, running.mb, ended.processes, ended.mb, first.ms, first.cpuMs, known.startMs, known.processes, known.mb, known.used.processes, known.used.mb].map(shown).join(' | ')} |`,
  )
}
const at = (count: number) => counted.get(count) ?? { idleMb: Number.NaN, firstMs: Number.NaN, usedMb: Number.NaN }
record({
  'idle-20-mb': at(20).idleMb,
  'idle-20': at(20).idleMb / at(0).idleMb,
  'idle-first': at(20).firstMs,
  'listed-100-mb': at(100).usedMb,
  'listed-100': at(100).usedMb / at(3).usedMb,
})

function shown(value: number): string {
  return Number.isNaN(value) ? '–' : String(Math.round(value))
}

/** With a store that was used before, a start knows its plugins. Of a run whose plugins become idle, what there is then. */
async function run(count: number, store: string, pluginIdleMs: number) {
  const config = join(folder, `mcp.config.json`)
  const plugins = Array.from({ length: count }, (_, index) => ({ use: './echo', as: `echo_${index}`, isolation: 'process' }))
  const cache = { store: `sqlite:${join(folder, `${store}-${count}.db`)}` }
  writeFileSync(
    config,
    JSON.stringify({
      plugins,
      cache,
      limits: { pluginIdleMs },

      listen: { http: { port: 0 }, management: false },
    }),
  )
  const { child, pid, url, startMs } = await startCounted(config, count)
  await new Promise((resolve) => setTimeout(resolve, 500))
  if (pluginIdleMs < NEVER_MS) {
    // What is left is the shell that ends processes should the host be killed.
    while (useOf(pid).processes > 1) await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const use = useOf(pid)
  const took: { readonly ms: number; readonly cpuMs: number }[] = []
  for (let index = 0; index < Math.min(count, USED); index++) {
    const before = performance.now()
    const cpuBefore = cpuOfAll(pid)
    await callAt(url, `echo_${index}_back`)
    took.push({ ms: performance.now() - before, cpuMs: cpuOfAll(pid) - cpuBefore })
  }
  const used = useOf(pid)
  child.kill('SIGTERM')
  await once(child, 'exit')
  const first = { ms: median(took.map(({ ms }) => ms)), cpuMs: median(took.map((call) => call.cpuMs)) }
  return { startMs, ...use, first, used }
}

/** Of the host and its children that are there: processes are only added while it is asked. */
function cpuOfAll(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, one) => sum + cpuMs(one), 0)
}

async function callAt(url: string, name: string): Promise<void> {
  const { headers, body } = requestOf({ method: 'tools/call', params: { name, arguments: {} } })
  const text = await (await fetch(url, { method: 'POST', headers, body })).text()
  if (!text.includes('"text":"back"')) throw new Error(`A wrong answer: ${text.slice(0, 300)}`)
}
