/**
 * npm run bench: every comparison after the other, as Markdown; ROUNDS=1 for a quick look. Each has a time limit and
 * is ended after it, which is said. How long each took goes to stderr.
 *
 * Apart are bench/reload.ts and bench/reload-loss.ts, which install the peers that they compare with.
 */
import { cpus, version } from 'node:os'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** In seconds: half as long again as on two quiet cores. */
const BENCHES: Readonly<Record<string, number>> = {
  call: 150,
  list: 150,
  stdio: 90,
  coldstart: 90,
  stalls: 40,
  cache: 60,
  memory: 60,
  scale: 140,
  sessions: 120,
  isolation: 210,
  'isolation-starts': 60,
  idle: 180,
  servers: 100,
  redaction: 40,
  tracing: 100,
  tenants: 60,
  openapi: 60,
  search: 20,
}
const from = performance.now()
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${version()}\n`)
for (const [name, seconds] of Object.entries(BENCHES)) {
  const before = performance.now()
  const argv = ['--conditions=@mcp-patchbay/source', join(import.meta.dirname, `${name}.ts`)]
  const { status, signal } = spawnSync(process.execPath, argv, { stdio: 'inherit', timeout: seconds * 1_000 })
  const took = Math.round((performance.now() - before) / 1_000)
  console.error(`${name}: ${took} s${signal === null ? '' : `, and was ended: it has ${seconds}`}`)
  if (status !== 0) process.exitCode = 1
}
console.error(`together: ${Math.round((performance.now() - from) / 1_000)} s`)
