/**
 * What does tracing cost? Echo with 1 KB over HTTP, 32 in flight: a host without a collector, and hosts that sample a tenth and all of
 * their requests, with one; and a bare server. Short blocks in turns, so that a slow minute of the machine hits all alike; each ratio is within one turn.
 * `off again` is a second host without a collector: how far it is from 1 is what this machine cannot tell apart.
 *
 *   node bench/tracing.ts        installs the packages of OpenTelemetry where npm run test:tracing has them
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { measure, type Measured } from './lib/load.ts'
import { median, ROUNDS } from './lib/report.ts'
import { record } from './lib/results.ts'
import { echoOf, LOAD_CORE, pinned, Server } from './lib/server.ts'
import { echoCall } from './lib/wire.ts'

const TURNS = ROUNDS * 2
const BARE = 'a bare server'
const packages = join(import.meta.dirname, '../tests/tracing/node_modules')
if (!existsSync(packages)) {
  console.error('installing the packages of OpenTelemetry …')
  const options = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  execFileSync('npm', options, { cwd: dirname(packages), stdio: ['ignore', 'ignore', 'inherit'] })
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
  servers.push({ name: BARE, server: await Server.start('raw') })
  const turns: Map<string, Measured>[] = []
  for (let turn = 0; turn < TURNS; turn++) {
    const measured = new Map<string, Measured>()
    for (const { name, server } of servers) {
      const load = { rpc: echoCall(echoOf(server.name), 1_000), expect: { echo: 1_000 }, concurrency: 32 }
      measured.set(name, await measure({ ...load, to: server.address, warmupMs: turn === 0 ? 2_000 : 200, measureMs: 1_000 }))
    }
    turns.push(measured)
  }
  console.log(`### Tracing: tools/call of 1 KB × 32, median of ${TURNS} turns\n`)
  console.log('| spans of | req/s | of off | CPU µs | of off |\n| --- | ---: | ---: | ---: | ---: |')
  for (const { name, server } of servers) {
    const values = (key: 'perSecond' | 'cpuUs') => turns.map((turn) => turn.get(name)?.[key] ?? Number.NaN)
    const ratio = (key: 'perSecond' | 'cpuUs') => ratioOf(turns, name, 'off', key)
    const [rate, cpu] = [median(values('perSecond')), median(values('cpuUs'))]
    const shares = [ratio('perSecond'), ratio('cpuUs')].map((value) => value.toFixed(2))
    console.log(`| ${name} | ${Math.round(rate)} | ${shares[0]} | ${cpu.toFixed(1)} | ${shares[1]} |`)
    await server[Symbol.asyncDispose]()
  }
  console.log('')
  record({
    'traces-tenth-raw': ratioOf(turns, '10 %', BARE, 'perSecond'),
    'traces-all-raw': ratioOf(turns, '100 %', BARE, 'perSecond'),
  })
} finally {
  collector.kill('SIGKILL')
  rmSync(folder, { recursive: true })
}

/** The median of the ratios within each turn. */
function ratioOf(turns: readonly ReadonlyMap<string, Measured>[], name: string, to: string, key: 'perSecond' | 'cpuUs'): number {
  return median(turns.map((turn) => (turn.get(name)?.[key] ?? Number.NaN) / (turn.get(to)?.[key] ?? Number.NaN)))
}
