/**
 * npm run bench: every figure that we promise, in one run, as Markdown; at the end a table of what was measured beside its goal. Each script
 * has a time limit and is ended after it, which is said. How long each took goes to stderr.
 *
 *   npm run bench                    on a machine that does nothing else; ROUNDS=1 for a quick look
 *   npm run bench -- call list       some of the scripts
 *   npm run bench -- --readme        writes bench/results.json, and the table of README.md from it; of scripts that did not run, the
 *                                    figures stay as they were
 *   npm run bench -- --render        measures nothing: writes the table of README.md from bench/results.json
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { FIGURES_VARIABLE, goalsTable, readmeTable, recorded, withTable, type Results } from './lib/results.ts'

interface Script {
  /** Half as long again as on two quiet cores. */
  readonly seconds: number
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** In the order of the table. */
const SCRIPTS: Readonly<Record<string, Script>> = {
  call: { seconds: 110 },
  list: { seconds: 120 },
  stdio: { seconds: 80 },
  tracing: { seconds: 80 },
  coldstart: { seconds: 90 },
  stalls: { seconds: 40 },
  sessions: { seconds: 110 },
  memory: { seconds: 90 },
  reload: { seconds: 150, args: ['projects', '8', 'recorded'] },
  'reload-loss': { seconds: 60, args: ['40', 'patchbay dev'] },
  'reload-heap': { seconds: 60 },
  isolation: { seconds: 90, env: { TRANSPORTS: 'http', AT_ONCE: '1,32' } },
  idle: { seconds: 180 },
  servers: { seconds: 240 },
  openapi: { seconds: 50 },
  search: { seconds: 20 },
  install: { seconds: 60 },
}
const RESULTS = join(import.meta.dirname, 'results.json')
const README = join(import.meta.dirname, '../README.md')

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
const { values, positionals } = parseArgs({
  options: { readme: { type: 'boolean' }, render: { type: 'boolean' } },
  allowPositionals: true,
})
const unknown = positionals.filter((name) => !(name in SCRIPTS))
if (unknown.length > 0) throw new Error(`There is no ${unknown.join(', ')} among ${Object.keys(SCRIPTS).join(', ')}`)

if (values.render) writeReadme(kept())
else {
  const measured = await measure(positionals.length > 0 ? positionals : Object.keys(SCRIPTS))
  console.log(`### What was measured\n\n${goalsTable(measured)}\n`)
  if (values.readme) {
    const results = { ...measured, figures: { ...(positionals.length > 0 && kept().figures), ...measured.figures } }
    writeFileSync(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`)
    writeReadme(results)
  }
}

async function measure(names: readonly string[]): Promise<Results> {
  const from = performance.now()
  const machine = `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`
  console.log(`${machine}\n`)
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
  const file = join(folder, 'figures')
  writeFileSync(file, '')
  for (const name of names) {
    const script = SCRIPTS[name]
    if (!script) continue
    const before = performance.now()
    const isDone = await run(name, script, file)
    const took = Math.round((performance.now() - before) / 1_000)
    console.error(`${name}: ${took} s${isDone ? '' : `, and did not get to its end: it has ${script.seconds}`}`)
    if (!isDone) process.exitCode = 1
  }
  console.error(`together: ${Math.round((performance.now() - from) / 1_000)} s`)
  const figures = recorded(file)
  rmSync(folder, { recursive: true })
  return { machine, figures }
}

/** Whether it came to its end. What it started ends with it: it would disturb the next one. */
async function run(name: string, { seconds, args = [], env }: Script, file: string): Promise<boolean> {
  const argv = ['--conditions=@mcp-patchbay/source', join(import.meta.dirname, `${name}.ts`), ...args]
  const child = spawn(process.execPath, argv, {
    stdio: 'inherit',
    detached: true,
    env: { ...process.env, ...env, [FIGURES_VARIABLE]: file },
  })
  const endGroup = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // Nothing of it is left.
    }
  }
  process.once('exit', endGroup)
  const timer = setTimeout(endGroup, seconds * 1_000)
  const [code] = (await once(child, 'exit')) as [number | null]
  clearTimeout(timer)
  process.off('exit', endGroup)
  endGroup()
  return code === 0
}

function kept(): Results {
  return JSON.parse(readFileSync(RESULTS, 'utf8')) as Results
}

function writeReadme(results: Results): void {
  writeFileSync(README, withTable(readFileSync(README, 'utf8'), results))
  console.log(readmeTable(results))
}
