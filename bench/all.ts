// npm run bench: every comparison after the other, as Markdown. Ten minutes; ROUNDS=1 for a quick look.
import { cpus, version } from 'node:os'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${version()}\n`)
for (const name of [
  'call',
  'list',
  'stdio',
  'coldstart',
  'cache',
  'memory',
  'scale',
  'sessions',
  'isolation',
  'isolation-starts',
  'idle',
  'servers',
  'redaction',
  'openapi',
  'search',
  'tracing',
]) {
  const { status } = spawnSync(process.execPath, ['--conditions=@mcp-patchbay/source', join(import.meta.dirname, `${name}.ts`)], {
    stdio: 'inherit',
  })
  if (status !== 0) process.exitCode = 1
}
