/**
 * Runs the tests, each file in a process of its own. `npm test` runs all of them, `npm test -- FILE…` these.
 *
 * Two things that `node --test` alone does not do: on two cores it would run one file at a time, while most files wait for processes and
 * sockets for half of their time; and every process would compile the host and its packages again, which is half of what it costs.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, constants, tmpdir } from 'node:os'
import { join } from 'node:path'

const files = process.argv.slice(2)
const compiled = mkdtempSync(join(tmpdir(), 'patchbay-compiled-'))
const child = spawn(
  process.execPath,
  [
    '--test',
    '--test-reporter=spec',
    // One that hangs is named and ended, and the rest goes on.
    '--test-timeout=300000',
    `--test-concurrency=${Math.max(2, availableParallelism() - 1)}`,
    '--conditions=@mcp-patchbay/source',
    ...(files.length > 0 ? files : ['tests/**/*.test.ts', 'plugins/*/tests/**/*.test.ts']),
  ],
  { stdio: 'inherit', env: { ...process.env, NODE_COMPILE_CACHE: compiled } },
)
// A terminal sends it to the tests as well: they end, and then this.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void child.kill(signal))
const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
rmSync(compiled, { recursive: true, force: true })
process.exitCode = code ?? 128 + constants.signals[signal ?? 'SIGKILL']
