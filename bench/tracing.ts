/**
 * What does tracing cost? Echo with 1 KB over HTTP, 32 in flight: a host without a collector, and hosts that sample a tenth and all of
 * their requests, with one. Short blocks in turns, so that a slow minute of the machine hits all alike; each ratio is within one turn.
 * `off again` is a second host without a collector: how far it is from 1 is what this machine cannot tell apart.
 *
 *   npm run test:tracing && node bench/tracing.ts        the packages of OpenTelemetry are installed for that suite
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measure, type Measured } from './lib/load.ts'
import { median, ROUNDS } from './lib/report.ts'
import { LOAD_CORE, pinned, Server } from './lib/server.ts'
import { echoCall } from './lib/wire.ts'

const TURNS = ROUNDS * 3
const packages = join(import.meta.dirname, '../tests/tracing/node_modules')
if (!existsSync(packages)) {
  console.log('bench/tracing: skipped, since the packages of OpenTelemetry are not installed. Run npm run test:tracing first.')
  process.exit(0)
}

const folder = mkdtempSync(join(tmpdir(), 'patchbay-tracing-'))
symlinkSync(packages, join(folder, 'node_modules'))
const config = join(folder, 'mcp.config.json')
copyFileSync(join(import.meta.dirname, 'servers/patchbay/plugin.ts'), join(folder, 'plugin.ts'))
writeFileSync(config, JSON.stringify({ plugins: [{ use: './plugin.ts', as: 'bench' }] }))
const [command, ...args] = [...pinned(LOAD_CORE), process.execPath, join(import.meta.dirname, 'servers/collector.ts')]
const collector = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
const [port] = (await once(collector.stdout, 'data')) as [Buffer]
const sampled = (share: string) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${String(port).trim()}`,
  OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
  OTEL_TRACES_SAMPLER_ARG: share,
})
const settings = { off: {}, 'off again': {}, '10 %': sampled('0.1'), '100 %': sampled('1') }

try {
  const servers = await Promise.all(
    Object.entries(settings).map(async ([name, env]) => ({ name, server: await Server.start('patchbay', { config, env }) })),
  )
  const turns: Map<string, Measured>[] = []
  for (let turn = 0; turn < TURNS; turn++) {
    const measured = new Map<string, Measured>()
    for (const { name, server } of servers) {
      const load = { rpc: echoCall('bench_echo', 1_000), expect: { echo: 1_000 }, concurrency: 32 }
      measured.set(name, await measure({ ...load, to: server.address, warmupMs: turn === 0 ? 2_000 : 200, measureMs: 1_000 }))
    }
    turns.push(measured)
  }
  console.log(`### Tracing: tools/call of 1 KB × 32, median of ${TURNS} turns\n`)
  console.log('| spans of | req/s | of off | CPU µs | of off |\n| --- | ---: | ---: | ---: | ---: |')
  for (const { name, server } of servers) {
    const values = (key: 'perSecond' | 'cpuUs') => turns.map((turn) => turn.get(name)?.[key] ?? Number.NaN)
    const ratio = (key: 'perSecond' | 'cpuUs') =>
      median(turns.map((turn) => (turn.get(name)?.[key] ?? Number.NaN) / (turn.get('off')?.[key] ?? Number.NaN)))
    const [rate, cpu] = [median(values('perSecond')), median(values('cpuUs'))]
    const shares = [ratio('perSecond'), ratio('cpuUs')].map((value) => value.toFixed(2))
    console.log(`| ${name} | ${Math.round(rate)} | ${shares[0]} | ${cpu.toFixed(1)} | ${shares[1]} |`)
    await server[Symbol.asyncDispose]()
  }
  console.log('')
} finally {
  collector.kill('SIGKILL')
  rmSync(folder, { recursive: true })
}
